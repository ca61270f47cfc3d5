"""`leadlight score --engine pyspark` writes the table of `leadlight score`."""

import json
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from leadlight import bundle as bundles
from leadlight.errors import InputError
from scoring import cluster
from tests.scoring import market
from tests.scoring.conftest import KEY
from tests.scoring.test_cli import run


def test_the_open_leads_of_a_workspace_score_alike_on_a_cluster(spark, workspace, tmp_path, capsys):
    """By a bundle of few features: each costs a stage. `test_spark` compares a whole one."""
    made = market.bundle("rules")
    bundles.save(made, workspace.bundle_path(made.version), KEY)
    workspace.set_current(made.version)
    words = ("score", "--lang", "ja", "--workspace", workspace.root, "--json")
    on = ("--engine", "pyspark", "--master", spark.sparkContext.master)
    here = json.loads(run(capsys, *words, "--out", tmp_path / "here.parquet").out)
    there = json.loads(run(capsys, *words, "--out", tmp_path / "there.parquet", *on).out)
    spark.catalog.clearCache()
    assert {**there, "out": ""} == {**here, "out": ""}
    found, wanted = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("there", "here"))
    assert wanted.height > 50
    assert_frame_equal(found.drop("scored_at"), wanted.drop("scored_at"), rel_tol=1e-9, abs_tol=1e-9)


def test_a_table_cut_short_is_said_before_spark_begins(spark, workspace, tmp_path, capsys):
    made = market.bundle("rules")
    bundles.save(made, workspace.bundle_path(made.version), KEY)
    workspace.set_current(made.version)
    path = workspace.table_path("attribute_changes", workspace.tables_info().generation)
    path.write_bytes(path.read_bytes()[:-1])
    assert "attribute_changes.parquet` is cut short" in refused(capsys, workspace, tmp_path / "s.csv")


def test_only_spark_is_a_cluster():
    assert cluster.is_asked("pyspark", "local[1]")
    assert not cluster.is_asked("polars", None)
    with pytest.raises(InputError, match="`duckdb` does not exist"):
        cluster.is_asked("duckdb", None)
    with pytest.raises(InputError, match="--master is for --engine pyspark"):
        cluster.is_asked("polars", "local[1]")


def refused(capsys, workspace, out):
    words = ("score", "--engine", "pyspark", "--out", out, "--workspace", workspace.root)
    said = run(capsys, *words, status=2).err
    assert not out.exists()
    return said


def test_without_pyspark_the_extra_is_named(workspace, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "features.engines.spark", None)
    assert "leadlight[spark]" in refused(capsys, workspace, tmp_path / "s.csv")


def test_a_card_alone_is_not_scored_on_a_cluster(workspace, tmp_path, capsys):
    (workspace.bundles / "current").unlink()
    assert "leave --engine out" in refused(capsys, workspace, tmp_path / "s.csv")
