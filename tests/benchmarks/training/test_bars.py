import pytest

from benchmarks.training.bars import KEYS, bars_of, missed

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
    "ladder_far_worse_share": {"simulator 5": 0.04, "olist 25": 0.0},
    "ece_newest": 0.01,
    "ece_bar": 0.02,
    "ece_after_shift": 0.03,
    "ece_after_shift_bar": 0.04,
    "shift_alarm": True,
    "interval_coverage": 0.9,
    "interval_true_below": 0.04,
    "interval_true_above": 0.06,
    "interval_segments": 1_000,
    "interval_coverage_by_score": {"rules": 0.89, "scorecard": 0.91},
    "oracle_gap": 0.008,
    "oracle_gap_standard_error": 0.0004,
    "oracle_gap_worst": 0.0105,
    "oracle_markets": 3,
    "flaml": {"simulator": SET, "olist": SET},
    "resume_lost_trials": 0,
    "resume_same_result": True,
}
# Keys that a bar looks at beside its own.
BESIDE = {
    "xeducation_used_but_must_not": "xeducation_rename_changes",
    "interval_coverage_by_score": "interval_coverage",
    "interval_segments": "interval_coverage",
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
        ("xeducation_auc_after_gate", 0.9151),
        ("xeducation_auc_after_gate", 0.8549),
        ("xeducation_rename_changes", 1),
        ("xeducation_used_but_must_not", ["Tags"]),
        ("ladder_win_share_25", 0.88),
        ("ladder_worse_than_rules", ["olist 50"]),
        ("ladder_far_worse_share", {"simulator 5": 0.0, "olist 25": 0.06}),
        ("ece_newest", 0.021),
        ("ece_after_shift", 0.041),
        ("shift_alarm", False),
        ("interval_coverage", 0.94),
        ("interval_coverage_by_score", {"rules": 0.94, "scorecard": 0.91}),
        ("interval_segments", 999),
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


def test_what_misses_its_bar_is_given_with_it():
    (bar,) = missed({**{key: GOOD[key] for key in GOOD if key.startswith("oracle")}, "oracle_gap": 0.02})
    assert (bar.key, bar.held) == ("oracle_gap", False)
    assert missed({}) == missed(GOOD) == []


def test_in_two_decimals_the_bar_of_x_education_holds():
    assert missed({"xeducation_auc_after_gate": 0.9149}) == []


def test_flaml_must_be_met_everywhere_and_beaten_on_most_sets():
    assert missed({"flaml": {"simulator": SET}}) == []
    undefined = {"not_worse": {"log_loss": None, "auc": None}, "better_log_loss": None}
    for bad in ({}, {"olist": undefined}, {"simulator": SET, "olist": SET | {"better_log_loss": False}}):
        assert [bar.key for bar in missed({"flaml": bad})] == ["flaml"]


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
    ladder = {told["ladder_worse_than_rules"], told["ladder_far_worse_share"]}
    assert ladder == {"at no size (measured: simulator, olist)"}
    assert told["oracle_gap"] == "0.0080 (mean of 3 markets; standard error 0.0004, worst market 0.0105)"
    assert told["interval_coverage"] == "0.9000 over 1,000 segments; the true rate lies below 4.0% and above 6.0%"
    assert told["flaml"] == "simulator: lower log loss, olist: lower log loss"
    shares = {"simulator 5": 0.062, "olist 5": 0.0}
    bad = {"ladder_worse_than_rules": ["olist 5", "olist 10"], "ladder_far_worse_share": shares}
    measured = "(measured: simulator, olist)"
    assert [bar.found for bar in missed(bad)] == [f"olist 5, olist 10 {measured}", f"simulator 5 (6%) {measured}"]
    worse = {"olist": {"not_worse": {"log_loss": False, "auc": True}, "better_log_loss": False}}
    (bar,) = [bar for bar in bars_of({"flaml": worse}) if bar.key == "flaml"]
    assert bar.found == "olist: no lower log loss, worse in log_loss"


@pytest.mark.parametrize(
    ("not_worse", "better", "told"),
    [
        ({"log_loss": None, "auc": None}, None, "not defined in log_loss and auc"),
        ({"log_loss": True, "auc": None}, True, "lower log loss, not defined in auc"),
        ({"log_loss": False, "auc": None}, False, "no lower log loss, worse in log_loss, not defined in auc"),
    ],
)
def test_a_comparison_that_is_not_defined_is_not_told_as_worse(not_worse, better, told):
    (bar,) = missed({"flaml": {"olist": {"not_worse": not_worse, "better_log_loss": better}}})
    assert bar.found == f"olist: {told}"
