"""Fit: the attributes of person and company.

Numbers as they are, categories as codes, dates as days since; null when missing. A value has a code of its own where 20
leads have it, or five where an attribute has many such values (up to 10,000); others share one, identifiers have none.
That a value is missing (0 or 1), and how often it changed (changes), are signals of their own and never null.
"""

from typing import Final

from features.profile import Profile
from leadlight.spec import FeatureSpec

NOTICEABLE: Final = 0.05  # share of leads without a value from which on its absence is a feature


def suggest(profile: Profile, utc_offset_hours: float = 0.0) -> list[FeatureSpec]:
    """Propose every usable attribute that varies; rare categories share the `other` code."""
    return [
        *(FeatureSpec(f"fit.{name}", "fit", "number", attribute=name) for name in profile.numbers),
        *(
            FeatureSpec(f"fit.{name}", "fit", "category", attribute=name, categories=values)
            for name, values in profile.categories.items()
        ),
        *(
            FeatureSpec(f"fit.{name}", "fit", "days_since_date", attribute=name, utc_offset_hours=utc_offset_hours)
            for name in profile.dates
        ),
    ]


def suggest_signals(profile: Profile) -> list[FeatureSpec]:
    """Propose which values are missing (for a noticeable share of leads, not nearly all) and how often they changed."""
    missing = sorted(profile.missing.items(), key=lambda item: (-min(item[1], 1 - item[1]), item[0]))
    changed = sorted(profile.changed.items(), key=lambda item: (-item[1], item[0]))
    return [
        *(FeatureSpec(f"changes.{name}", "fit", "changes", attribute=name) for name, _ in changed),
        *(
            FeatureSpec(f"missing.{name}", "fit", "missing", attribute=name)
            for name, share in missing
            if NOTICEABLE <= share <= 1 - NOTICEABLE
        ),
    ]
