"""Breadth: how many different kinds of activity. Unit: types; 0 when none."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose the number of types that the lead itself acted in, in the longest window and ever."""
    own, longest = profile.own, windows_days[-1]
    return [
        FeatureSpec(f"breadth_{longest:g}d", "breadth", "distinct_types", actor=own, window_days=longest),
        FeatureSpec("breadth", "breadth", "distinct_types", actor=own),
    ]
