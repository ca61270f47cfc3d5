"""The catalog: the feature specifications of a data set, derived from it and adjustable by a YAML file."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from features.families import age, breadth, decay, fit, frequency, momentum, recency, sequence, stage, touches
from features.profile import Profile, profile
from features.tables import Tables
from leadlight.documents import Document
from leadlight.errors import NotEnoughDataError, SpecError
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo

WINDOWS_DAYS: Final = (1.0, 7.0, 30.0, 90.0)
HALF_LIVES_DAYS: Final = (3.0, 14.0, 45.0)


class CatalogSettings(BaseModel):
    """What a `features.yaml` may adjust; every key is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows_days: tuple[float, ...] = Field(default=WINDOWS_DAYS, min_length=2)
    half_lives_days: tuple[float, ...] = Field(default=HALF_LIVES_DAYS, min_length=1)
    most_types: int = Field(default=20, ge=0)
    last_types: int = Field(default=3, ge=0)
    drop: tuple[str, ...] = ()
    add: tuple[dict[str, object], ...] = ()


def suggest(
    tables: Tables, info: TablesInfo, before: int, settings: CatalogSettings | None = None
) -> tuple[FeatureSpec, ...]:
    """Derive a catalog from what the data held before an instant (the cut of a time split).

    Raises:
        NotEnoughDataError: nothing usable was known before that instant.
        SpecError: the settings name a feature that does not exist, or add one without meaning.
    """
    return from_profile(profile(tables, info, before), settings or CatalogSettings())


def from_profile(seen: Profile, settings: CatalogSettings) -> tuple[FeatureSpec, ...]:
    """Derive a catalog from a profile."""
    windows, half_lives, most = settings.windows_days, settings.half_lives_days, settings.most_types
    specs: list[FeatureSpec] = [*age.suggest(seen), *stage.suggest(seen), *fit.suggest(seen)]
    if seen.types:
        specs += frequency.suggest(seen, windows, most)
        specs += recency.suggest(seen, most)
        specs += momentum.suggest(windows)
        specs += decay.suggest(seen, half_lives, most)
        specs += breadth.suggest(windows)
        specs += sequence.suggest(seen, settings.last_types)
        specs += touches.suggest(seen, windows)
    names = {spec.name for spec in specs}
    for name in settings.drop:
        if name not in names:
            raise SpecError.unknown_name("features.yaml: `drop` names a feature that", name, names)
    specs = [spec for spec in specs if spec.name not in settings.drop]
    specs += [FeatureSpec.from_json(dict(added)) for added in settings.add]
    if not specs:
        raise NotEnoughDataError("no activity and no attribute known at creation before the cut; nothing to learn from")
    _refuse_twice(specs)
    return tuple(specs)


def _refuse_twice(specs: list[FeatureSpec]) -> None:
    seen: set[str] = set()
    for spec in specs:
        if spec.name in seen:
            raise SpecError(f"feature `{spec.name}` is defined twice; rename one of the two")
        seen.add(spec.name)


def load_settings(path: Path) -> CatalogSettings:
    """Read a `features.yaml`.

    Raises:
        SpecError: located at the line that is wrong.
    """
    return Document.read(path, SpecError).validate(CatalogSettings)
