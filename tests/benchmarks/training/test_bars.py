import pytest

from benchmarks.training.bars import KEYS, bars_of

SET = {"not_worse": {"log_loss": True, "auc": True}, "better_log_loss": True}
GOOD = {
    "leaks_found": 72,
    "leaks_planted": 72,
    "false_alarms": 0,
    "xeducation_auc_after_gate": 0.907,
    "xeducation_rename_changes": 0,
    "xeducation_used_but_must_not": [],
    "ladder_win_share_25": 0.94,
    "ladder_worse_than_rules": [],
    "ece_newest": 0.01,
    "ece_bar": 0.02,
    "ece_after_shift": 0.03,
    "ece_after_shift_bar": 0.04,
    "shift_alarm": True,
    "interval_coverage": 0.9,
    "interval_coverage_by_score": {"rules": 0.89, "model": 0.91},
    "oracle_gap": 0.008,
    "flaml": {"simulator": SET, "olist": SET},
    "resume_lost_trials": 0,
    "resume_same_result": True,
}
# Keys that a bar looks at beside its own.
BESIDE = {
    "xeducation_used_but_must_not": "xeducation_rename_changes",
    "interval_coverage_by_score": "interval_coverage",
    "resume_same_result": "resume_lost_trials",
}


def test_all_bars_hold_where_all_is_well():
    bars = bars_of(GOOD)
    assert [bar.key for bar in bars if not bar.held] == []
    assert {bar.word for bar in bars} == {"held"}
    assert {bar.key for bar in bars} == set(KEYS) - {"leaks_planted", "ece_bar"}


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("leaks_found", 71),
        ("false_alarms", 1),
        ("xeducation_auc_after_gate", 0.98),
        ("xeducation_rename_changes", 1),
        ("xeducation_used_but_must_not", ["Tags"]),
        ("ladder_win_share_25", 0.88),
        ("ladder_worse_than_rules", [50]),
        ("ece_newest", 0.021),
        ("ece_after_shift", 0.041),
        ("shift_alarm", False),
        ("interval_coverage", 0.94),
        ("interval_coverage_by_score", {"rules": 0.94, "model": 0.91}),
        ("oracle_gap", 0.011),
        ("flaml", {"simulator": SET, "olist": SET | {"not_worse": {"log_loss": False, "auc": True}}}),
        ("flaml", {"simulator": SET, "olist": SET | {"better_log_loss": False}}),
        ("resume_lost_trials", 1),
        ("resume_same_result", False),
    ],
)
def test_each_bar_can_be_missed(key, bad):
    missed = [bar.key for bar in bars_of({**GOOD, key: bad}) if bar.held is False]
    assert missed == [BESIDE.get(key, key)]


def test_what_was_not_measured_is_neither_held_nor_missed():
    assert {bar.held for bar in bars_of({})} == {None}
    assert bars_of({})[0].word == "not run"


@pytest.mark.parametrize("key", ["ladder_win_share_25", "interval_coverage", "oracle_gap"])
def test_what_is_not_defined_is_missed(key):
    (bar,) = [bar for bar in bars_of({**GOOD, key: None}) if bar.key == key]
    assert (bar.held, bar.found) == (False, "not defined")


def test_figures_are_told_beside_what_they_are_held_against():
    told = {bar.key: bar.found for bar in bars_of(GOOD)}
    assert told["leaks_found"] == "72 of 72"
    assert told["ece_newest"] == "0.0100 (bar 0.0200)"
    assert told["flaml"] == "simulator: lower log loss, olist: lower log loss"
    worse = {"olist": {"not_worse": {"log_loss": False, "auc": True}, "better_log_loss": False}}
    (bar,) = [bar for bar in bars_of({"flaml": worse}) if bar.key == "flaml"]
    assert bar.found == "olist: no lower log loss, worse in log_loss"
