from dataclasses import replace

import pytest
from rich.console import Console

from tests.training import market
from training import promotion, show
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


@pytest.mark.parametrize(("model", "words"), [(True, "The model beats"), (False, "What is served beats")])
def test_the_comparison_calls_nothing_a_model_that_is_none(first, capsys, model, words):
    show.show_comparison(Console(width=120), first[1].comparison, model=model)
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
