"""The best trial displaces the usual recipe where it is better, and not where it was only lucky."""

from itertools import pairwise

import numpy as np
import pytest

from tests.training import made
from training import best_trial, growth
from training import tune as tuning
from training.best_trial import Verdict, against_usual
from training.fit import Recipe
from training.growth import Fold, Trial
from training.study import Range


def trial(name, *by_fold, **more):
    return Trial(Recipe({"learning_rate": name}, 10), float(np.mean(by_fold)), by_fold, **more)


def judged(monkeypatch, trials, rows, *, leads=None, weight=None):
    """Judge trials that lose what `rows` says: name -> (losses of the rows of a fold, ...) of every fold."""

    def losses(folds, recipes, _seed):
        asked.append([recipe.parameters["learning_rate"] for recipe in recipes])
        return [np.array(rows[name][at]) for at, name in enumerate(asked[-1])]

    asked, sizes = [], [len(fold) for fold in rows[trials[0].recipe.parameters["learning_rate"]]]
    monkeypatch.setattr(best_trial, "losses", losses)
    ends = np.cumsum([0, *sizes])
    lead = np.arange(ends[-1]) if leads is None else np.array(leads)
    weights = np.ones(ends[-1]) if weight is None else np.array(weight)
    folds = [Fold(None, None, weights[a:b].sum() / weights.sum(), lead[a:b], weights[a:b]) for a, b in pairwise(ends)]
    return against_usual(trials, folds, 0), asked


USUAL = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_a_better_recipe_is_taken_for_a_gain_beyond_its_error(monkeypatch):
    rows = {1: USUAL, 2: ((0.2, 0.5, 0.5), (0.3, 0.4, 0.5))}
    found, asked = judged(monkeypatch, [trial(1, 0.5, 0.5), trial(2, 0.4, 0.4)], rows)
    gains = np.array([0.3, 0, 0, 0.2, 0.1, 0])
    assert found.gain == pytest.approx(0.1)
    assert found.error == pytest.approx(gains.std(ddof=1) / np.sqrt(6))
    assert (found.best, found.taken) == (1, 1)
    assert sorted(asked) == [[1, 1], [2, 2]]


def test_agreement_of_two_folds_is_not_enough(monkeypatch):
    rows = {1: USUAL, 2: ((-0.4, 0.8, 0.8), (-0.4, 0.8, 0.8))}
    found, _ = judged(monkeypatch, [trial(1, 0.5, 0.5), trial(2, 0.4, 0.4)], rows)
    assert found.gain == pytest.approx(0.1)
    assert found.error > 0.2
    assert (found.best, found.taken) == (1, 0)


def test_rows_of_a_lead_are_one_draw_and_weights_count(monkeypatch):
    trials = [trial(1, 0.5, 0.5), trial(2, 0.4, 0.4)]
    rows = {1: USUAL, 2: ((0.3, 0.3, 0.5), (0.45, 0.5, 0.5))}
    alone, _ = judged(monkeypatch, trials, rows)
    together, _ = judged(monkeypatch, trials, rows, leads=[0, 0, 1, 2, 3, 4])
    assert together.gain == pytest.approx(alone.gain)
    assert together.error > alone.error
    heavy, _ = judged(monkeypatch, trials, rows, weight=[3, 3, 1, 1, 1, 1])
    assert heavy.gain == pytest.approx((0.2 * 6 + 0.05) / 10)


def test_a_fold_is_predicted_by_what_is_best_on_the_others(monkeypatch):
    """Each of two trials was lucky on one fold: neither is any better where it was not chosen."""
    lucky = [trial(1, 0.5, 0.5), trial(2, 0.3, 0.55), trial(3, 0.56, 0.3)]
    rows = {1: USUAL, 2: ((0.3,) * 3, (0.55,) * 3), 3: ((0.56,) * 3, (0.3,) * 3)}
    found, asked = judged(monkeypatch, lucky, rows)
    assert sorted(asked) == [[1, 1], [3, 2]]
    assert found.gain == pytest.approx(-0.055)
    assert (found.best, found.taken) == (1, 0)


