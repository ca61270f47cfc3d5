import json

import pytest

from benchmarks.training import page
from benchmarks.training.bars import KEYS
from leadlight.errors import InputError
from tests.benchmarks.training.test_bars import GOOD

LINE = {
    "wins": 1_600,
    "seeds": 10,
    "log_loss": {"ladder": 0.1, "prior": 0.3, "fitted_rules": 0.2, "base_rate": 0.25, "model": None},
    "rungs": {"prior": 0, "scorecard": 4, "model": 6},
}
SIDES = {"ours": 0.12345, "flaml": 0.2}
SET = {
    "log_loss": SIDES,
    "auc": SIDES,
    "difference": {name: {"value": -0.07, "standard_error": 0.01} for name in ("log_loss", "auc")},
}
MARKET = {"seed": 2, "auc": {"model": 0.85, "oracle": 0.86, "rules": 0.7}, "oracle_gap": 0.0077}
DETAILS = {
    "leaks": {"leaks_by_kind": {"status synonym": {"full": "3/3", "middle": "3/3", "weak": "2/3"}}},
    "ladder": {"simulator": [LINE]},
    "oracle": {"markets": [{**MARKET, "standard_error": 0.002, "expected_gap": 0.0066}]},
    "flaml": {"olist": SET},
}


def run_of(parts, **figures):
    """Make what `--out` writes when these parts were measured."""
    keys = {key for name in parts for key in page.PARTS[name].keys}
    found = {**GOOD, **figures}
    beside = {"ladder": (), "xeducation": ("xeducation_used_but_must_not",)}
    more = {key for name in parts for key in beside.get(name, ())}
    return {
        **dict.fromkeys(KEYS),
        **{key: found[key] for key in keys | more},
        "not_run": dict.fromkeys(set(KEYS) - keys, "left out by --only"),
        "seconds": dict.fromkeys(parts, 12.3),
        "details": {name: DETAILS.get(name) for name in parts},
        "bars": {},
        "cores": 2,
        "versions": {"Python": "3.11"},
    }


def test_runs_of_different_parts_come_together_and_the_last_counts():
    first = run_of(["leaks", "ladder"], leaks_found=1)
    found = page.merged([first, run_of(["xeducation"]), run_of(["leaks"], leaks_found=72)])
    assert found["leaks_found"] == 72
    assert found["ladder_win_share_25"] == GOOD["ladder_win_share_25"]
    assert found["xeducation_used_but_must_not"] == []
    assert set(found["seconds"]) == set(found["details"]) == {"leaks", "ladder", "xeducation"}
    assert "flaml" not in found


def test_an_earlier_figure_is_not_lost_when_a_later_run_left_its_part_out():
    found = page.merged([run_of(["leaks"], leaks_found=70), run_of(["ladder"])])
    assert found["leaks_found"] == 70


def test_the_page_holds_every_figure_with_its_bar():
    text = page.page(page.merged([run_of(["leaks", "ladder", "oracle"], oracle_gap=0.0111), run_of(["flaml"])]))
    lines = text.splitlines()
    assert "| `oracle_gap` | AUC at most 0.01 below the oracle's | 0.0111 | **no** |" in lines
    assert "| `shift_alarm` | raised when the base rate moves from 5 % to 20 % | - | - |" in lines
    assert "| status synonym | 3/3 | 3/3 | 2/3 |" in lines
    assert "| `simulator` | 1,600 | 10 | 0.1000 | 0.3000 | 0.2000 | 0.2500 | - | scorecard 4, model 6 |" in lines
    assert "| 2 | 0.8500 | 0.8600 | 0.7000 | 0.0077 | 0.0020 | 0.0066 |" in lines
    assert "| `olist` | log_loss | 0.1235 | 0.2000 | -0.0700 | 0.0100 |" in lines
    assert "| `leaks` | 12 |" in lines


def test_the_command_writes_the_page(tmp_path):
    figures, out = tmp_path / "figures.json", tmp_path / "trust.md"
    figures.write_text(json.dumps(run_of(["ladder"])), encoding="utf-8")
    assert page.run([str(figures), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("# Can training be trusted\n")


@pytest.mark.parametrize("text", ["{}", "[]", "3", "{"])
def test_a_file_that_holds_no_figures_is_named_as_such_and_nothing_is_written(tmp_path, capsys, text):
    figures, out = tmp_path / "figures.json", tmp_path / "trust.md"
    figures.write_text(text, encoding="utf-8")
    assert page.run([str(figures), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not out.exists()


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="'not_run' is missing"):
        page.merged([{"seconds": {}}])
