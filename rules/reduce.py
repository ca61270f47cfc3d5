"""A rule card without what must not be read, such as an attribute that knows the outcome.

An entry that asks for such an attribute, or for such activities alone, goes as a whole: half a condition would mean
something that nobody wrote. One that counts such activities among others counts the others from now on.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from rules.condition import EVERY_TYPE, Condition, leaves
from rules.parse import SIDES, Card, Named, Rule

Entry = TypeVar("Entry", Rule, Named)
Chosen = TypeVar("Chosen", Rule, Condition)
Part = Literal["behaviour", "fit", "hot_when", "exclude"]
PARTS: Final[tuple[Part, ...]] = ("behaviour", "fit", "hot_when", "exclude")


@dataclass(frozen=True, slots=True)
class Cut:
    """What was taken from one entry of a card.

    Attributes:
        part: where it stands on the card.
        name: of the entry.
        attributes: that it read and must not, sorted.
        types: activity types of which the same is true, sorted.
        whole: whether the entry is gone; else it counts other activities only.
    """

    part: Part
    name: str
    attributes: tuple[str, ...]
    types: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Out:
    attributes: frozenset[str]
    types: frozenset[str]
    others: tuple[str, ...]


def without(
    card: Card, attributes: Collection[str], types: Collection[str], others: Sequence[str]
) -> tuple[Card, tuple[Cut, ...]]:
    """Give a card that reads none of these attributes and activity types, and what was taken from it.

    Args:
        card: stays as it is.
        attributes: not to be read.
        types: activity types not to be read.
        others: every other type of the data; an entry about every type (`*`) is about these from now on.

    Returns:
        The card, without groups in which no rule is left; it may have no rules at all. It is the same one if nothing
        had to be taken.
    """
    out = _Out(frozenset(attributes), frozenset(types), tuple(others))
    cuts: list[Cut] = []
    kept: dict[str, Any] = {}
    for part in PARTS:
        found = [(entry, _entry(entry, out)) for entry in getattr(card, part)]
        kept[part] = tuple(after for _, after in found if after is not None)
        cuts += [_cut(part, entry, after, out) for entry, after in found if after is not entry]
    if not cuts:
        return card, ()
    used = {rule.group for side in SIDES for rule in kept[side]}
    kept["groups"] = {name: group for name, group in card.groups.items() if name in used}
    return card.model_copy(update=kept), tuple(cuts)


def _cut(part: Part, before: Rule | Named, after: Rule | Named | None, out: _Out) -> Cut:
    asked = list(_asked(before))
    types = {name for one in asked for name in _types(one.activity or (), out)}
    attributes = out.attributes.intersection(one.attribute for one in asked if isinstance(one, Condition))
    return Cut(part, before.name, tuple(sorted(attributes)), tuple(sorted(types)), whole=after is None)


def _asked(entry: Rule | Named) -> Iterator[Rule | Condition]:
    """Yield everything in an entry that reads the record."""
    if isinstance(entry, Rule) and entry.when is None:
        yield entry
    elif entry.when is not None:
        yield from leaves(entry.when)


def _types(activity: Collection[str], out: _Out) -> frozenset[str]:
    """Give the types that an entry looks at and must not."""
    return out.types if EVERY_TYPE in activity else out.types.intersection(activity)


def _entry(entry: Entry, out: _Out) -> Entry | None:
    if isinstance(entry, Rule) and entry.activity is not None:
        return _narrowed(entry, out)
    when = None if entry.when is None else _condition(entry.when, out)
    if when is None or when is entry.when:
        return None if when is None else entry
    return entry.model_copy(update={"when": when})


def _condition(asked: Condition, out: _Out) -> Condition | None:
    if asked.attribute in out.attributes:
        return None
    if asked.activity is not None:
        return _narrowed(asked, out)
    for key in ("all_", "any_"):
        parts = getattr(asked, key)
        if parts is not None:
            return _with_parts(asked, key, parts, [_condition(part, out) for part in parts])
    if asked.not_ is not None:
        inside = _condition(asked.not_, out)
        return None if inside is None else _with_parts(asked, "not_", [asked.not_], [inside])
    return asked


def _with_parts(
    asked: Condition, key: str, before: Sequence[Condition], after: Sequence[Condition | None]
) -> Condition | None:
    if any(part is None for part in after):
        return None
    if all(new is old for new, old in zip(after, before, strict=True)):
        return asked
    return asked.model_copy(update={key: after[0] if key == "not_" else tuple(after)})


def _narrowed(chosen: Chosen, out: _Out) -> Chosen | None:
    """Leave types out of those that are counted; None where no other is left."""
    activity = chosen.activity or ()
    if not _types(activity, out):
        return chosen
    left = out.others if EVERY_TYPE in activity else tuple(name for name in activity if name not in out.types)
    return chosen.model_copy(update={"activity": left}) if left else None
