import pytest

from benchmarks.training.parts import PARTS
from benchmarks.training.sections import section
from leadlight.errors import InputError
from leadlight.schema import DAY

LINE = {
    "wins": 1_600,
    "markets": 5,
    "draws": 10,
    "minus": {
        "prior": {"mean": -0.2, "standard_error": 0.01},
        "fitted_rules": {"mean": -0.1, "standard_error": None},
    },
    "worse": False,
    "far_worse_share": 0.1,
    "log_loss": {"ladder": 0.1, "prior": 0.3, "fitted_rules": 0.2, "base_rate": 0.25, "model": None},
    "win_share": 0.9,
    "win_share_fitted": 0.84,
    "rungs": {"prior": 0, "scorecard": 4, "model": 6},
}
NONE = {
    **LINE,
    "wins": 0,
    "markets": 1,
    "draws": 1,
    "minus": {"prior": {"mean": 0.0, "standard_error": None}},
    "far_worse_share": 0.0,
    "win_share": None,
    "win_share_fitted": None,
    "rungs": {"prior": 1},
}
SIDES = {"ours": 0.12345, "flaml": 0.2}
SET = {
    "log_loss": SIDES,
    "auc": SIDES,
    "seeds": 3,
    "learnt_from": {"all": 2, "settled": 1},
    "difference": {name: {"value": -0.07, "standard_error": 0.01} for name in ("log_loss", "auc")},
}
MARKET = {"seed": 2, "auc": {"model": 0.85, "oracle": 0.86, "rules": 0.7}, "oracle_gap": 0.0077}
SLICE = {"age_us": DAY, "rows": 29_169, "expected": 0.043, "observed": 0.045, "ece": 0.003, "bar": 0.004, "ok": True}
MOVE = {
    "seed": 1,
    "known": 0.05,
    "drawn": 0.2,
    "estimated": 0.179,
    "alarm": True,
    "quiet": True,
    "uncorrected": {"ece": 0.14},
    "corrected": {"ece": 0.041, "bar": 0.03, "ok": False},
}
LINE_25 = {**LINE, "wins": 25, "win_share_fitted": 0.92}
XEDUCATION = {
    "xeducation_auc_before_gate": 0.98,
    "xeducation_auc_after_gate": 0.9,
    "xeducation_rename_changes": 1,
    "xeducation_verdicts": {"City": "ok", "Lead Profile": "ok", "Search": "ok", "Tags": "suspect"},
    "xeducation_verdicts_renamed": {"City": "ok", "Lead Profile": "ok", "Search": "leak", "Tags": "suspect"},
    "xeducation_why": dict.fromkeys(("City", "Lead Profile", "Search", "Tags"), "because"),
}
DETAILS = {
    "leaks": {"leaks_by_kind": {"status synonym": {"full": "3/3", "middle": "3/3", "weak": "2/3"}}},
    "xeducation": XEDUCATION,
    "ladder": {"simulator": [NONE, LINE_25, LINE]},
    "calibration": {
        "newest": [SLICE, {**SLICE, "age_us": 7 * DAY}, {**SLICE, "ece": 0.03, "ok": False}],
        "moved": [{**MOVE, "seed": 0}, {**MOVE, "alarm": False, "quiet": False}],
    },
    "segments": {
        "companies": 60,
        "market_segments": {"rules": 2_635, "scorecard": 2_634},
        "coverage": {"rules": 0.87, "scorecard": 0.912},
        "standard_error": {"rules": 0.02, "scorecard": None},
        "coverage_by_size": {"under 30 leads": 0.888},
        "coverage_by_spread": {
            "under 0.1": {"intervals": 1_200, "coverage": 0.961, "standard_error": 0.01},
            "0.3 and more": {"intervals": 0, "coverage": None, "standard_error": None},
        },
        "tails": {
            "rules": {"below": {"share": 0.04}, "above": {"share": 0.09}},
            "scorecard": {"below": {"share": 0.05}, "above": {"share": None}},
        },
        "true_below": 0.013,
        "true_above": 0.095,
        "log_loss": {"pooled": 0.1432, "single": 0.143},
        "pooled_minus": {"single": {"mean": 0.0002, "standard_error": 0.0001}},
        "compared_companies": 59,
    },
    "oracle": {"oracle_markets": 3, "markets": [{**MARKET, "standard_error": 0.002, "expected_gap": 0.0066}]},
    "flaml": {"olist": SET},
    "resume": {"trials": 12, "resume_kills": 8, "resume_lost_trials": 1, "resume_same_result": False},
}
LOSSES = "5 | 10 | 0.1000 | 0.3000 | 0.2000 | 0.2500 | - | -0.2000 ± 0.0100 | -0.1000 | 10%"
ROWS = {
    "leaks": ["| status synonym | 3/3 | 3/3 | 2/3 |"],
    "xeducation": [
        "| Lead Profile | ok | ok | because |",
        "| Search | ok | leak | because |",
        "| Tags | suspect | suspect | because |",
    ],
    "ladder": [
        "| `simulator` | 0 | 1 | 1 | 0.1000 | 0.3000 | 0.2000 | 0.2500 | - | 0.0000 | - | 0% | prior 1 | - | - |",
        f"| `simulator` | 25 | {LOSSES} | scorecard 4, model 6 | 90% | 92% |",
        f"| `simulator` | 1,600 | {LOSSES} | scorecard 4, model 6 | 90% | 84% |",
    ],
    "calibration": [
        "| 0 | 1 d | 29,169 | 4.3% | 4.5% | 0.0030 | 0.0040 | 0.0200 | yes |",
        "| 0 | 7 d | 29,169 | 4.3% | 4.5% | 0.0030 | 0.0040 | 0.0200 | yes |",
        "| 1 | 1 d | 29,169 | 4.3% | 4.5% | 0.0300 | 0.0040 | 0.0200 | **no** |",
        "| 0 | 5.0% | 20.0% | 17.9% | yes | no | 0.1400 | 0.0410 | 0.0300 | 0.0300 | **no** |",
        "| 1 | 5.0% | 20.0% | 17.9% | no | yes | 0.1400 | 0.0410 | 0.0300 | 0.0300 | **no** |",
    ],
    "segments": [
        "| rules | 2,635 | 87.0% | 2.0% | 4.0% | 9.0% |",
        "| scorecard | 2,634 | 91.2% | - | 5.0% | - |",
        "| under 30 leads | 88.8% |",
        "| under 0.1 | 1,200 | 96.1% | 1.0% |",
        "| 0.3 and more | 0 | - | - |",
        "| pooled | 0.1432 | - | - |",
        "| single | 0.1430 | 0.0002 | 0.0001 |",
    ],
    "oracle": ["| 2 | 0.8500 | 0.8600 | 0.7000 | 0.0077 | 0.0020 | 0.0066 |"],
    "flaml": [
        f"| `olist` | {metric} | 0.1235 | 0.2000 | -0.0700 | 0.0100 | 1 of 3 |" for metric in ("log_loss", "auc")
    ],
    "resume": ["| 12 | 8 | 1 | **no** |"],
}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_its_tables(name):
    text = section(name, DETAILS[name])
    assert text.startswith("## ")
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert [line for lines in tables for line in lines[2:]] == ROWS[name]
    for lines in tables:
        assert {line.count(" | ") for line in lines} == {lines[0].count(" | ")}


def test_columns_that_are_ok_are_counted():
    assert "the other 1 columns are ok under both" in section("xeducation", XEDUCATION)


def test_it_is_said_of_how_many_markets_the_gap_is_the_mean():
    assert "the mean of 3 markets" in section("oracle", DETAILS["oracle"])


@pytest.mark.parametrize("details", [{}, None])
def test_details_that_lack_something_are_named_with_their_part(details):
    with pytest.raises(InputError, match="details of calibration"):
        section("calibration", details)
