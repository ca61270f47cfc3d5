import json
from pathlib import Path

import pytest

from benchmarks.training import (
    automl,
    calibration,
    leak_xeducation,
    leaks,
    learning_curve,
    oracle,
    resume,
    segments,
)
from benchmarks.training.learning_curve import Draw
from benchmarks.training.parts import PARTS, Asked
from leadlight.errors import InputError


def asked(data=None, seeds=None):
    return Asked(data, seeds, lambda _: None)


def test_leaks_of_full_and_middle_strength_count_together(monkeypatch):
    answer = {
        "leaks_found": {"full": 24, "middle": 23, "weak": 5},
        "leaks_planted": {"full": 24, "middle": 24, "weak": 24},
        "false_alarms": 0,
    }
    given = []
    monkeypatch.setattr(leaks, "plant_everywhere", lambda data, seeds, _say: given.append((data, seeds)) or answer)
    found = PARTS["leaks"].measure(asked(), 4)
    assert (found["leaks_found"], found["leaks_planted"]) == (47, 48)
    assert (found["leaks_found_weak"], found["leaks_planted_weak"]) == (5, 24)
    assert given == [(None, 4)]


def test_x_education_needs_its_folder(monkeypatch, tmp_path):
    keys = ("xeducation_auc_after_gate", "xeducation_rename_changes", "xeducation_used_but_must_not")
    monkeypatch.setattr(leak_xeducation, "measure", lambda _: dict.fromkeys((*keys, "xeducation_why"), 0))
    part = PARTS["xeducation"]
    assert set(part.measure(asked(tmp_path), 1)) == {*keys, "details"}
    assert part.hindered(asked(tmp_path)) is None
    assert "simulator only" in part.hindered(asked())
    with pytest.raises(InputError, match="--data"):
        part.measure(asked(), 1)


def test_the_ladder_gives_its_bars_and_its_curve(monkeypatch):
    losses = {"ladder": 0.4, "prior": 0.5, "fitted_rules": 0.5, "base_rate": 0.5}
    given = []
    monkeypatch.setattr(learning_curve, "simulated", lambda *_: "market")
    monkeypatch.setattr(learning_curve, "real", lambda question, *_: question.key)
    monkeypatch.setattr(learning_curve, "check_files", lambda _: None)

    def curve(market, plan, _say, number=0):
        given.append((market, plan.draws, number))
        return {25: [Draw(number, "rules", losses | ({"ladder": 0.6} if market == "olist" else {}))]}

    monkeypatch.setattr(learning_curve, "curve", curve)
    found = PARTS["ladder"].measure(asked(), 2)
    assert found["ladder_win_share_25"] == 1
    assert given == [("market", learning_curve.DRAWS, 0), ("market", learning_curve.DRAWS, 1)]
    assert list(found["details"]) == ["simulator"]
    assert found["ladder_worse_than_rules"] == []
    found = PARTS["ladder"].measure(asked(Path()), 2)
    assert list(found["details"]) == ["simulator", *(question.key for question in learning_curve.QUESTIONS)]
    assert found["ladder_worse_than_rules"] == ["olist 25"]
    assert found["ladder_far_worse_share"]["olist 25"] == 1
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("leaks", leaks),
        ("ladder", learning_curve),
        ("calibration", calibration),
        ("segments", segments),
        ("oracle", oracle),
        ("flaml", automl),
    ],
)
def test_seeds_are_the_part_s_own_unless_asked_for(name, module):
    assert PARTS[name].repetitions(asked()) == module.SEEDS
    assert PARTS[name].repetitions(asked(seeds=7)) == 7


def test_what_is_made_once_is_not_repeated():
    assert {name for name, part in PARTS.items() if part.repetitions(asked(seeds=7)) == 1} == {"xeducation", "resume"}


@pytest.mark.parametrize(("name", "module"), [("calibration", calibration), ("segments", segments)])
def test_markets_are_as_large_as_the_part_s_own_command_makes_them(monkeypatch, name, module):
    given = []
    answer = {"details": {"coverage": {"rules": 0.9}}}
    monkeypatch.setattr(module, "run_seeds", lambda seeds, leads, _say: given.append((seeds, leads)) or answer)
    PARTS[name].measure(asked(), 7)
    assert given == [(7, module.LEADS)]


def test_the_oracle_is_asked_about_so_many_markets(monkeypatch):
    given = []
    answer = {"oracle_gap": 0.01, "oracle_markets": 2, "markets": []}
    monkeypatch.setattr(oracle, "work", lambda seeds, _say: given.append(seeds) or answer)
    found = PARTS["oracle"].measure(asked(), 2)
    assert found == {"oracle_gap": 0.01, "oracle_markets": 2, "details": answer}
    assert given == [2]


def test_flaml_is_measured_where_it_is_there(monkeypatch):
    monkeypatch.setattr(automl, "measure", lambda _data, seeds, _say: {"flaml": seeds})
    assert PARTS["flaml"].measure(asked(), 2) == {"flaml": 2, "details": 2}
    monkeypatch.setattr(automl, "installed", lambda: False)
    assert "extra `bench`" in PARTS["flaml"].hindered(asked())


def test_resume_counts_lost_trials(monkeypatch):
    answer = {"resume_lost_trials": 0, "resume_same_result": True, "resume_kills": 8}
    monkeypatch.setattr(resume, "measure", lambda: answer)
    found = PARTS["resume"].measure(asked(), 1)
    assert found == {"resume_lost_trials": 0, "resume_same_result": True, "details": answer}
