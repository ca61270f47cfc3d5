"""Frequency: how often something happened in a window. Unit: activities, days, contents or value; 0 when none."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(
    profile: Profile, windows_days: tuple[float, ...], most_types: int, utc_offset_hours: float = 0.0
) -> list[FeatureSpec]:
    """Propose totals over all types, ever and per window, then counts per type, ever and in the second window.

    More windows per type would repeat what recency and decayed counts tell. Channels come last: they mostly are groups
    of types.
    """
    days = FeatureSpec("days_active", "frequency", "distinct_days", utc_offset_hours=utc_offset_hours)
    specs = [FeatureSpec("count", "frequency", "count"), days]
    specs += [FeatureSpec(f"count_{window:g}d", "frequency", "count", window_days=window) for window in windows_days]
    if profile.has_values:
        specs.append(FeatureSpec("value", "frequency", "value_sum"))
    if profile.has_contents:
        specs.append(FeatureSpec("contents", "frequency", "distinct_contents"))
    week = windows_days[1]
    for name in profile.types[:most_types]:
        specs += [
            FeatureSpec(f"count.{name}", "frequency", "count", types=(name,)),
            FeatureSpec(f"count_{week:g}d.{name}", "frequency", "count", (name,), window_days=week),
        ]
    if len(profile.channels) > 1:
        specs += [FeatureSpec(f"count.via_{name}", "frequency", "count", channel=name) for name in profile.channels]
    return specs
