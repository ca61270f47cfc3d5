"""Decayed counts: an activity counts half after its half-life. Unit: activities; 0 when none."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, half_lives_days: tuple[float, ...], most_types: int) -> list[FeatureSpec]:
    """Propose a decayed count per half-life over all types; per type the middle half-life first, then the others.

    Together they tell what is how long ago.
    """
    middle = half_lives_days[len(half_lives_days) // 2]
    others = [half_life for half_life in half_lives_days if half_life != middle]
    types = profile.types[:most_types]
    return [
        *(
            FeatureSpec(f"decayed_{half_life:g}d", "decay", "decayed_count", half_life_days=half_life)
            for half_life in half_lives_days
        ),
        *(
            FeatureSpec(f"decayed_{half_life:g}d.{name}", "decay", "decayed_count", (name,), half_life_days=half_life)
            for chosen in ([middle], others)
            for name in types
            for half_life in chosen
        ),
    ]
