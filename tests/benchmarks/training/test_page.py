import json

import pytest

from benchmarks.training import page
from benchmarks.training.parts import PARTS
from benchmarks.training.runs import merged
from tests.benchmarks.training.test_runs import ladder_run, run_of, told


def measured(*parts, **figures):
    return run_of(parts, measured=told(3, "aaaaaaa"), **figures)


@pytest.mark.parametrize("code", [None, {"seeds": [0, 1], "commit": None}])
def test_a_part_without_the_commit_that_it_was_measured_on_is_refused(tmp_path, capsys, code):
    figures, out = tmp_path / "figures.json", tmp_path / "trust.md"
    figures.write_text(json.dumps(run_of(["leaks"], measured=code)), encoding="utf-8")
    assert page.run([str(figures), "--out", str(out)]) == 2
    assert "error: figures: leaks does not say on which commit it was measured" in capsys.readouterr().err
    assert not out.exists()
    newer = tmp_path / "newer.json"
    newer.write_text(json.dumps(measured("leaks")), encoding="utf-8")
    assert page.run([str(figures), str(newer), "--out", str(out)]) == 0


def test_the_page_holds_every_figure_with_its_bar():
    text = page.page(merged([measured("leaks", "ladder", "oracle", oracle_gap=0.0111), measured("flaml")]))
    lines = text.splitlines()
    found = "0.0111 (mean of 3 markets; standard error 0.0004, worst market 0.0105)"
    assert f"| `oracle_gap` | AUC at most 0.01 below the oracle's, as a mean of markets | {found} | **no** |" in lines
    assert "| `shift_alarm` | raised when the base rate moves from 5 % to 20 % | - | - |" in lines
    assert "| status synonym | 3/3 | 3/3 | 2/3 |" in lines
    headings = [line for line in lines if line.startswith("## ")]
    assert len(headings) == len(set(headings)) == 6
    assert (headings[0], headings[-1]) == ("## Bars", "## Runs")


def test_every_part_that_was_measured_has_a_section_in_their_order():
    text = page.page(merged([measured(*reversed(PARTS))]))
    assert text.count("\n## ") == len(PARTS) + 2
    assert text.index("## Planted leaks") < text.index("## X Education") < text.index("## Tuning, killed")


def test_the_last_table_says_which_code_was_measured_and_with_which_seeds():
    runs = [ladder_run("aaaaaaa", 0.9, "simulator", "olist"), ladder_run("bbbbbbb", 0.9, "simulator")]
    runs += [
        run_of(["leaks"], measured=told(3, "aaaaaaa")),
        run_of(["resume"], measured=told(1, "ccccccc", dirty=True)),
    ]
    lines = page.page(merged(runs)).partition("## Runs")[2].splitlines()
    assert lines[4:] == [
        "| `leaks` | 12 | 0-2 | aaaaaaa |",
        "| `ladder`, olist | 12 | 0-4 | aaaaaaa |",
        "| `ladder`, simulator | 12 | 0-4 | bbbbbbb |",
        "| `resume` | 12 | 0 | ccccccc + changes |",
    ]


def test_every_machine_is_told_once():
    runs = [measured("leaks"), measured("oracle"), {**measured("resume"), "cores": 8}]
    text = page.page(merged(runs))
    assert "Measured on 2 cores; Python 3.11, numpy 2.3, and on 8 cores; Python 3.11, numpy 2.3." in text


def test_the_command_writes_the_page(tmp_path):
    figures, out = tmp_path / "figures.json", tmp_path / "trust.md"
    figures.write_text(json.dumps(measured("ladder")), encoding="utf-8")
    assert page.run([str(figures), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("# Can training be trusted\n")


@pytest.mark.parametrize("text", ["{}", "[]", "3", "{"])
def test_a_file_that_holds_no_figures_is_named_as_such_and_nothing_is_written(tmp_path, capsys, text):
    figures, out = tmp_path / "figures.json", tmp_path / "trust.md"
    figures.write_text(text, encoding="utf-8")
    assert page.run([str(figures), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not out.exists()
