"""What is asked in every measurement: the frozen default catalog, and snapshots at given ages of every lead."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from features import catalog, snapshots, tables
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace

HERE: Final = Path(__file__).parent
CATALOG: Final = HERE / "catalog.json"
ONE_AGE: Final = (180,)
EIGHT_AGES: Final = (1, 3, 7, 14, 30, 60, 90, 180)


def specs() -> tuple[FeatureSpec, ...]:
    """Read the frozen catalog: what `suggest` gave for a log of two million activities, kept for the hand-written."""
    return tuple(FeatureSpec.from_json(spec) for spec in json.loads(CATALOG.read_text(encoding="utf-8")))


def suggested_names(workspace: Workspace) -> list[str]:
    """Give the features that `suggest` proposes today for a log."""
    info = workspace.tables_info()
    return [spec.name for spec in catalog.suggest(tables.read(workspace), info, info.observed_until)]


def write_snapshots(workspace: Workspace, ages_days: Sequence[int], path: Path) -> Path:
    """Write one snapshot per lead and age; every age of every lead lies within the log."""
    until = workspace.tables_info().observed_until
    ages = [days * DAY for days in ages_days]
    snapshots.scheduled(tables.read(workspace), ages, 0, until).select("lead_id", "as_of").write_parquet(path)
    return path
