import polars as pl
import pyarrow.parquet as pq
import pytest

from benchmarks.features.market import KINDS, ROW_GROUP, Size, make
from features import tables
from leadlight.ingest.store import Previous
from leadlight.schema import TABLES


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return make(Size(30_000, chunk=100), tmp_path_factory.mktemp("log") / "workspace")


def test_the_log_is_a_workspace_that_ingestion_would_read_on(log):
    info = log.tables_info()
    assert info.rows["activities"] == 30_000
    assert info.rows["leads"] == 600
    for name, columns in TABLES.items():
        frame = log.scan(name)
        assert list(frame.collect_schema())[: len(columns)] == list(columns)
    assert Previous.of(log).tables.rows["leads"].collect().height == 600


def test_the_log_is_sorted_by_company_lead_and_time(log):
    leads = log.scan("leads").select("lead_id", company=pl.coalesce("account_id", "lead_id"))
    rows = log.scan("activities").join(leads, on="lead_id", maintain_order="left").collect()
    order = ["company", "lead_id", "occurred_at", "activity_id"]
    assert rows.select(order).equals(rows.select(order).sort(order))
    assert not rows["lead_id"].is_sorted()
    assert rows["activity_id"].is_unique().all()


def test_the_log_is_plausible(log):
    read = tables.read(log)
    activities = read.activities.join(read.leads.select("lead_id", "created_at"), on="lead_id").collect()
    per_lead = activities["lead_id"].value_counts()["count"]
    assert per_lead.max() > 8 * per_lead.median()
    late = activities["received_at"].drop_nulls()
    assert 0.08 < len(late) / 30_000 < 0.12
    before = (activities["occurred_at"] < activities["created_at"]).mean()
    assert 0.02 < before < 0.1
    assert activities["type"].n_unique() == len(KINDS)
    assert activities["actor"].n_unique() == 4
    assert activities["occurred_at"].max() < log.tables_info().observed_until


def test_a_seed_gives_one_log_whatever_else_happens(tmp_path):
    first, again, other = (
        make(Size(5_000, seed=seed), tmp_path / name).scan("activities").collect()
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_row_groups_have_the_size_of_the_workspace(log):
    metadata = pq.read_metadata(log.table_path("activities", log.tables_info().generation))
    assert metadata.num_row_groups == 1
    assert metadata.row_group(0).num_rows <= ROW_GROUP
