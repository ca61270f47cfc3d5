"""Decayed counts: an activity counts half after its half-life. Unit: activities; 0 when none."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, half_lives_days: tuple[float, ...], most_types: int) -> list[FeatureSpec]:
    """Propose a decayed count per half-life over all types, and one per type with the middle half-life."""
    middle = half_lives_days[len(half_lives_days) // 2]
    return [
        *(
            FeatureSpec(f"decayed_{half_life:g}d", "decay", "decayed_count", half_life_days=half_life)
            for half_life in half_lives_days
        ),
        *(
            FeatureSpec(f"decayed_{middle:g}d.{name}", "decay", "decayed_count", (name,), half_life_days=middle)
            for name in profile.types[:most_types]
        ),
    ]
