"""Company and buying group: are colleagues of the lead active too. At most 50 colleagues count.

Units: leads and activities (0 when none), days (null when none), values of an attribute. Nothing adds up over
colleagues, so that a large company is not hot by its head-count alone.
"""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile, windows_days: tuple[float, ...]) -> list[FeatureSpec]:
    """Propose colleagues that were active, the most active and the last of them, and roles; only where accounts are."""
    if not profile.company:
        return []
    window, own = windows_days[len(windows_days) // 2], profile.own
    active = FeatureSpec(
        f"colleagues_active_{window:g}d", "company", "colleagues_active", actor=own, window_days=window
    )
    most = FeatureSpec(
        f"most_active_colleague_{window:g}d", "company", "most_active_colleague", actor=own, window_days=window
    )
    roles = [FeatureSpec(f"roles.{name}", "company", "roles", attribute=name) for name in profile.role_like]
    return [
        active,
        FeatureSpec("colleague_recency", "company", "colleague_recency", actor=own),
        *roles[:1],
        most,
        FeatureSpec("colleagues", "company", "colleagues"),
        *roles[1:],
    ]
