"""Sequence: the last k types. A category; null when fewer than k activities are known."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, last: int) -> list[FeatureSpec]:
    """Propose the last, second last ... type."""
    if not profile.types:
        return []
    return [
        FeatureSpec(f"last_type_{k}", "sequence", "last_type", k=k, categories=profile.types)
        for k in range(1, last + 1)
    ]
