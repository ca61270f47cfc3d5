import json
import subprocess
import sys

import pytest

from benchmarks import results
from benchmarks.measure import ROOT
from benchmarks.sets import QUESTIONS
from leadlight.errors import NotEnoughDataError
from tests.benchmarks.made import measured
from tests.benchmarks.test_bars import FACTS, REFUSED


def outcome(good):
    def measure(question, _data, *, say, progress):
        say("begin")
        progress(1, 2)
        kind = "base_rate" if question.key == "olist" else "lightgbm"
        return measured(question, good=good, kind=kind, facts=FACTS, why=REFUSED)

    return measure


@pytest.fixture
def made(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "check_files", lambda _data: None)

    def run(*arguments, good=True):
        monkeypatch.setattr(results, "measure", outcome(good))
        return results.run(["--data", str(tmp_path), "--out", str(tmp_path / "results.md"), *arguments])

    return run


def test_json_is_one_object_on_stdout(made, tmp_path, capsys):
    assert made("--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["passed"] is True
    assert [result["data_set"] for result in found["results"]] == [question.key for question in QUESTIONS]
    assert {"lightgbm", "scikit-learn", "Python"} <= set(found["versions"])
    assert "bpic2012: begin" in err
    assert (tmp_path / "results.md").read_text().startswith("# Results on public data")


def test_the_figures_are_printed_and_a_missed_bar_is_a_problem(made, tmp_path, capsys):
    assert made(good=False) == 1
    out, _ = capsys.readouterr()
    assert "MISSED  bpic2012" in out
    assert "passed  olist" in out
    assert "**no**" in (tmp_path / "results.md").read_text()


def test_an_error_leaves_no_page(made, monkeypatch, tmp_path, capsys):
    def fail(*_arguments, **_options):
        raise NotEnoughDataError("nothing to learn from")

    made()
    (tmp_path / "results.md").unlink()
    monkeypatch.setattr(results, "measure", fail)
    capsys.readouterr()
    assert results.run(["--data", str(tmp_path), "--out", str(tmp_path / "results.md"), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().endswith("error: nothing to learn from")
    assert list(tmp_path.iterdir()) == []


def test_without_the_data_it_says_which_option_is_wrong(tmp_path):
    command = [sys.executable, "-m", "benchmarks.results", "--data", str(tmp_path / "nowhere"), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: --data: folder")
    assert len(done.stderr.splitlines()) == 1
