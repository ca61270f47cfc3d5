"""Momentum: is activity rising.

Momentum in doublings of (count + 1) against the window before, 0 when both are equal; trend from -1 (all at the start
of the window) to 1 (all at its end), null when none.
"""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose one momentum per window but the longest, and the trend in the second-longest window.

    They look at what the lead itself did, where the data tells it from contacts with it.
    """
    own = profile.own
    trend = windows_days[-2]
    return [
        *(
            FeatureSpec(f"momentum_{window:g}d", "momentum", "momentum", actor=own, window_days=window)
            for window in windows_days[1:-1]
        ),
        FeatureSpec(f"trend_{trend:g}d", "momentum", "trend", actor=own, window_days=trend),
        FeatureSpec(f"momentum_{windows_days[0]:g}d", "momentum", "momentum", actor=own, window_days=windows_days[0]),
    ]
