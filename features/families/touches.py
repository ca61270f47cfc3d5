"""Touches: what sales and marketing did to the lead. Unit: activities (0 when none) and days (null when none)."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose count, days and recency per actor seen, the lead itself included, where there is more than one."""
    if len(profile.actors) < 2:
        return []
    middle = windows_days[len(windows_days) // 2]
    specs: list[FeatureSpec] = []
    for actor in profile.actors:
        specs += [
            FeatureSpec(f"count.by_{actor}", "touches", "count", actor=actor),
            FeatureSpec(f"count_{middle:g}d.by_{actor}", "touches", "count", actor=actor, window_days=middle),
            FeatureSpec(f"days.by_{actor}", "touches", "distinct_days", actor=actor),
            FeatureSpec(f"recency.by_{actor}", "touches", "days_since_last", actor=actor),
        ]
    return specs
