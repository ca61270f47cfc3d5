import json
import re
from dataclasses import replace
from shutil import copytree

import pytest

from features import catalog
from leadlight.__main__ import main
from leadlight.bundle import Bundle, Scorer, save, signing_key
from leadlight.ingest.pipeline import ingest
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A workspace with a small simulated market."""
    folder = tmp_path_factory.mktemp("features_cli")
    write_market(folder / "market", Options(300, seed=1))
    found = Workspace.at(folder / "workspace")
    ingest(folder / "market" / "mapping.yaml", folder / "market" / "raw", found)
    return found


def run(capsys, room, *words, status=0):
    with pytest.raises(SystemExit) as left:
        main(["features", *map(str, words), "--workspace", str(getattr(room, "root", room))])
    said = capsys.readouterr()
    assert left.value.code == status, said.err
    return said


def test_suggest_prints_a_catalog_that_can_be_read_again(room, capsys, tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text(run(capsys, room, "suggest").out, encoding="utf-8")
    specs = catalog.load(path)
    assert len(specs) == 64
    assert {"rhythm", "company", "touches", "fit"} <= {spec.family for spec in specs}


def test_suggest_tells_no_instant_where_there_is_no_clock(room, capsys, tmp_path):
    timeless = Workspace.at(tmp_path / "ws")
    copytree(room.root, timeless.root)
    timeless.publish_tables(replace(room.tables_info(), clock="order"))
    said = run(capsys, timeless, "suggest", "--most", "5", "--out", tmp_path / "c.yaml")
    assert "reading what is known, without a clock" in said.err
    assert not re.search(r"\d{4}-\d\d-\d\d", said.err + said.out.replace(str(tmp_path), ""))


def test_suggest_writes_a_file_and_one_json_object(room, capsys, tmp_path):
    out = tmp_path / "new" / "catalog.yaml"
    said = run(capsys, room, "suggest", "--most", "20", "--before", "2025-01-01", "--out", out, "--json")
    answer = json.loads(said.out)
    assert (answer["features"], answer["before"], answer["out"]) == (20, "2025-01-01", str(out))
    assert sum(answer["families"].values()) == 20
    assert [spec.to_json() for spec in catalog.load(out)] == answer["specs"]
    assert "reading what was known before 2025-01-01" in said.err
    again = run(capsys, room, "suggest", "--out", out, status=2)
    assert "exists already" in again.err
    assert "20 features" in run(capsys, room, "suggest", "--most", "20", "--out", tmp_path / "other.yaml").out


def test_suggest_reads_nothing_after_the_date(room, capsys):
    said = run(capsys, room, "suggest", "--before", "2000-01-01", status=2)
    assert "nothing to learn from" in said.err
    assert "error: --before `soon`" in run(capsys, room, "suggest", "--before", "soon", status=2).err


def test_suggest_takes_settings_and_tells_what_never_occurs(room, capsys, tmp_path):
    settings = tmp_path / "features.yaml"
    settings.write_text(
        "most_features: 30\ndrop: [recency]\n"
        "add:\n  - {name: mine, family: frequency, measure: count, types: [pricing_veiw]}\n"
    )
    answer = json.loads(run(capsys, room, "suggest", "--settings", settings, "--json").out)
    names = [spec["name"] for spec in answer["specs"]]
    assert (len(names), "mine" in names, "recency" in names) == (31, True, False)
    assert answer["warnings"] == [
        "feature `mine`: activity type `pricing_veiw` never occurs in the data; did you mean `pricing_view`?"
    ]
    settings.write_text("most_featurs: 30\n")
    assert (
        "line 1: unknown key `most_featurs`; did you mean"
        in run(capsys, room, "suggest", "--settings", settings, status=2).err
    )


def test_suggest_in_a_workspace_without_tables_says_what_to_do(tmp_path, capsys):
    assert "run `leadlight ingest" in run(capsys, tmp_path, "suggest", status=2).err


def test_show_explains_what_is_suggested(room, capsys):
    answer = json.loads(run(capsys, room, "show", "--json").out)
    assert answer["catalog"] == "Suggested catalog"
    assert len(answer["features"]) == 64
    for row in answer["features"]:
        assert all(row[key] for key in ("name", "family", "measure", "meaning", "unit", "window", "null"))
    said = run(capsys, room, "show")
    assert "Suggested catalog: 64 features" in said.out


def test_show_explains_a_file_even_without_data(capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("- {name: calls, family: frequency, measure: count, types: [call], window_days: 7}\n")
    answer = json.loads(run(capsys, tmp_path / "none", "show", path, "--json").out)
    assert (answer["catalog"], answer["warnings"]) == ("mine.yaml", [])
    assert answer["features"][0]["meaning"] == "How many selected activities there were (calls)."
    path.write_text("- {name: calls, family: frequency, measure: cuont}\n")
    assert "mine.yaml line 1" in run(capsys, tmp_path / "none", "show", path, status=2).err


def test_show_compares_a_file_with_the_data_there_is(room, capsys, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("- {name: a, family: fit, measure: missing, attribute: industri}\n")
    assert "did you mean `industry`" in run(capsys, room, "show", path, status=2).err
    path.write_text("- {name: a, family: frequency, measure: count, channel: wbe}\n")
    said = run(capsys, room, "show", path)
    assert "note: feature `a`: channel `wbe` never occurs in the data; did you mean `web`?" in said.err


def test_show_markdown_is_the_page(room, capsys):
    text = run(capsys, room, "show", "--markdown").out
    assert text.startswith("# Features\n")
    assert "## Suggested catalog\n\n64 features." in text


def test_show_explains_a_bundle(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "0" * 32)
    found = Workspace.at(tmp_path)
    specs = (FeatureSpec("last", "recency", "days_since_last"),)
    scorer = Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}, specs=specs)
    save(Bundle("v1", scorer), found.bundle_path("v1"), signing_key())
    found.set_current("v1")
    for words in (("--bundle", "v1"), ("--bundle", "current")):
        answer = json.loads(run(capsys, found, "show", *words, "--json").out)
        assert (answer["catalog"], [row["name"] for row in answer["features"]]) == ("Bundle v1", ["last"])
    assert "bundle `v2` is not in" in run(capsys, found, "show", "--bundle", "v2", status=2).err
    assert "not both" in run(capsys, found, "show", "x.yaml", "--bundle", "v1", status=2).err
