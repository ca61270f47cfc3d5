"""Which of the proposed features a catalog keeps, when not all have room.

1. The attributes themselves (numbers, categories, dates of the lead) are all kept.
2. Every other proposal has the value **seats of its family x coverage / place in its family's list**: families list
   their proposals from the most general to the most special, coverage is the share of leads of which it can tell
   something, and the seats say how much of a full catalog a family is worth. Those of the highest value are kept (at
   equal values the family that stands first in `SEATS`). This is how d'Hondt's rule gives seats to parties.

So a rare type loses its place to a common one, and no family pushes out another by proposing more.
"""

from collections.abc import Sequence
from typing import Final

from features.profile import Profile
from leadlight.spec import Family, FeatureSpec

# How many features of a family a catalog of 64 has where every proposal covers every lead. `rule` is never proposed.
SEATS: Final[dict[Family, float]] = {
    "age": 6.0,
    "stage": 12.0,
    "frequency": 8.0,
    "recency": 16.0,
    "decay": 18.0,
    "momentum": 3.0,
    "rhythm": 4.0,
    "breadth": 2.0,
    "sequence": 5.0,
    "touches": 6.0,
    "company": 5.0,
    "fit": 4.0,
}
ATTRIBUTE_VALUES: Final = frozenset({"number", "category", "days_since_date"})


def coverage(spec: FeatureSpec, seen: Profile) -> float:
    """Give the share of leads of which a feature can tell something (1 where it looks at every activity or stage).

    A stage that was not entered tells as much as one that was, so stages cover every lead.
    """
    if spec.measure == "missing":
        share = seen.missing.get(str(spec.attribute), 0.0)
        return 2 * min(share, 1 - share)
    if spec.measure == "changes":
        return seen.changed.get(str(spec.attribute), 0.0)
    if spec.facts.source == "colleagues":
        return seen.company
    shares = [
        max((seen.type_share.get(name, 0.0) for name in types), default=0.0)
        for types in (spec.types, spec.then_types)
        if types
    ]
    if spec.actor is not None:
        shares.append(seen.actor_share.get(spec.actor, 0.0))
    if spec.channel is not None:
        shares.append(seen.channel_share.get(spec.channel, 0.0))
    return min(shares, default=1.0)


def keep(proposals: Sequence[FeatureSpec], seen: Profile, most: int) -> list[FeatureSpec]:
    """Keep at most `most` proposals by the rule of this module, in their order; every attribute value is kept.

    Args:
        proposals: each family's in its own order; names are unique.
        seen: what the data has.
        most: how many; attribute values count, and stay even if they are more.
    """
    kept = {spec.name for spec in proposals if spec.measure in ATTRIBUTE_VALUES}
    families = list(SEATS)
    places: dict[Family, int] = {}
    ranked: list[tuple[float, int, int, str]] = []
    for spec in proposals:
        if spec.name in kept:
            continue
        place = places[spec.family] = places.get(spec.family, 0) + 1
        value = SEATS[spec.family] * coverage(spec, seen) / place
        ranked.append((-value, families.index(spec.family), place, spec.name))
    room = max(most - len(kept), 0)
    kept |= {name for *_, name in sorted(ranked)[:room]}
    return [spec for spec in proposals if spec.name in kept]
