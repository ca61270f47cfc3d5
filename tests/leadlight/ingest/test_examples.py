"""The mappings in `examples/` on the real data sets."""

import os
from pathlib import Path

import polars as pl
import pytest

from leadlight.ingest.check import MappingFile
from leadlight.ingest.pipeline import ingest
from leadlight.workspace import Workspace

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
NAMES = ("bpic2012", "olist", "xeducation")
real_data = pytest.mark.real_data


@pytest.mark.parametrize("name", NAMES)
def test_the_mapping_is_valid(name):
    assert MappingFile.read(ROOT / "examples" / name / "mapping.yaml").mapping.files


def load(name, tmp_path):
    if not (DATA / name).is_dir():
        pytest.skip(f"the real data set {name} is not in {DATA} (LEADLIGHT_DATA names another folder)")
    workspace = Workspace.at(tmp_path)
    return ingest(ROOT / "examples" / name / "mapping.yaml", DATA / name, workspace), workspace


def first_entries(workspace):
    first = workspace.scan("stages").group_by("lead_id", "stage").agg(pl.col("entered_at").min())
    return dict(first.group_by("stage").len().collect().rows())


@real_data
def test_bpic2012(tmp_path):
    report, workspace = load("bpic2012", tmp_path)
    assert report.tables["leads"] == 10_202
    assert report.quarantined == 0
    assert report.observed_until == 1_328_050_800_000_000  # 2012-02-01T00:00+01:00
    stages = first_entries(workspace)
    assert stages["mql"] == 5_721
    assert stages["sql"] == 3_951
    assert stages["customer"] == 1_530
    assert stages["lost"] == 5_870 + 1_949
    log = report.files[1]
    assert log.rows == 193_493
    # the leads themselves, and the two offer states that are written with the outcome
    assert log.left_out == 10_202 + 1_527 + 526
    types = workspace.scan("activities").select(pl.col("type").unique()).collect().to_series().to_list()
    assert len(types) == 25
    assert not [name for name in types if name.startswith(("a_", "o_", "w_"))]


@real_data
def test_no_activity_of_bpic2012_tells_the_outcome(tmp_path):
    """No type of activity comes, in most of its cases, at the instant of an outcome."""
    _, workspace = load("bpic2012", tmp_path)
    outcome = (
        workspace.scan("stages")
        .filter(pl.col("stage").is_in(["customer", "lost"]))
        .select("lead_id", pl.col("entered_at").alias("occurred_at"))
        .unique()
    )
    at_once = workspace.scan("activities").join(outcome, on=["lead_id", "occurred_at"], how="semi")
    share = (
        at_once.group_by("type").len("n")
        .join(workspace.scan("activities").group_by("type").len("all"), on="type")
        .select((pl.col("n") / pl.col("all")).max())
        .collect()
        .item()
    )  # fmt: skip
    assert share < 0.5


@real_data
def test_olist(tmp_path):
    report, workspace = load("olist", tmp_path)
    assert report.tables["leads"] == 5_345
    deals = report.files[1].tables[0]
    assert (deals.rows, deals.stored, deals.quarantined) == (336, 335, 1)
    assert workspace.scan("quarantine").collect()["waiting"].to_list() == [True]
    assert [attribute.name for attribute in workspace.tables_info().attributes] == ["landing_page", "origin"]


@real_data
def test_xeducation(tmp_path):
    report, workspace = load("xeducation", tmp_path)
    assert (report.tables["leads"], report.tables["stages"], report.clock) == (6_468, 2_454, "order")
    leads = workspace.scan("leads").collect()
    assert "Select" not in set(leads["city"]) | set(leads["specialization"])
    unknown = {a.name for a in workspace.tables_info().attributes if a.known_at == "unknown"}
    assert unknown == {
        "tags", "lead_quality", "lead_profile", "activity_index", "profile_index", "activity_score", "profile_score",
        "last_activity", "last_notable_activity",
    }  # fmt: skip
    late = (
        workspace.scan("stages")
        .join(workspace.scan("leads"), on="lead_id")
        .filter(pl.col("entered_at") <= pl.col("created_at"))
    )
    assert late.collect().height == 0
