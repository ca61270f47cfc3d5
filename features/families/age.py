"""Age and clock of a lead: days since its creation, and the hour (UTC) and weekday (0 = Monday) of its creation."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile) -> list[FeatureSpec]:
    """Propose age, hour and weekday where the data has a clock."""
    if not profile.timed:
        return []
    return [
        FeatureSpec("age", "age", "age_days"),
        FeatureSpec("created_hour", "age", "created_hour"),
        FeatureSpec("created_weekday", "age", "created_weekday"),
    ]
