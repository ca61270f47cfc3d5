"""Age and clock of a lead: days since its creation, and the local hour and weekday (0 = Monday) of its creation."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, utc_offset_hours: float = 0.0) -> list[FeatureSpec]:
    """Propose age, hour and weekday where the data has a clock."""
    if not profile.timed:
        return []
    return [
        FeatureSpec("age", "age", "age_days"),
        FeatureSpec("created_weekday", "age", "created_weekday", utc_offset_hours=utc_offset_hours),
        FeatureSpec("created_hour", "age", "created_hour", utc_offset_hours=utc_offset_hours),
    ]
