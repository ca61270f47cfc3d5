import json
import shutil

import polars as pl
import pytest

from benchmarks.features import __main__ as command
from benchmarks.features import figures, timing, work
from benchmarks.features.bars import KEYS, WITHOUT_BAR, bars_of
from benchmarks.features.compare import scan
from benchmarks.features.page import page

SMALL = ["--activities", "10000", "--runs", "1", "--engines", "polars", "pandas", "--no-cluster"]


def done_here(one):
    """Do work in this process: the start of a process takes longer than the work at this size."""
    shutil.rmtree(one.out, ignore_errors=True)
    seconds = work.run(one.name, one.workspace, one.snapshots, one.out, master=one.master, old=one.old)
    rows = scan(one.out).select(pl.len()).collect().item()
    return {"seconds": seconds, "peak_mb": work.peak_mb(), "rows": rows}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Run everything but the pieces that need minutes, at the smallest size."""
    scratch, out = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("page") / "scale.md"
    arguments = [*SMALL, "--scratch", str(scratch), "--out", str(out), "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "_done", done_here)
        patch.setattr(figures, "PROCESSES", 1)
        patch.setattr(figures, "GROWTH", 2)
        printed = []
        patch.setattr("builtins.print", lambda text, **_: printed.append(text))
        status = command.run(arguments)
    return status, json.loads(printed[0]), out.read_text(encoding="utf-8"), scratch


def test_the_answer_holds_every_key(measured):
    status, answer, _, _ = measured
    assert status == 0
    assert {*KEYS, *WITHOUT_BAR} <= set(answer)
    for key in (*KEYS[:-1], *WITHOUT_BAR):
        assert answer[key] > 0, key
    assert answer["parity_cells"] == 2 * 200 * 8 * 64
    assert answer["parity_differences"] == 0


def test_the_page_holds_what_was_measured(measured):
    _, answer, text, _ = measured
    for key in (*KEYS, *WITHOUT_BAR):
        assert f"`{key}`" in text
    assert f"{answer['hygiene_ratio']:.2f} times" in text
    assert f"{answer['details']['ratio_same_allocator']:.2f} times as long as it" in text
    assert "do not edit" in text
    assert f"{answer['details']['engines']['polars']['activities']:,}" in text
    assert "| `pandas` |" in text


def test_the_scratch_folder_is_left_empty(measured):
    assert list(measured[3].iterdir()) == []


def test_what_is_not_measured_is_null_and_no_bar_is_passed_by_it():
    bars = bars_of({"online_us": 150.0, "parity_cells": 10, "incremental_ratio": 0.2, "incremental_bar": 0.25})
    told = {bar.key: (bar.passed, bar.found) for bar in bars}
    assert told["online_us"] == (True, "150")
    assert told["parity_cells"] == (False, "10")
    assert told["incremental_ratio"] == (True, "0.2")
    assert next(bar.demand for bar in bars if bar.key == "incremental_ratio").endswith(": 0.25 here")
    assert told["peak_mb"] == (False, "not measured")


def test_a_page_of_a_part_leaves_the_others_out():
    details = {"cores": 2, "memory_gb": 24.0, "features": 64, "runs": 3, "versions": {"Python": "3"}}
    text = page({}, details, bars_of({}))
    assert "not measured" in text
    assert "By engine" not in text


def test_differing_tables_give_no_ratio_and_status_1(monkeypatch, tmp_path):
    compared = figures.compare

    def other(ours, theirs, specs):
        found = compared(ours, theirs, specs)
        return type(found)(found.cells, 1, {"count": 1})

    monkeypatch.setattr(timing, "_done", done_here)
    monkeypatch.setattr(figures, "compare", other)
    assert command.run([*SMALL, "--only", "handwritten", "--scratch", str(tmp_path), "--json"]) == 1


@pytest.mark.parametrize("arguments", [["--activities", "9"], ["--runs", "0"], ["--only", "nothing"]])
def test_bad_arguments_end_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.run(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_work_is_done_in_a_process_of_its_own(tmp_path):
    bench = figures.Bench(10_000, 1, tmp_path, ("polars",), cluster=False, say=lambda _: None)
    (took,) = timing.timed([bench.work("handwritten_polars", 10_000)], 2, bench.say)
    assert len(took.runs) == 2
    assert 0 < took.seconds < 60
    assert 20 < took.peak_mb < 2_000
    assert took.rows == 200


def test_a_process_that_fails_says_why(tmp_path):
    bench = figures.Bench(10_000, 1, tmp_path, ("polars",), cluster=False, say=lambda _: None)
    with pytest.raises(RuntimeError, match="nonsense"):
        timing.timed([bench.work("nonsense", 10_000)], 1, bench.say)
