"""Rhythm: how regularly, in how many visits and at which hours a lead is active.

Units: days between activities, ratio of their spread, visits, shares; null where there is nothing to measure, except
for visits (0).
"""

from typing import Final

from features.profile import Profile
from leadlight.spec import FeatureSpec

GAP_MINUTES: Final = 30.0  # a longer pause starts a new visit
OFFICE_HOURS: Final = (9.0, 18.0)
MONDAY_TO_FRIDAY: Final = (0, 1, 2, 3, 4)


def suggest(profile: Profile, windows_days: tuple[float, ...], utc_offset_hours: float = 0.0) -> list[FeatureSpec]:
    """Propose visits, gaps and office hours of the lead's own activities; nothing where the data has no clock."""
    if not profile.timed:
        return []
    own, window = profile.own, windows_days[len(windows_days) // 2]
    return [
        FeatureSpec(
            f"sessions_{window:g}d", "rhythm", "sessions", actor=own, window_days=window, gap_minutes=GAP_MINUTES
        ),
        FeatureSpec("gap_mean", "rhythm", "gap_mean", actor=own),
        FeatureSpec(
            "share.office_hours",
            "rhythm",
            "share",
            actor=own,
            hours=OFFICE_HOURS,
            weekdays=MONDAY_TO_FRIDAY,
            utc_offset_hours=utc_offset_hours,
        ),
        FeatureSpec("gap_spread", "rhythm", "gap_spread", actor=own),
        FeatureSpec("share.weekend", "rhythm", "share", actor=own, weekdays=(5, 6), utc_offset_hours=utc_offset_hours),
        FeatureSpec("sessions", "rhythm", "sessions", actor=own, gap_minutes=GAP_MINUTES),
    ]
