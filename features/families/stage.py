"""Stage history: entries into a stage (0 when never), days since, and days in the stage of now (null when never)."""

from features.profile import Profile
from leadlight.spec import FeatureSpec


def suggest(profile: Profile) -> list[FeatureSpec]:
    """Propose the days since the entry of each stage seen, and the number of entries where there may be more than one.

    Stages that leads come back to stand first.
    """
    again = [stage for stage in profile.stages if stage in profile.repeated]
    specs: list[FeatureSpec] = []
    for stage in again:
        specs += [_since(stage), FeatureSpec(f"entries.{stage}", "stage", "stage_entries", stage=stage)]
    specs += [_since(stage) for stage in profile.stages if stage not in profile.repeated]
    if specs:
        specs.insert(len(again) * 2, FeatureSpec("in_stage", "stage", "days_in_stage"))
    return specs


def _since(stage: str) -> FeatureSpec:
    return FeatureSpec(f"since.{stage}", "stage", "days_since_stage", stage=stage)
