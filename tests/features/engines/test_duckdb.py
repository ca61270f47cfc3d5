import tempfile
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from features import batch
from features.engines.duckdb import DuckDBEngine
from features.tables import Tables
from leadlight.__main__ import main
from leadlight.errors import EngineError
from leadlight.ingest.pipeline import ingest
from leadlight.schema import DAY, TABLES
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from tests.features import market
from tests.features.test_batch import as_array, snapshots_of

NAMES = ("leads", "activities", "stages", "attribute_changes")


@pytest.fixture
def engine():
    return DuckDBEngine(memory_limit="1GB")


def tables_of(engine):
    tables = market.tables(*market.crowd())
    names = ("leads", "activities", "stages", "changes")
    return Tables(*(engine.rows(getattr(tables, name).collect()).to_native() for name in names))


def test_the_memory_limit_holds(engine):
    (limit,) = tables_of(engine).leads.query("l", "SELECT current_setting('memory_limit')").fetchone()
    assert limit in {"953.6 MiB", "1.0 GiB"}


def test_it_spills_where_temporary_files_go_whatever_the_name(tmp_path, monkeypatch):
    folder = tmp_path / "it's; here"
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    engine = DuckDBEngine(memory_limit="2GB")
    (spill,) = tables_of(engine).leads.query("l", "SELECT current_setting('temp_directory')").fetchone()
    assert Path(spill).parent == folder


@pytest.mark.parametrize("limit", ["0.001KB", "100KB", "1MB"])
def test_too_little_memory_is_said_in_a_line(limit, tmp_path):
    with pytest.raises(EngineError, match=r"DuckDB has too little memory \(.+\); raise its limit") as failed:
        computed(DuckDBEngine(memory_limit=limit), tmp_path)
    assert "\n" not in str(failed.value)
    assert not (tmp_path / "part-00000.parquet").exists()


def computed(engine, folder):
    batch.build_to(engine, tables_of(engine), snapshots_of([("p001", market.BASE + 4 * DAY)]), market.SPECS, folder)


@pytest.mark.parametrize("limit", ["100KB", "1MB", "10MB"])
def test_too_little_memory_is_said_to_whoever_builds(limit, room, capsys, tmp_path):
    said = refused(room, capsys, tmp_path, limit)
    assert "DuckDB has too little memory (" in said
    assert "raise its limit (--memory-limit" in said


@pytest.mark.parametrize("limit", ["4GB'; SELECT 1; --", "-1GB", "foo"])
def test_a_limit_that_is_no_size_is_said_to_whoever_builds(limit, room, capsys, tmp_path):
    said = refused(room, capsys, tmp_path, limit)
    assert said == (
        f"error: memory limit `{limit}` is no size; give a positive number and a unit, such as 4GB or 512MiB\n"
    )


def refused(room, capsys, folder, limit):
    words = ["--as-of", "end", "--workspace", str(room.root), "--out", str(folder / "table")]
    with pytest.raises(SystemExit) as left:
        main(["features", "build", "--engine", "duckdb", "--memory-limit", limit, *words])
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.count("\n") == 1
    assert list(folder.iterdir()) == []
    return said


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A workspace with a small simulated market."""
    folder = tmp_path_factory.mktemp("duckdb")
    write_market(folder / "market", Options(200, seed=1))
    found = Workspace.at(folder / "workspace")
    ingest(folder / "market" / "mapping.yaml", folder / "market" / "raw", found)
    return found


def test_written_parts_have_the_names_of_the_features_and_instants(engine, tmp_path):
    specs = [spec for spec in market.SPECS if spec.name in {"count", "days"}]
    asked = snapshots_of([("p001", market.BASE + 4 * DAY)])
    batch.build_to(engine, tables_of(engine), asked, specs, tmp_path)
    (part,) = tmp_path.glob("*.parquet")
    frame = pl.read_parquet(part)
    assert frame.columns == ["lead_id", "as_of", *(spec.name for spec in specs)]
    assert frame.schema["as_of"] == pl.Datetime("us", "UTC")
    assert frame["as_of"].cast(pl.Int64).to_list() == asked["as_of"].to_list()


def test_it_reads_files_and_folders_of_part_files(engine, tmp_path):
    whole = market.tables(*market.crowd())
    paths = {}
    for name, frame in zip(NAMES, (whole.leads, whole.activities, whole.stages, whole.changes), strict=True):
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        written = frame.collect().with_columns(pl.col(column).cast(pl.Datetime("us", "UTC")) for column in instants)
        paths[name] = tmp_path / name
        paths[name].mkdir()
        for part in range(2):
            written[part::2].write_parquet(paths[name] / f"{part}.parquet")
    read = engine.read(paths)
    for name, relation in zip(NAMES, (read.leads, read.activities, read.stages, read.changes), strict=True):
        (instant,) = [column for column, kind in TABLES[name].items() if kind == "instant"][:1]
        frame = {"leads": whole.leads, "activities": whole.activities, "stages": whole.stages}.get(name, whole.changes)
        found = sorted(value for (value,) in relation.project(instant).fetchall())
        assert found == sorted(frame.collect()[instant].to_list())


def test_tables_of_a_connection_of_ones_own_are_computed_there():
    own = duckdb.connect()
    tables = market.tables(*market.crowd(31))
    frames = {name: getattr(tables, name).collect() for name in ("leads", "activities", "stages", "changes")}
    for name, frame in frames.items():
        own.register(f"{name}_given", frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        own.execute(f"CREATE TABLE {name} AS FROM {name}_given")
        own.unregister(f"{name}_given")
    spill = own.sql("SELECT current_setting('temp_directory')").fetchall()
    relations = Tables(*(own.table(name) for name in frames))
    asked = snapshots_of([("p001", market.BASE + 4 * DAY), ("p030", market.BASE + 4 * DAY)])
    for _ in range(2):  # nothing of the first stands in the way of the second
        found = batch.build(relations, asked, market.SPECS)
        np.testing.assert_allclose(
            as_array(found), as_array(batch.build(tables, asked, market.SPECS)), rtol=1e-9, atol=1e-12
        )
    left = own.sql("FROM duckdb_tables()").fetchall() + own.sql("FROM duckdb_views() WHERE NOT internal").fetchall()
    assert len(left) == len(frames)
    assert own.sql("SELECT current_setting('temp_directory')").fetchall() == spill
