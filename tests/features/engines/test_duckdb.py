import duckdb
import numpy as np
import polars as pl
import pytest

from features import batch
from features.engines.duckdb import DuckDBEngine
from features.tables import Tables
from leadlight.schema import DAY, TABLES
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
