import pytest

from benchmarks.training.bars import KEYS
from benchmarks.training.parts import PARTS
from benchmarks.training.runs import merged
from leadlight.errors import InputError
from tests.benchmarks.training.test_bars import GOOD
from tests.benchmarks.training.test_sections import DETAILS, LINE, LINE_25

# Figures that a part gives beside its keys.
BESIDE = {
    "xeducation": ("xeducation_used_but_must_not",),
    "calibration": ("ece_after_shift_bar",),
    "segments": (
        *("interval_coverage_by_score", "interval_true_below", "interval_true_above"),
        "interval_segments",
    ),
    "oracle": ("oracle_gap_standard_error", "oracle_gap_worst", "oracle_markets"),
    "ladder": ("ladder_far_worse_share",),
    "resume": ("resume_same_result",),
}


def run_of(parts, *, details=None, measured=None, **figures):
    """Make what `--out` writes when these parts were measured; `measured=None`: as an earlier version wrote it."""
    keys = {key for name in parts for key in PARTS[name].keys}
    found = {**GOOD, **figures}
    beside = {key for name in parts for key in BESIDE.get(name, ())}
    return {
        **dict.fromkeys(KEYS),
        **{key: found[key] for key in keys | beside},
        "not_run": dict.fromkeys(set(KEYS) - keys, "left out by --only"),
        "sets": {},
        "seconds": dict.fromkeys(parts, 12.3),
        "details": {name: DETAILS[name] for name in parts} | (details or {}),
        "bars": {},
        "cores": 2,
        "versions": {"Python": "3.11", "numpy": "2.3"},
        **({} if measured is None else {"measured": dict.fromkeys(parts, measured)}),
    }


def told(seeds, name, *, dirty=False):
    return {"seeds": list(range(seeds)), "commit": {"hash": name, "dirty": dirty}}


def test_runs_of_different_parts_come_together_and_the_last_counts():
    first = run_of(["ladder", "leaks"], leaks_found=1)
    found = merged([first, run_of(["xeducation"]), run_of(["leaks"], leaks_found=72)])
    assert found.figures["leaks_found"] == 72
    assert found.figures["ladder_win_share_25"] == LINE_25["win_share_fitted"]
    assert found.figures["xeducation_used_but_must_not"] == []
    assert [one.part for one in found.measured] == ["leaks", "xeducation", "ladder"]
    assert set(found.details) == {"leaks", "xeducation", "ladder"}
    assert set(found.figures) <= {*GOOD, "ladder_win_share_25_prior"}
    assert "flaml" not in found.figures


def test_an_earlier_figure_is_not_lost_when_a_later_run_left_its_part_out():
    found = merged([run_of(["leaks"], leaks_found=70), run_of(["ladder"])])
    assert found.figures["leaks_found"] == 70


def test_what_was_measured_is_told_with_its_code_its_seeds_and_its_machine():
    runs = [run_of(["leaks"], measured=told(3, "aaaaaaa")), run_of(["oracle"], measured=told(1, "bbbbbbb", dirty=True))]
    leaks, oracle, flaml = merged([*runs, run_of(["flaml"])]).measured
    assert (leaks.seeds, leaks.commit) == (3, "aaaaaaa")
    assert (oracle.seeds, oracle.commit) == (1, "bbbbbbb + changes")
    assert (flaml.seeds, flaml.commit) == (None, None)
    assert leaks.machine == "2 cores; Python 3.11, numpy 2.3"
    assert leaks.seconds == 12.3


def test_outside_a_repository_seeds_are_told_alone():
    (one,) = merged([run_of(["leaks"], measured={"seeds": [0, 1], "commit": None})]).measured
    assert (one.seeds, one.commit) == (2, None)


def ladder_run(name, win_share, *records):
    line = {**LINE, "wins": 25, "win_share_fitted": win_share, "worse": win_share < 0.6, "of": name}
    lines = {record: [line] for record in records}
    return run_of(["ladder"], details={"ladder": lines}, measured=told(5, name), ladder_win_share_25=win_share)


def test_the_ladder_s_records_come_together_and_a_later_run_replaces_those_that_it_measured():
    runs = [ladder_run("aaaaaaa", 0.5, "simulator", "bpic2012", "olist"), ladder_run("bbbbbbb", 0.9, "simulator")]
    found = merged(runs)
    assert {record: lines[0]["of"] for record, lines in found.details["ladder"].items()} == {
        "simulator": "bbbbbbb",
        "bpic2012": "aaaaaaa",
        "olist": "aaaaaaa",
    }
    assert found.figures["ladder_win_share_25"] == 0.9
    assert found.figures["ladder_worse_than_rules"] == ["bpic2012 25", "olist 25"]
    assert [(one.records, one.commit) for one in found.measured] == [
        (("bpic2012", "olist"), "aaaaaaa"),
        (("simulator",), "bbbbbbb"),
    ]
    whole = merged(runs[::-1])
    assert [(one.records, one.commit) for one in whole.measured] == [(("simulator", "bpic2012", "olist"), "aaaaaaa")]
    assert whole.figures["ladder_win_share_25"] == 0.5


def test_lines_of_the_ladder_that_lack_something_are_named():
    run = ladder_run("aaaaaaa", 0.5, "simulator")
    del run["details"]["ladder"]["simulator"][0]["worse"]
    with pytest.raises(InputError, match="'worse' is missing in the details of ladder"):
        merged([run])


@pytest.mark.parametrize("run", [{"seconds": {}}, [], 3])
def test_what_holds_no_figures_is_refused(run):
    with pytest.raises(InputError, match="figures: "):
        merged([run])


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="'not_run' is missing"):
        merged([{"seconds": {}}])
