from dataclasses import replace

import numpy as np
import pytest

from leadlight.scorer import Scorer
from tests.training import made
from training import blend
from training.blend import SHARES, Blend
from training.fit import Recipe
from training.tune import USUAL

RECIPE = Recipe(USUAL, 30)
BLANK = Scorer("rules", "sql", None, 0.3, 0.0, 0.0, {}, slope=0.8, intercept=0.1)


@pytest.fixture(scope="module")
def fitted():
    return blend.fit(made.rows(), made.SPECS, RECIPE, share=0.25, seed=1)


@pytest.fixture(scope="module")
def chosen():
    return blend.choose(made.rows(), made.SPECS, RECIPE, seed=1)


def test_it_is_the_mean_of_trees_and_line(fitted):
    rows = made.rows(seed=8)
    expected = 0.75 * fitted.trees.raw(rows) + 0.25 * fitted.line.raw(rows)
    assert fitted.raw(rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_scorer_says_the_same_calibrated_and_its_parts_add_up(share):
    rows = made.rows(seed=8)
    fitted = blend.fit(made.rows(), made.SPECS, RECIPE, share, seed=1)
    scorer = fitted.into(BLANK, made.SPECS)
    scorer.check_kind()
    assert scorer.log_odds(rows.X, rows.points) == pytest.approx(0.8 * fitted.raw(rows) + 0.1, abs=1e-12)
    parts = scorer.contributions(rows.X)
    assert parts.log_odds(rows.points) == pytest.approx(scorer.log_odds(rows.X, rows.points), abs=1e-12)
    assert (scorer.linear is None) == (share == 0)


def test_the_rules_under_it_stay_what_they_are(fitted):
    scorer = fitted.into(BLANK, made.SPECS)
    assert (scorer.rule_a, scorer.rule_b) == fitted.trees.link
    assert scorer.rule_share == 0.75
    assert scorer.rules_alone().log_odds(np.zeros((1, 0)), np.array([20.0])) == pytest.approx(
        fitted.trees.link.log_odds(np.array([20.0]))
    )


def test_leaves_are_scaled_one_and_all(fitted):
    rows, booster = made.rows(), fitted.trees.booster
    before = booster.model_to_string()
    half = blend.scaled(booster, 0.5)
    assert half.predict(rows.X, raw_score=True) == pytest.approx(0.5 * booster.predict(rows.X, raw_score=True))
    parts = [one.predict(rows.X, pred_contrib=True) for one in (half, booster)]
    assert parts[0] == pytest.approx(0.5 * parts[1], abs=1e-9)
    assert booster.model_to_string() == before


def test_trees_of_one_leaf_are_scaled_too():
    rows = made.rows(30)
    stumps = blend.fit(rows, made.SPECS, Recipe({**USUAL, "min_data_in_leaf": 1_000}, 3), share=0.5, seed=1)
    scorer = stumps.into(BLANK, made.SPECS)
    assert scorer.log_odds(rows.X, rows.points) == pytest.approx(0.8 * stumps.raw(rows) + 0.1, abs=1e-12)


def test_the_share_of_least_loss_for_unseen_leads_is_chosen(chosen):
    assert set(chosen.log_loss) == set(SHARES)
    assert chosen.share == min(chosen.log_loss, key=chosen.log_loss.get) > 0
    rows = made.rows()
    loss = np.mean(np.logaddexp(0, chosen.raw) - rows.y * chosen.raw)
    assert loss == pytest.approx(chosen.log_loss[chosen.share])
    assert chosen.to_json()["log_loss"].keys() == {"0", "0.25", "0.5", "0.75"}


def test_the_choice_does_not_see_the_predicted_leads(chosen):
    """Outcomes that are chance leave the line nothing to be chosen for, however closely it could follow them."""
    rows = made.rows()
    y = np.random.default_rng(3).integers(0, 2, len(rows)).astype(float)
    noise = blend.choose(replace(rows, y=y, frame=rows.frame.with_columns(label=y)), made.SPECS, RECIPE, seed=1)
    assert min(noise.log_loss.values()) > 0.69 > chosen.log_loss[chosen.share]


def test_what_only_trees_can_see_is_left_to_them():
    rows = made.rows(6_000)
    odd = (rows.X[:, 0] % 2 == 1) == (rows.X[:, 2] == 1)
    y = (np.random.default_rng(4).random(len(rows)) < np.where(odd, 0.9, 0.1)).astype(float)
    rows = replace(rows, y=y, frame=rows.frame.with_columns(label=y))
    found = blend.choose(rows, made.SPECS, Recipe({**USUAL, "learning_rate": 0.3, "feature_fraction": 1.0}, 60), seed=1)
    assert found.share == 0


@pytest.mark.parametrize("why", ["few", "monotone"])
def test_trees_stay_alone_where_a_line_is_not_to_be_had(why):
    rows = made.rows(300 if why == "few" else 1_500)
    recipe = RECIPE if why == "few" else replace(RECIPE, monotone=(1, 0, 0))
    found = blend.choose(rows, made.SPECS, recipe, seed=1)
    assert (found.share, found.log_loss) == (0, {})
    assert found.raw is not None
    assert blend.fit(rows, made.SPECS, recipe, found.share, seed=1).line is None


def test_folds_of_one_class_give_no_predictions():
    rows = made.rows(30)
    y = np.zeros(30)
    y[0] = 1.0
    found = blend.choose(replace(rows, y=y, frame=rows.frame.with_columns(label=y)), made.SPECS, RECIPE, seed=1)
    assert (found.share, found.raw) == (0, None)


def test_the_same_seed_gives_the_same_blend(fitted):
    again = blend.fit(made.rows(), made.SPECS, RECIPE, share=0.25, seed=1)
    rows = made.rows()
    assert isinstance(again, Blend)
    assert again.raw(rows).tolist() == fitted.raw(rows).tolist()
