"""Stage history: how often a stage was entered (0 when never) and how many days ago (null when never)."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile) -> list[FeatureSpec]:
    """Propose entries and days since entry for each stage seen."""
    specs: list[FeatureSpec] = []
    for stage in profile.stages:
        specs += [
            FeatureSpec(f"entries.{stage}", "stage", "stage_entries", stage=stage),
            FeatureSpec(f"since.{stage}", "stage", "days_since_stage", stage=stage),
        ]
    return specs
