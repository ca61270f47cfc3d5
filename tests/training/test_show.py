from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from leadlight.schema import DAY
from tests.training import market
from training import evaluate, promotion, record, show
from training.split import AT_CREATION
from training.track import TrackedRun


def test_a_training_is_told_in_full(trained, capsys):
    room, model = trained
    show.show_training(room, model, promotion.settle(room, model), None)
    said = capsys.readouterr().out
    for words in (
        "trained on what was known at 2025-06-01",
        "at ages 1d, 7d",
        "ECE at age 7d",
        "The model beats the rule score",
        f"serving: {model.bundle.version}",
        "leadlight thresholds recommend",
    ):
        assert words in said
    assert "mlflow server" not in said
    timeless = replace(
        model, bundle=replace(model.bundle, thresholds={"model": None, "rules": None, "note": "no clock"})
    )
    show.show_training(room, timeless, promotion.settle(room, timeless), None)
    assert "leadlight thresholds recommend" not in capsys.readouterr().out


def test_the_split_is_instants_or_nothing(first):
    assert show.split_json(first[1]) == {
        "test_from": "2025-06-01",
        "until": "2025-10-04",
        "horizon_days": 30.0,
        "horizon_source": "asked",
        "ages": ["1d", "7d"],
        "train_ages": ["1h", "1d", "3d", "7d"],
    }
    timeless = replace(first[1], split=replace(first[1].split, horizon_us=None))
    assert show.split_json(timeless)["test_from"] is None


def test_calibration_is_told_per_age_against_its_bar(first):
    rows = show.ages_json(first[1].comparison)
    assert [row["age"] for row in rows] == ["1d", "7d"]
    for row in rows:
        assert row["ok"] is (row["ece"] <= max(row["bar"], row["limit"]))


def test_without_a_clock_the_age_is_creation(capsys):
    y, p = np.tile([0.0, 1.0], 50), np.tile([0.3, 0.6], 50)
    found = evaluate.compare(y, {"model": p}, [f"l{n}" for n in range(100)], 0, age=np.full(100, AT_CREATION))
    assert [row["age"] for row in show.ages_json(found)] == ["creation"]
    show.show_comparison(Console(width=120), found)
    assert "ECE at creation (100 rows)" in capsys.readouterr().out


def test_values_without_intervals_or_bars_are_told_alone(capsys):
    ages = np.repeat([DAY, 7 * DAY], 10)
    found = evaluate.compare(np.zeros(20), {"model": np.full(20, 0.1)}, ["a", "b"] * 10, 0, age=ages)
    show.show_comparison(Console(), found)
    said = capsys.readouterr().out
    assert "Nothing can be said" in said
    assert "0.105" in said  # -ln 0.9
    assert "interval" not in said
    assert "ECE at age" not in said


def test_the_log_loss_of_a_rare_outcome_is_not_told_as_zero(capsys):
    found = evaluate.compare(np.zeros(20), {"model": np.full(20, 4e-4)}, ["a", "b"] * 10, 0, age=np.full(20, DAY))
    show.show_comparison(Console(), found)
    assert "0.000400" in capsys.readouterr().out


def test_what_was_left_out_and_what_comes_next_is_told(trained, capsys):
    room, model = trained
    columns = [f"c{at}" for at in range(5)]
    audit = {
        "findings": [
            {"kind": "type", "name": "signed", "verdict": "leak", "why": "it comes after"},
            *({"kind": "attribute", "name": name, "verdict": "suspect", "why": "it may be"} for name in columns),
            {"kind": "attribute", "name": "size", "verdict": "ok", "why": "nothing speaks against it"},
        ],
        "dropped_attributes": columns,
        "dropped_types": ["signed"],
    }
    ladder = {"rung": "scorecard", "next": {"told": "`model` needs about 400 leads with a success"}}
    training = {**model.bundle.training, "audit": audit, "ladder": ladder}
    bundle = replace(model.bundle, training={**training, "segment": {"column": "industry", "used": False, "more": 1}})
    show.show_training(room, replace(model, bundle=bundle), promotion.settle(room, model), None)
    said = capsys.readouterr().out
    assert "note: the audit left out 1 leak: `signed` (it comes after); `leadlight audit` shows all\n" in said
    assert "left out 5 suspects: `c0` (it may be); `c1` (it may be); `c2` (it may be); and 2 more; --allow" in said
    assert "next rung: `model` needs about 400 leads with a success" in said
    found = show.recorded_json(bundle)
    assert len(found["audit"]["left_out"]) == 6
    assert found["ladder"] == ladder
    assert found["segment"] == {"column": "industry", "used": False}


@pytest.mark.parametrize(
    ("kind", "words"), [("lightgbm", "The model beats"), ("scorecard", "The scorecard beats"), ("rules", "rules beat")]
)
def test_the_comparison_names_what_was_trained(first, capsys, kind, words):
    show.show_comparison(Console(width=120), first[1].comparison, who=record.CALLED[kind])
    said = capsys.readouterr().out
    assert words in said
    assert "logistic regression" in said
    assert "true probability" not in said  # no oracle here


def test_the_command_of_the_page_names_the_store(first):
    assert show.page_command(first[0]).startswith("mlflow server --backend-store-uri sqlite:///")
    assert market.KEY not in show.page_command(first[0])


def test_the_page_of_a_run_is_where_the_run_is(trained, capsys):
    room, model = trained
    settled = promotion.settle(room, model)
    show.show_training(room, model, settled, TrackedRun("f" * 32, "1", "models:/leadlight-sql/1"))
    assert "mlflow server --backend-store-uri sqlite:///" in capsys.readouterr().out
    show.show_training(room, model, settled, TrackedRun("f" * 32, "1", "models:/leadlight-sql/1", "http://127.0.0.1:9"))
    assert "http://127.0.0.1:9    run ffff" in capsys.readouterr().out
