"""What came of a column or activity type that the audit let pass: whether what answers reads it, and through what."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from leadlight.bundle import Bundle
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec
from rules import engine, parse
from training.audit import Kind
from training.audit_gate import FOLLOWED, OF_COLLEAGUES

# `features`: a feature that the scorer reads. `rules`: only rules of the card, whose points move its score. `unread`: a
# feature is made of it, and the scorer does not read that. `nothing`: no feature is made of it.
Use = Literal["features", "rules", "unread", "nothing"]

READ: Final[frozenset[Use]] = frozenset({"features", "rules"})
WORDS: Final[dict[Use, str]] = {
    "features": "yes",
    "rules": "yes, by rules of the card",
    "unread": "no part of this score reads it",
    "nothing": "no feature made of it",
}


def use(bundle: Bundle, catalog: Iterable[FeatureSpec], kind: Kind, name: str) -> Use:
    """Say what came of an attribute or activity type.

    Args:
        bundle: its scorer and rule card.
        catalog: every feature that was computed in its training.
        kind: `attribute` or `type`.
        name: of it.
    """
    scorer = bundle.scorer
    if _read(scorer.specs, kind, name):
        return "features"
    if scorer.rule_scale and _read(engine.specs(parse.from_json(dict(scorer.card))), kind, name):
        return "rules"
    return "unread" if _read(catalog, kind, name) else "nothing"


def _read(specs: Iterable[FeatureSpec], kind: Kind, name: str) -> bool:
    """Whether one of the features reads it."""
    if kind == "attribute":
        return any(spec.attribute == name for spec in specs)
    return any(not types or name in types for spec in specs for types in _types(spec))


def _types(spec: FeatureSpec) -> Iterator[tuple[str, ...]]:
    """Give the types that a feature looks at, empty = all of them; nothing where it looks at no activity."""
    if spec.measure in ACTIVITY_MEASURES or spec.measure in OF_COLLEAGUES:
        yield spec.types
    if spec.measure in FOLLOWED:
        yield spec.then_types
