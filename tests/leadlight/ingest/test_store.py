import fcntl

import polars as pl
import pytest

from leadlight.errors import WorkspaceError
from leadlight.ingest import store
from leadlight.ingest.store import KEPT_GENERATIONS, generations, locked, new_generation
from leadlight.workspace import Workspace


def test_older_generations_go_only_after_publishing(world):
    names = [world.ingest().generation for _ in range(4)]
    assert names == sorted(names)
    assert generations(world.workspace) == names[-KEPT_GENERATIONS:]
    assert world.workspace.tables_info().generation == names[-1]


def test_a_generation_is_named_after_every_one_on_disk(tmp_path):
    workspace = Workspace.at(tmp_path)
    (tmp_path / "tables" / "99991231T000000000000").mkdir(parents=True)
    assert new_generation(workspace) > "99991231T000000000000"


def test_two_ingests_do_not_meet(world):
    folder = world.workspace.root / "tables"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceError, match="another ingest is writing"):
            world.ingest()
    assert world.ingest().tables["leads"] == 2


def test_what_a_crash_left_is_cleared(tmp_path):
    leftover = tmp_path / "tables" / ".staging.x.tmp"
    leftover.mkdir(parents=True)
    with locked(Workspace.at(tmp_path)):
        assert not leftover.exists()


def test_a_damaged_workspace_is_said(world):
    world.ingest()
    generation = world.workspace.tables_info().generation
    stages = world.workspace.table_path("stages", generation)
    whole = stages.read_bytes()
    for damage, told in (
        (stages.unlink, "is gone"),
        (lambda: stages.write_bytes(whole[:50]), "is cut short"),
    ):
        damage()
        with pytest.raises(
            WorkspaceError, match=rf"stages\.parquet` {told}.*move `.*tables\.json` away and ingest all"
        ):
            world.ingest()


def test_the_mend_of_a_damaged_workspace_mends(world):
    before = world.ingest()
    world.workspace.table_path("stages", before.generation).write_bytes(b"PAR1")
    (world.workspace.root / "tables.json").rename(world.workspace.root / "tables.json.old")
    assert world.ingest().tables == before.tables
    assert world.rows("stages") is not None


def test_the_activities_of_a_company_lie_together(world, monkeypatch):
    monkeypatch.setattr(store, "ROW_GROUP", 2)
    world.mapping = world.mapping.replace("at: created\n", "at: created\n          account_id: firm\n")
    leads = "id,created,size,industry,firm\nA,2026-01-01,,,z\nM,2026-01-01,,,\nX,2026-01-01,,,a\nB,2026-01-01,,,z\n"
    events = [(1, "A", 5), (2, "B", 4), (3, "X", 9), (4, "M", 1), (6, "A", 4), (5, "A", 4)]
    lines = [f"{number},{lead},call,2026-02-0{day}" for number, lead, day in events]
    world.ingest(leads__csv=leads, events__csv="\n".join(["id,lead,what,at", *lines]) + "\n")
    assert [(row["lead_id"], row["activity_id"]) for row in world.rows("activities")] == [
        ("M", "4"), ("X", "3"), ("A", "5"), ("A", "6"), ("A", "1"), ("B", "2"),
    ]  # fmt: skip
    path = world.workspace.table_path("activities", world.workspace.tables_info().generation)
    assert store.COMPANY not in pl.read_parquet_schema(path)
    import pyarrow.parquet as pq

    assert pq.ParquetFile(path).metadata.num_row_groups == 3