def test_the_cost_of_explaining_is_in_the_gain(monkeypatch):
    rows = {1: USUAL, 2: ((0.2, 0.5, 0.5), (0.3, 0.4, 0.5))}
    found, _ = judged(monkeypatch, [trial(1, 0.5, 0.5), trial(2, 0.4, 0.4, cost=0.08)], rows)
    assert found.gain == pytest.approx(0.02)
    assert found.taken == 0


def test_nothing_is_grown_where_the_usual_recipe_is_the_best(monkeypatch):
    usual, worse, ended = trial(1, 0.5, 0.5), trial(2, 0.6, 0.5), trial(3, 0.1, 0.1, pruned=True)
    found, asked = judged(monkeypatch, [usual, worse, ended], {1: USUAL})
    assert found == Verdict(0)
    assert found.taken == 0
    assert asked == []


def test_on_a_single_fold_the_usual_recipe_stays(monkeypatch):
    found, asked = judged(monkeypatch, [trial(1, 0.5), trial(2, 0.4)], {1: USUAL[:1]})
    assert (found, asked) == (Verdict(1), [])
    assert found.taken == 0


def test_one_lead_decides_nothing(monkeypatch):
    rows = {1: USUAL, 2: ((0.1,) * 3, (0.1,) * 3)}
    found, _ = judged(monkeypatch, [trial(1, 0.5, 0.5), trial(2, 0.4, 0.4)], rows, leads=[7] * 6)
    assert found == Verdict(1)


def test_the_verdict_is_plain_data():
    assert Verdict(2, 0.3, 0.1).to_json() == {"best": 2, "taken": 2, "gain": 0.3, "error": 0.1}
    assert Verdict(2, 0.1, 0.1).to_json()["taken"] == 0


def tuned(monkeypatch, space, usual, *, seed, trials=8):
    """Tune on two folds; values that the space does not draw are the usual ones."""
    monkeypatch.setattr(tuning, "SPACE", {"max_depth": Range(3, 3, whole=True), **space})
    monkeypatch.setattr(tuning, "USUAL", {**tuning.USUAL, **usual})
    monkeypatch.setattr(tuning, "number_of_folds", lambda _: 2)
    return tuning.tune(made.rows(900, seed=seed), made.SPECS, trials=trials, seed=seed)


def test_recipes_that_differ_by_luck_alone_do_not_displace_the_usual_one(monkeypatch):
    """Only what LightGBM draws differs: one of them is nearly always best, and none is better."""
    luck = Range(0, 10**6, whole=True)
    usual = {"bagging_seed": 1, "feature_fraction_seed": 1, "learning_rate": 0.12}
    space = {"bagging_seed": luck, "feature_fraction_seed": luck}
    found = [tuned(monkeypatch, space, usual, seed=seed, trials=6).verdict for seed in range(8)]
    assert sum(verdict.best > 0 for verdict in found) >= 5
    assert sum(verdict.taken > 0 for verdict in found) <= 1


def test_a_truly_better_recipe_displaces_the_usual_one(monkeypatch):
    """The usual one learns next to nothing of the features."""
    found = tuned(monkeypatch, {"lambda_l2": Range(1, 1e5, log=True)}, {"lambda_l2": 1e5}, seed=3)
    assert found.verdict.taken == found.verdict.best > 0
    assert found.verdict.gain > 2 * found.verdict.error
    assert found.log_loss == found.trials[found.verdict.best].log_loss
    assert found.recipe.parameters["lambda_l2"] < 1e5


def test_the_same_trials_give_the_same_verdict():
    rows = made.rows(600)
    folds = tuple(growth.cut(rows, made.SPECS, tuning.folds_of(rows, 3, 4)))
    trials = [growth.measure(folds, {**tuning.USUAL, "lambda_l2": ridge}, 4, price=1e-7) for ridge in (1e5, 10.0, 5.0)]
    found = against_usual(trials, folds, 4)
    assert found.gain is not None
    assert against_usual(trials, folds, 4) == found
