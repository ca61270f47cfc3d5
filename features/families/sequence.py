"""Sequence: the last k types, and what followed what.

A category, null when fewer than k activities are known; activities that were followed (0 when none) or their share
(null when there is nothing to follow).
"""

from itertools import combinations

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, last: int, within_days: float, paired_types: int = 3) -> list[FeatureSpec]:
    """Propose the last, second last ... type, how often the lead came back, and pairs of its commonest types.

    Args:
        profile: what the data has.
        last: how many of the last types.
        within_days: how soon the second of a pair must come.
        paired_types: among how many types of the lead pairs are made, the commoner one first.
    """
    if not profile.types:
        return []
    specs = [
        FeatureSpec(f"last_type_{k}", "sequence", "last_type", k=k, categories=profile.types)
        for k in range(1, last + 1)
    ]
    own = profile.own
    back = FeatureSpec(
        "returned_1d", "sequence", "followed_share", actor=own, then_actor=own or "lead", within_days=1.0
    )
    specs.insert(min(2, len(specs)), back)
    specs += [
        FeatureSpec(
            f"followed_{within_days:g}d.{first}.{then}",
            "sequence",
            "followed",
            (first,),
            then_types=(then,),
            within_days=within_days,
        )
        for first, then in combinations(profile.own_types[:paired_types], 2)
    ]
    return specs
