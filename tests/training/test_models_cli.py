import json
import shutil

import pytest

from leadlight.__main__ import main
from tests.training.variants import LEAK, saved, worse
from training import models_cli  # noqa: F401  (what is tested, by the command)

OLD, NEW = "20200101T000000-old", "20300101T000000-new"


@pytest.fixture
def run(trained, capsys):
    """Give a function that runs a `leadlight models` command and gives (stdout, stderr)."""

    def call(*words, status=0, workspace=trained[0].root):
        with pytest.raises(SystemExit) as left:
            main(["models", *map(str, words), "--workspace", str(workspace)])
        said = capsys.readouterr()
        assert left.value.code == status, said.err
        return said

    return call


def test_a_challenger_becomes_champion_and_goes_again(trained, run):
    room, model = trained
    saved(room, model, OLD)
    saved(room, model, NEW)
    found = json.loads(run("list", "--json").out)
    assert (found["current"], found["champion"]) == (None, None)
    assert [line["version"] for line in found["models"]] == [NEW, model.bundle.version, OLD]
    assert f"{OLD} serves from now on" in run("promote", OLD).out
    done = json.loads(run("promote", NEW, "--json").out)
    assert (done["promoted"], done["previous"], done["comparison"]["b"]) == (True, OLD, OLD)
    assert f"-> {NEW}" in run("list").out
    assert json.loads(run("list", "--json").out)["champion"] == NEW
    back = json.loads(run("rollback", "--json").out)
    assert (back["version"], back["promoted"], back["comparison"]) == (OLD, True, None)
    assert "nothing served before" in run("rollback", status=2).err


def test_a_refusal_exits_1_with_the_table(trained, run):
    room, model = trained
    saved(room, model, OLD)
    run("promote", OLD)
    worse(room, model, NEW)
    said = run("promote", NEW, status=1)
    assert f"difference to {OLD}" in said.out
    assert "against it: it is worse than the champion" in said.out
    refused = json.loads(run("promote", NEW, "--json", status=1).out)
    assert refused["promoted"] is False
    assert refused["comparison"]["differences"]["auc"]["b"]["verdict"] == "worse"
    assert room.current_version() == OLD
    assert "because: the data moved" in run("promote", NEW, "--because", "the data moved").out
    assert room.current_version() == NEW


def test_a_champion_that_cannot_be_read_is_told(trained, run):
    room, model = trained
    saved(room, model, OLD)
    run("promote", OLD)
    (room.bundle_path(OLD) / "scorer.json").write_text("{}")
    saved(room, model, NEW)
    said = run("promote", NEW).out
    assert "note: not compared with what serves, which cannot be read" in said
    assert f"{NEW} serves from now on instead of {OLD}" in said


def test_a_list_exits_1_where_what_serves_cannot_be_trusted(trained, run):
    room, model = trained
    saved(room, model, OLD)
    (room.bundle_path(OLD) / "scorer.json").write_text("{}")
    run("list")
    room.set_current(OLD)
    assert "TAMPERED" in run("list", status=1).out
    assert json.loads(run("list", "--json", status=1).out)["current"] == OLD


def test_a_folder_that_was_copied_is_called_so(trained, run):
    room, model = trained
    shutil.copytree(room.bundle_path(model.bundle.version), room.bundle_path(NEW))
    said = run("list").out
    assert "RENAMED OR COPIED" in said
    assert "TAMPERED" not in said
    room.set_current(NEW)
    assert json.loads(run("list", "--json", status=1).out)["models"][0]["state"] == "renamed or copied"


def test_a_leak_exits_1_whatever_is_said(trained, run):
    room, model = trained
    saved(room, model, NEW, audit=[LEAK])
    refused = json.loads(run("promote", NEW, "--because", "please", "--json", status=1).out)
    assert refused["leaks"] == ["`later`: it is filled after the outcome"]
    assert json.loads(run("list", "--json").out)["models"][0]["audit"] == "leak"


def test_two_bundles_are_compared(trained, run):
    room, model = trained
    saved(room, model, OLD)
    worse(room, model, NEW)
    found = json.loads(run("compare", NEW, OLD, "--json").out)
    assert (found["a"], found["b"], found["ages"]) == (NEW, OLD, ["1d", "7d"])
    assert found["rows"] == model.comparison.rows
    assert found["differences"]["log_loss"]["b"]["verdict"] == "worse"
    room.set_current(OLD)
    later = json.loads(run("compare", NEW, "--from", "2025-06-15", "--to", "2025-08-01", "--ages", "7d", "--json").out)
    assert (later["from"], later["to"], later["ages"]) == ("2025-06-15", "2025-08-01", ["7d"])
    assert later["rows"] < found["rows"]
    said = run("compare", NEW)
    assert f"difference to {OLD}" in said.out
    assert "nothing can be said" not in said.err
    nothing = run("compare", NEW, "--from", "2025-10-01", "--json")
    assert json.loads(nothing.out)["rows"] == 0
    assert "note: nothing can be said" in nothing.err


def test_bad_input_is_one_line(trained, run, tmp_path):
    room, model = trained
    saved(room, model, OLD)
    saved(room, model, NEW, target="customer")
    for words, problem in (
        (("promote", "unknown"), "models list"),
        (("promote", OLD, "--because", ""), "the reason is empty"),
        (("compare", OLD), "no current bundle"),
        (("compare", OLD, OLD), "the same bundle twice"),
        (("compare", OLD, NEW), "mean different things"),
        (("compare", OLD, model.bundle.version, "--from", "once"), "--from `once`"),
        (("rollback",), "no current bundle"),
    ):
        said = run(*words, status=2)
        assert problem in said.err
        assert said.out == ""
        assert said.err.splitlines()[-1].startswith("error: ")
    assert "no current bundle" in run("sync", status=2, workspace=tmp_path / "typo").err
    assert not (tmp_path / "typo").exists()


def test_a_server_that_is_away_changes_no_exit_status(trained, run, monkeypatch):
    room, model = trained
    saved(room, model, OLD)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    run("promote", OLD)
    assert run("list").err == ""
    said = run("sync", status=1)
    assert "cannot be reached" in said.err
    assert json.loads(run("sync", "--json", status=1).out)["problem"]


@pytest.mark.parametrize("verb", ["list", "compare", "promote", "rollback", "sync"])
def test_every_verb_has_an_example(run, capsys, verb):
    with pytest.raises(SystemExit):
        main(["models", verb, "--help"])
    assert "Example:" in capsys.readouterr().out
