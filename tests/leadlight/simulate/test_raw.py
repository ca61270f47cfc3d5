"""The raw files: what is in them, what is not, and that they come in by the same door as any other data."""

import gzip

import numpy as np
import polars as pl
import pytest

from leadlight.ingest.pipeline import ingest
from leadlight.schema import ACTIVITY_TYPES, DAY
from leadlight.simulate.truth import true_probability
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def ingested(written, tmp_path_factory):
    workspace = Workspace.at(tmp_path_factory.mktemp("workspace"))
    return ingest(written / "mapping.yaml", written / "raw", workspace), workspace


def text(path):
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def test_no_hidden_type_is_in_any_raw_file(written, market):
    for path in [*(written / "raw").iterdir(), written / "mapping.yaml"]:
        content = text(path)
        assert [name for name in (*market.types, "mood", "evaluating") if name in content] == [], path.name


def test_all_is_ingested_and_nothing_refused(written, ingested):
    report, _ = ingested
    assert report.tables["quarantine"] == 0
    assert report.tables["leads"] == 1_500
    assert sum(file.left_out + file.malformed for file in report.files) == 0
    rows = sum(len(text(path).splitlines()) - 1 for path in (written / "raw").glob("*.csv*"))
    assert sum(file.rows for file in report.files if file.file.endswith((".csv", ".csv.gz"))) == rows


def test_all_kinds_and_attributes_arrive(ingested):
    _, workspace = ingested
    types = workspace.scan("activities").select("type", "actor").unique().collect()
    assert set(types["type"]) == set(ACTIVITY_TYPES)
    actors = dict(types.iter_rows())
    assert {actors["mail_sent"], actors["call"], actors["meeting"], actors["mail_open"]} == {
        "marketing",
        "sales",
        "lead",
    }
    attributes = {attribute.name: attribute for attribute in workspace.tables_info().attributes}
    assert {"industry", "employees", "target_company", "job_title", "acquisition_channel"} <= set(attributes)
    assert attributes["employees"].kind == "number"
    assert {attribute.known_at for attribute in attributes.values()} == {"creation"}


def test_times_are_right_whatever_the_file_writes_them_in(ingested):
    """Contacts and tasks are in Tokyo time, the others in UTC: no activity lies before its lead's creation."""
    _, workspace = ingested
    created = workspace.scan("leads").select("lead_id", "created_at")
    early = (
        workspace.scan("activities").join(created, on="lead_id").filter(pl.col("occurred_at") < pl.col("created_at"))
    )
    assert early.collect().height == 0
    entered = (
        workspace.scan("stages").filter(pl.col("stage") == "lead").group_by("lead_id").agg(pl.col("entered_at").min())
    )
    assert (
        created.join(entered, on="lead_id").filter(pl.col("created_at") != pl.col("entered_at")).collect().height == 0
    )


def test_noise_arrives_as_noise(ingested):
    report, workspace = ingested
    duplicates = sum(table.duplicates for file in report.files for table in file.tables)
    assert duplicates > 500
    assert sum(table.updated for file in report.files for table in file.tables) == 0
    activities = workspace.scan("activities")
    assert activities.filter(pl.col("detail").str.contains("Scanner")).collect().height > 100
    late = activities.filter(pl.col("received_at").is_not_null()).collect()
    assert (late["received_at"] > late["occurred_at"]).all()
    assert 0.02 < late.height / activities.collect().height < 0.04


def test_reasons_and_amounts_arrive(ingested):
    _, workspace = ingested
    stages = workspace.scan("stages").collect()
    assert stages.filter((pl.col("stage") == "lost") & pl.col("reason").is_null()).height == 0
    assert stages.filter((pl.col("stage") == "customer") & pl.col("amount").is_null()).height == 0
    assert stages.filter((pl.col("stage") == "mql") & pl.col("amount").is_not_null()).height == 0


def test_the_truth_answers_for_the_leads_of_the_workspace(written, ingested):
    _, workspace = ingested
    leads = workspace.scan("leads").collect()
    as_of = leads["created_at"].dt.epoch("us").to_numpy() + 1
    keep = as_of < workspace.tables_info().observed_until
    p = true_probability(written, leads["lead_id"].to_list(), as_of, "sql", 60 * DAY) if keep.all() else np.array([0.5])
    assert ((p > 0) & (p < 1)).all()


def test_the_end_of_the_record_is_the_market_s(ingested):
    _, workspace = ingested
    assert workspace.tables_info().observed_until == 1_759_276_800_000_000  # 18 months after 2024-04-01
