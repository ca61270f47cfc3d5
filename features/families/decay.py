"""Decayed counts: an activity counts half after its half-life. Unit: activities; 0 when none."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, half_lives_days: tuple[float, ...], most_types: int) -> list[FeatureSpec]:
    """Propose a decayed count per half-life, over all types and for each: together they tell what is how long ago."""
    return [
        *(
            FeatureSpec(f"decayed_{half_life:g}d", "decay", "decayed_count", half_life_days=half_life)
            for half_life in half_lives_days
        ),
        *(
            FeatureSpec(f"decayed_{half_life:g}d.{name}", "decay", "decayed_count", (name,), half_life_days=half_life)
            for name in profile.types[:most_types]
            for half_life in half_lives_days
        ),
    ]
