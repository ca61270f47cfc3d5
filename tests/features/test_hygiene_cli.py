import json

import polars as pl
from typer.testing import CliRunner

from leadlight.__main__ import build_app
from tests.features.hygiene_market import activity, tables
from tests.features.test_hygiene import publish

ROWS = [
    activity("1"),
    activity("2", 0.5),
    activity("3", 9, detail="Barracuda"),
    activity("4", 9, lead_id="b", detail="Mimecast"),
]


def run(*words):
    return CliRunner().invoke(build_app(), ["features", "hygiene", *map(str, words)])


def test_the_report_counts_names_and_writes(tmp_path):
    room = publish(tmp_path, tables(ROWS))
    done = run("--workspace", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["causes"] == {"duplicate": 1, "scanner_agent": 2}
    assert answer["kept"]["activities"] == 1
    assert [lead["lead_id"] for lead in answer["leads"]] == ["a", "b"]
    written = pl.read_parquet(room.set_aside_path("activities", "g1"))
    assert sorted(written["activity_id"]) == ["2", "3", "4"]
    shown = run("--workspace", tmp_path)
    assert "4 rows = 1 kept + 3 set aside" in shown.stdout
    assert "a (2), b (1)" in shown.stdout


def test_a_merge_map_may_be_given(tmp_path):
    publish(tmp_path / "ws", tables(ROWS))
    merges = tmp_path / "known.csv"
    merges.write_text("lead_id,into_lead_id\nb,a\n", encoding="utf-8")
    done = run("--workspace", tmp_path / "ws", "--merges", merges, "--json")
    assert json.loads(done.stdout)["causes"]["merged_lead"] == 1
