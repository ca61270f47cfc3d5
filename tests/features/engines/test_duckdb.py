import duckdb
import polars as pl
import pytest

from features import batch
from features.engines.duckdb import DuckDBEngine
from features.tables import Tables
from leadlight.schema import DAY
from tests.features import market
from tests.features.test_batch import snapshots_of


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


def test_it_reads_folders_of_part_files(engine, tmp_path):
    folder = tmp_path / "stages"
    folder.mkdir()
    at = "TIMESTAMPTZ '2024-01-01 00:00:00+09'"
    for number in range(2):
        query = f"SELECT 'l{number}' AS lead_id, 'mql' AS stage, {at} AS entered_at, NULL AS reason, NULL AS amount"
        duckdb.sql(query).write_parquet(str(folder / f"{number}.parquet"))
    read = engine.read(
        dict.fromkeys(("leads", "activities", "attribute_changes"), folder / "0.parquet") | {"stages": folder}
    )
    assert sorted(read.stages.project("entered_at").fetchall()) == [(1_704_034_800_000_000,)] * 2
