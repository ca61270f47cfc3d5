from dataclasses import replace

import pytest

from tests.training import market
from training import track_facts
from training.split import AT_CREATION


def test_parameters_tell_a_run_apart(first):
    found = track_facts.parameters(first[1].bundle)
    assert found["target"] == "sql"
    assert found["horizon_days"] == 30
    assert found["test_from"] == "2025-06-01"
    assert (found["ages"], found["train_ages"]) == ("1d,7d", "1h,1d,3d,7d")
    assert found["card"] == "standard"
    assert found["recipe.trees"] > 0
    assert track_facts.asked(market.options()) == {"trials": 2, "seconds": "no limit"}


def test_figures_are_flat_finite_numbers(first):
    trained = first[1]
    found = track_facts.figures(trained.bundle) | track_facts.timings(trained)
    for scorer in ("model", "rules", "logistic", "odoo", "base_rate"):
        assert found[f"{scorer}.auc"] == pytest.approx(trained.comparison.metrics["auc"][scorer].value)
    assert found["rules.log_loss.low"] < found["rules.log_loss"] < found["rules.log_loss.high"]
    assert found["difference.rules.log_loss"] < 0
    assert found["test.rows"] == trained.test.height
    assert found["reasons_max_error"] <= 1e-9
    assert {"model.ece.1d", "model.ece_bar.7d", "seconds.fit", "train.positives"} <= found.keys()
    assert "oracle.auc" not in found
    assert all(isinstance(value, float) for value in found.values())


def test_data_without_a_clock_has_ages_and_cuts_of_its_own(first):
    bundle = first[1].bundle
    timeless = replace(bundle, scorer=replace(bundle.scorer, horizon_us=None))
    found = track_facts.parameters(timeless)
    assert (found["horizon_days"], found["ages"]) == ("ever", "once")
    assert found["test_from"] == bundle.training["test_from"]
    part = {**bundle.metrics["by_age"][0], "age_us": AT_CREATION}
    figures = track_facts.figures(replace(timeless, metrics={**bundle.metrics, "by_age": [part]}))
    assert "model.ece.creation" in figures
    assert not any("e-10" in name for name in figures)


def test_a_bundle_that_says_nothing_of_itself_has_parameters_all_the_same(first):
    bare = replace(first[1].bundle, training={}, metrics={})
    assert track_facts.parameters(bare)["seed"] == "unknown"
    assert track_facts.figures(bare) == {}


def test_tags_are_those_that_are_promised(first):
    found = track_facts.tags(first[1].bundle)
    assert {*found, "workspace"} == set(track_facts.RUN_TAGS)
    assert found["bundle"] == first[1].bundle.version
    assert found["better_than_rules"] == "true"


def test_pictures_of_all_scorers_and_of_every_age(first, tmp_path):
    track_facts.draw(first[1], tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"roc.png", "gains.png", "reliability_1d.png", "reliability_7d.png"}
    empty = replace(first[1], test=first[1].test.head(0))
    track_facts.draw(empty, tmp_path / "none")
    assert not (tmp_path / "none").exists()
