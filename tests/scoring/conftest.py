"""A workspace on disk with the made-up market and a current bundle."""

from dataclasses import replace

import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.schema import DAY, TABLES
from leadlight.workspace import Workspace
from tests.scoring import market

KEY = b"a key for tests only"


@pytest.fixture(scope="session")
def leads():
    made = []
    for seed in range(150):
        stages = {"mql": 20 + seed % 30} if seed % 3 == 0 else {}
        made.append(market.with_stages(market.timeline(seed), **stages, **({"sql": 55} if seed % 2 == 0 else {})))
    return made


@pytest.fixture
def workspace(leads, tmp_path, monkeypatch):
    """Give a workspace; what is done to it stays in the test."""
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", KEY.decode())
    room, tables, info = Workspace.at(tmp_path / "ws"), market.tables(leads), market.info()
    frames = {
        "leads": tables.leads,
        "activities": tables.activities,
        "stages": tables.stages,
        "attribute_changes": tables.changes,
    }
    for name, frame in frames.items():
        path = room.table_path(name, info.generation)
        path.parent.mkdir(parents=True, exist_ok=True)
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        typed = frame.with_columns(pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC") for at in instants)
        typed.collect().write_parquet(path)
    room.publish_tables(info)
    made = replace(market.bundle(), training={"test_from": market.START + 5 * DAY})
    bundles.save(made, room.bundle_path(made.version), KEY)
    room.set_current(made.version)
    return room
