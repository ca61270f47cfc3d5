"""Fit: the attributes of person and company. Numbers as they are; categories as codes; null when missing."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile) -> list[FeatureSpec]:
    """Propose every usable attribute that varies; rare categories share the `other` code."""
    return [
        *(FeatureSpec(f"fit.{name}", "fit", "number", attribute=name) for name in profile.numbers),
        *(
            FeatureSpec(f"fit.{name}", "fit", "category", attribute=name, categories=values)
            for name, values in profile.categories.items()
        ),
    ]
