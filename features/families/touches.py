"""Touches: what sales and marketing did to the lead, and how it answered.

Units: activities and days (0 when none), days ago and shares (null when none).
"""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(
    profile: Profile, windows_days: tuple[float, ...], within_days: float, utc_offset_hours: float = 0.0
) -> list[FeatureSpec]:
    """Propose recency, answers and counts per actor seen, the lead itself included, where there is more than one.

    Args:
        profile: what the data has.
        windows_days: the middle one is used.
        within_days: how soon an activity of the lead must come to be an answer.
        utc_offset_hours: of the calendar days.
    """
    if len(profile.actors) < 2:
        return []
    middle = windows_days[len(windows_days) // 2]
    others = [actor for actor in profile.actors if actor not in {"lead", "system"}]
    recencies = [
        FeatureSpec(f"recency.by_{actor}", "touches", "days_since_last", actor=actor)
        for actor in sorted(profile.actors, key=lambda actor: (actor != "lead", actor == "system", actor))
    ]
    answers = [
        FeatureSpec(
            f"answered_{within_days:g}d.by_{actor}",
            "touches",
            "followed_share",
            actor=actor,
            then_actor="lead",
            within_days=within_days,
        )
        for actor in (others if "lead" in profile.actors else ())
    ]
    recent = [
        FeatureSpec(f"count_{middle:g}d.by_{actor}", "touches", "count", actor=actor, window_days=middle)
        for actor in profile.actors
    ]
    days = [
        FeatureSpec(f"days.by_{actor}", "touches", "distinct_days", actor=actor, utc_offset_hours=utc_offset_hours)
        for actor in profile.actors
    ]
    ever = [FeatureSpec(f"count.by_{actor}", "touches", "count", actor=actor) for actor in profile.actors]
    return [*recencies, *answers, *recent, *days, *ever]
