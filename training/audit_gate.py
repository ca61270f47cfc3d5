"""What follows from an audit: which attributes may become features, and a catalog without types that are outcomes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from leadlight.errors import InputError
from leadlight.phrases import counted
from leadlight.schema import KnownAt
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec
from leadlight.workspace import Attribute, TablesInfo
from training.audit import Audit, Finding, passes

# What can be allowed.
JUDGED: Final = frozenset({"attribute", "type"})
# Measures that look at activities beside `ACTIVITY_MEASURES`, and those that look at a second activity.
OF_COLLEAGUES: Final = frozenset({"colleagues_active", "most_active_colleague", "colleague_recency"})
FOLLOWED: Final = frozenset({"followed", "followed_share"})


def allowances(columns: Sequence[str], reasons: Sequence[str]) -> dict[str, str]:
    """Pair every `--allow` with its `--because`.

    Raises:
        InputError: a reason is missing, blank or too many, or a column is named twice.
    """
    if len(columns) != len(reasons):
        given, explained = counted(len(columns), "time"), counted(len(reasons), "time")
        raise InputError(
            f"--allow is given {given} and --because {explained}; give every column its reason: "
            "--allow COLUMN --because TEXT"
        )
    for column, reason in zip(columns, reasons, strict=True):
        if not reason.strip():
            raise InputError(f"--allow {column}: --because is empty; say why it was known before the outcome")
        if list(columns).count(column) > 1:
            raise InputError(f"--allow {column} is given twice; give it once")
    return dict(zip(columns, reasons, strict=True))


def check_allowed(audit: Audit, allow: Collection[str]) -> None:
    """Refuse to allow what does not exist or is a leak.

    Raises:
        InputError: no attribute or type has that name, or its verdict is `leak`.
    """
    judged = {one.name: one for one in audit.findings if one.kind in JUDGED}
    for name in allow:
        if name not in judged:
            raise InputError.unknown_name("--allow: attribute or activity type", name, judged)
        if judged[name].verdict == "leak":
            raise InputError(
                f"--allow {name}: it is a leak and cannot be allowed ({judged[name].why}); if it was known before the "
                "outcome, declare `known_at` in the mapping"
            )


def needed(audit: Audit, allow: Mapping[str, str]) -> dict[str, str]:
    """Give the allowances without which something would be left out: those of suspects."""
    suspects = {one.name for one in audit.findings if one.kind in JUDGED and one.verdict == "suspect"}
    return {name: why for name, why in allow.items() if name in suspects}


def gated(info: TablesInfo, audit: Audit, allow: Collection[str] = ()) -> TablesInfo:
    """Give what is known of the tables, with the audit's word for attributes whose time the mapping does not tell.

    `unknown` means the same before and after: nobody says when it was known, so no feature is made of it. Here the
    audit says so, or who allows a suspect: these attributes are `creation` from now on.

    Raises:
        InputError: something is allowed that cannot be.
    """
    check_allowed(audit, allow)
    findings = {one.name: one for one in audit.findings if one.kind == "attribute"}
    attributes = tuple(
        replace(attribute, known_at=_known_at(attribute, findings[attribute.name], allow))
        for attribute in info.attributes
    )
    return replace(info, attributes=attributes)


def _known_at(attribute: Attribute, finding: Finding, allow: Collection[str]) -> KnownAt:
    if not passes(finding, allow):
        return "unknown"
    return "creation" if attribute.known_at == "unknown" else attribute.known_at


def without_types(specs: Sequence[FeatureSpec], audit: Audit, allow: Collection[str] = ()) -> tuple[FeatureSpec, ...]:
    """Give a catalog in which no feature looks at the types, or attributes, that must be left out.

    A feature of such types alone goes; one of all types names the others from now on, so that the service leaves them
    out as well. A feature of such an attribute goes too, if a catalog of one's own asks for it.
    """
    attributes = set(audit.dropped("attribute", allow))
    kept = [spec for spec in specs if spec.attribute not in attributes]
    out = set(audit.dropped("type", allow))
    if not out:
        return tuple(kept)
    others = tuple(name for name in audit.types if name not in out)
    return tuple(spec for one in kept if (spec := _without(one, out, others)) is not None)


def _without(spec: FeatureSpec, out: Collection[str], others: tuple[str, ...]) -> FeatureSpec | None:
    if spec.measure not in ACTIVITY_MEASURES and spec.measure not in OF_COLLEAGUES:
        return spec
    types = tuple(name for name in spec.types or others if name not in out)
    follows = spec.measure in FOLLOWED
    then = tuple(name for name in spec.then_types or others if name not in out) if follows else ()
    if not types or (follows and not then):
        return None
    categories = spec.categories
    if spec.measure == "last_type":
        categories = tuple(name for name in categories if name not in out)
        if not categories:
            return None
    return replace(spec, types=types, then_types=then, categories=categories)
