"""Recency: how long ago something last happened. Unit: days; null when it never did."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, most_types: int) -> list[FeatureSpec]:
    """Propose the days since the last and the first activity, and since the last of each type."""
    return [
        FeatureSpec("recency", "recency", "days_since_last"),
        FeatureSpec("first_activity", "recency", "days_since_first"),
        *(FeatureSpec(f"recency.{name}", "recency", "days_since_last", (name,)) for name in profile.types[:most_types]),
    ]
