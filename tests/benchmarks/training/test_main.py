import json
from dataclasses import replace

import pytest

from benchmarks.commit import Commit
from benchmarks.training import __main__ as command
from benchmarks.training.bars import KEYS
from benchmarks.training.parts import PARTS
from leadlight.errors import NotEnoughDataError
from tests.benchmarks.training.test_bars import GOOD
from tests.benchmarks.training.test_runs import BESIDE


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Let every part find what is well, at once, with or without the extra `bench` in the environment."""
    monkeypatch.setattr("benchmarks.training.flaml_search.installed", lambda: True)
    for name in PARTS:
        give(monkeypatch, name)


def give(monkeypatch, name, **other):
    part = PARTS[name]
    more = {**BESIDE, "leaks": ("leaks_found_weak",)}
    figures = {**GOOD, "leaks_found_weak": 3, **other}
    details = {"sets": ["olist 0", "simulator 0", "simulator 1"]} if name == "leaks" else {"simulator": name}

    def measure(asked, seeds):
        asked.say(f"{name} of {seeds}")
        return {**{key: figures[key] for key in (*part.keys, *more.get(name, ()))}, "details": details}

    monkeypatch.setitem(PARTS, name, replace(part, measure=measure))


@pytest.fixture
def data(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "check_files", lambda _: None)
    return ["--data", str(tmp_path)]


def answer_of(capsys):
    return json.loads(capsys.readouterr().out)


def test_every_key_of_the_issue_comes_from_one_part():
    keys = [key for part in PARTS.values() for key in part.keys]
    assert sorted(keys) == sorted(KEYS)


def test_one_object_holds_every_key_and_every_bar(capsys, data):
    assert command.run([*data, "--json"]) == 0
    answer = answer_of(capsys)
    assert {key: answer[key] for key in KEYS} == {key: GOOD[key] for key in KEYS}
    assert answer["leaks_found_weak"] == 3
    assert answer["not_run"] == {}
    assert set(answer["bars"].values()) == {True}
    assert set(answer["details"]) == set(answer["seconds"]) == set(PARTS)
    alone = {name: ["simulator"] for name in PARTS}
    others = {"leaks": ["olist", "simulator"], "xeducation": ["xeducation"], "resume": ["drawn rows"]}
    assert answer["sets"] == alone | others


def test_without_the_folder_only_the_simulator_is_measured_and_it_is_said(capsys):
    assert command.run(["--json"]) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert set(answer["not_run"]) == {"xeducation_auc_after_gate", "xeducation_rename_changes"}
    assert "simulator only" in answer["not_run"]["xeducation_auc_after_gate"]
    assert answer["xeducation_auc_after_gate"] is None
    assert answer["bars"]["xeducation_auc_after_gate"] is None
    assert set(answer["sets"]) == set(PARTS) - {"xeducation"}
    assert "xeducation: not run: --data was not given: simulator only" in told.err


def test_parts_that_are_not_asked_for_are_named(capsys, data):
    assert command.run([*data, "--only", "resume", "segments", "--seeds", "2", "--json"]) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert answer["interval_coverage"] == 0.9
    assert set(answer["not_run"]) == set(KEYS) - {"interval_coverage", "resume_lost_trials"}
    assert set(answer["not_run"].values()) == {"left out by --only"}
    assert "segments of 2" in told.err
    assert "resume of 1" in told.err


def test_the_sets_are_those_that_were_measured(capsys, data, monkeypatch):
    """Not those that could have been, with the folder there."""
    records = {"simulator": [], "olist": []}
    found = {"ladder_worse_than_rules": [], "ladder_far_worse_share": {}, "details": records}
    monkeypatch.setitem(PARTS, "ladder", replace(PARTS["ladder"], measure=lambda *_: dict(found)))
    assert command.run([*data, "--only", "ladder", "--records", "simulator", "olist", "--json"]) == 0
    assert answer_of(capsys)["sets"] == {"ladder": ["simulator", "olist"]}


def test_it_is_said_which_code_was_measured_and_with_which_seeds(capsys, monkeypatch):
    codes = [Commit("aaaaaaa", dirty=True)]
    monkeypatch.setattr(command, "commit", codes.pop)
    assert command.run(["--only", "resume", "oracle", "--json"]) == 0
    code = {"hash": "aaaaaaa", "dirty": True}
    measured = {"oracle": {"seeds": [0, 1, 2], "commit": code}, "resume": {"seeds": [0], "commit": code}}
    assert answer_of(capsys)["measured"] == measured


def test_outside_a_repository_no_code_is_named(capsys, monkeypatch):
    monkeypatch.setattr(command, "commit", lambda: None)
    assert command.run(["--only", "segments", "--seeds", "2", "--json"]) == 0
    assert answer_of(capsys)["measured"] == {"segments": {"seeds": [0, 1], "commit": None}}


def test_flaml_that_is_not_there_is_named_with_its_extra(capsys, data, monkeypatch):
    monkeypatch.setattr("benchmarks.training.flaml_search.installed", lambda: False)
    assert command.run([*data, "--json"]) == 0
    answer = answer_of(capsys)
    assert answer["flaml"] is None
    assert "extra `bench`" in answer["not_run"]["flaml"]


def test_a_bar_that_is_missed_ends_with_1_and_is_shown(capsys, data, monkeypatch):
    give(monkeypatch, "oracle", oracle_gap=0.02)
    assert command.run(data) == 1
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "MISSED" in lines["oracle_gap"]
    assert "held" in lines["leaks_found"]


def test_a_part_that_fails_leaves_the_others_and_ends_with_2(capsys, data, monkeypatch):
    def fails(_asked, _seeds):
        raise NotEnoughDataError("no lead")

    monkeypatch.setitem(PARTS, "ladder", replace(PARTS["ladder"], measure=fails))
    assert command.run([*data, "--json"]) == 2
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert answer["not_run"] == dict.fromkeys(PARTS["ladder"].keys, "failed: no lead")
    assert answer["resume_lost_trials"] == 0
    assert "ladder: error: no lead" in told.err


def test_what_was_found_is_told_and_written_after_each_part(capsys, data, monkeypatch, tmp_path):
    def stopped(_asked, _seeds):
        raise KeyboardInterrupt

    out = tmp_path / "figures.json"
    monkeypatch.setitem(PARTS, "calibration", replace(PARTS["calibration"], measure=stopped))
    with pytest.raises(KeyboardInterrupt):
        command.run([*data, "--json", "--out", str(out)])
    told = capsys.readouterr()
    assert told.out == ""
    assert '"ladder_win_share_25": 0.94' in told.err
    so_far = json.loads(out.read_text(encoding="utf-8"))
    assert so_far["ladder_win_share_25"] == 0.94
    assert so_far["not_run"]["ece_newest"] == "not yet"
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_the_written_file_is_the_answer(capsys, data, tmp_path):
    out = tmp_path / "figures.json"
    assert command.run([*data, "--json", "--out", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8")) == answer_of(capsys)


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--only", "nothing"]])
def test_bad_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.run(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_folder_that_is_not_there_ends_with_2(capsys, tmp_path):
    assert command.run(["--data", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err
