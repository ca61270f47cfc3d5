"""Growing on folds: the number of trees, what it costs, when it ends, and the loss row by row."""

import numpy as np
import pytest

from tests.training import made
from training import growth
from training.fit import Recipe
from training.growth import Fold, Trial
from training.tune import USUAL, folds_of, tune

RECIPE = Recipe(USUAL, 20)


def test_what_explaining_costs_is_part_of_the_objective():
    trial = Trial(RECIPE, 0.5, (0.4, 0.6), cost=0.25)
    assert trial.objective == pytest.approx(0.75)
    assert Trial.of_json(trial.to_json()) == trial


class Grown:
    """A booster that loses on the held-out fold what its curve says, tree by tree."""

    def __init__(self, curve):
        self.curve = curve
        self.trees = 0

    def reset_parameter(self, _):
        pass

    def update(self):
        self.trees += 1

    def eval_valid(self):
        return [("held out", "binary_logloss", self.curve(self.trees), False)]


def measured(monkeypatch, *curves, shares=None, rate=0.1, **more):
    grown = [Grown(curve) for curve in curves]
    made_so = dict(enumerate(grown))
    monkeypatch.setattr(growth, "_booster", lambda fold, *_: made_so[fold.learn])
    weights = shares or [1 / len(curves)] * len(curves)
    folds = [Fold(number, None, share, None, None) for number, share in enumerate(weights)]
    return growth.measure(folds, {"learning_rate": rate, "max_depth": 3}, 0, **more), grown


def valley(best, slope=1.0):
    return lambda trees: slope * abs(trees - best)


def test_a_fold_past_its_best_counts_against_more_trees(monkeypatch):
    trial, grown = measured(monkeypatch, valley(5, slope=3.0), valley(30))
    assert trial.recipe.trees == 5
    assert trial.log_loss == (0 + 25) / 2
    assert len({booster.trees for booster in grown}) == 1
    slow, _ = measured(monkeypatch, valley(5), valley(30, slope=3.0))
    assert slow.recipe.trees == 30


def test_the_number_of_trees_minimises_the_mean_weighted_by_the_folds_share(monkeypatch):
    curves = valley(5), valley(30)
    assert measured(monkeypatch, *curves, shares=[0.9, 0.1])[0].recipe.trees == 5
    assert measured(monkeypatch, *curves, shares=[0.1, 0.9])[0].recipe.trees == 30


def test_a_pause_in_one_fold_ends_nothing_while_the_mean_still_falls(monkeypatch):
    trial, grown = measured(monkeypatch, lambda _: 1.0, lambda trees: 1 / trees)
    assert trial.recipe.trees == growth.MOST_TREES
    assert [booster.trees for booster in grown] == [growth.MOST_TREES] * 2


def test_growing_ends_soon_after_the_mean_has_stopped_falling(monkeypatch):
    trial, grown = measured(monkeypatch, valley(10), valley(10))
    assert trial.recipe.trees == 10
    assert grown[0].trees <= 10 + 2 * 20  # twenty trees of patience at this rate, in steps of twenty


def test_growth_is_told_in_steps_of_equal_learning_and_ended_when_hopeless(monkeypatch):
    told = []

    def hopeful(step, objective):
        told.append((step, objective))
        return step < 1

    trial, grown = measured(monkeypatch, valley(90), valley(90), rate=0.05, hopeful=hopeful)
    assert told == [(0, 60.0), (1, 30.0)]  # 1.5 / 0.05 trees a step
    assert trial.pruned
    assert grown[0].trees == 60
    assert (
        measured(monkeypatch, valley(10), hopeful=lambda step, _: step < 1)[0].pruned is False
    )  # it was whole by then


def test_the_price_is_in_the_best_number_of_trees(monkeypatch):
    trial, _ = measured(monkeypatch, lambda trees: 1 / trees, price=0.01 / 3)
    assert trial.recipe.trees == 10  # where 1 / t + t / 100 is lowest
    assert trial.objective == pytest.approx(0.2)


def test_real_folds_are_grown_to_the_same_length(monkeypatch):
    """Even where one cannot split any more: then its loss stays what it is."""
    curves = {}
    grow = growth._grow

    def counting(booster, trees):
        losses = grow(booster, trees)
        curves.setdefault(booster, []).extend(losses)
        return losses

    monkeypatch.setattr(growth, "_grow", counting)
    found = tune(made.rows(600), made.SPECS, trials=1, seed=4)
    assert len(curves) == found.folds
    assert len({len(curve) for curve in curves.values()}) == 1


def folds(rows, count=3):
    return list(growth.cut(rows, made.SPECS, folds_of(rows, count, 4)))


def test_folds_hold_whole_leads_and_their_share_of_the_weight():
    rows = made.rows(900)
    rows.weight[:300] = 3.0
    found = folds(rows)
    assert sum(fold.share for fold in found) == pytest.approx(1)
    leads = [set(fold.lead) for fold in found]
    assert sum(len(some) for some in leads) == len(set.union(*leads)) == 300
    assert [fold.measure.num_data() for fold in found] == [len(fold.lead) for fold in found]


def test_losses_by_row_average_to_what_was_measured():
    rows = made.rows(900)
    rows.weight[:] = np.random.default_rng(1).uniform(0.2, 5, len(rows))
    found = folds(rows)
    trial = growth.measure(found, USUAL, 4)
    for loss, fold, expected in zip(growth.losses(found, [trial.recipe] * 3, 4), found, trial.by_fold, strict=True):
        assert loss.shape == fold.lead.shape
        assert np.average(loss, weights=fold.weight) == pytest.approx(expected, rel=1e-6)


def test_every_fold_is_grown_by_its_own_recipe():
    found = folds(made.rows(900))
    long = Recipe(USUAL, 80)
    short, mixed = (growth.losses(found, recipes, 4) for recipes in ([RECIPE] * 3, [RECIPE, long, RECIPE]))
    assert [np.array_equal(one, other) for one, other in zip(short, mixed, strict=True)] == [True, False, True]


def test_a_sure_error_costs_much_and_not_without_end():
    found = growth._log_loss(np.array([1, 0], dtype=np.float32), np.array([0.0, 0.5]))
    assert found == pytest.approx([-np.log(1e-15), np.log(2)])
