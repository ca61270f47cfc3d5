"""Recipes grown on folds of leads: log loss on what is held out, tree by tree, and row by row."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.baselines import RulesLink
from training.fit import Recipe, dataset, growing
from training.rows import Rows

Floats = NDArray[np.float64]

MOST_TREES: Final = 400
# A probability counts as at least so much, as in LightGBM's own log loss.
LEAST: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe that was tried.

    Attributes:
        recipe: parameters and number of trees.
        log_loss: averaged over the folds by their weight, at that number of trees.
        by_fold: that of each fold.
        cost: price of explaining it, in nats.
        pruned: ended early, because half of the trials before had done better by then; it is never chosen.
    """

    recipe: Recipe
    log_loss: float
    by_fold: tuple[float, ...]
    cost: float = 0.0
    pruned: bool = False

    @property
    def objective(self) -> float:
        """What is minimised: log loss and cost."""
        return self.log_loss + self.cost

    def to_json(self) -> dict[str, Any]:
        """Give the trial as JSON."""
        recipe = {"parameters": dict(self.recipe.parameters), "trees": self.recipe.trees}
        monotone = list(self.recipe.monotone)
        rest = {"log_loss": self.log_loss, "by_fold": list(self.by_fold), "cost": self.cost, "pruned": self.pruned}
        return {**recipe, "monotone": monotone, **rest}

    @classmethod
    def of_json(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        recipe = Recipe(record["parameters"], record["trees"], tuple(record["monotone"]))
        return cls(recipe, record["log_loss"], tuple(record["by_fold"]), record["cost"], record["pruned"])


@dataclass(frozen=True, slots=True)
class Fold:
    """Binned data of one fold.

    Attributes:
        learn: what is learnt from.
        measure: the m rows that are measured on.
        share: of the latter in the weight of all rows.
        lead: number of the lead of each row measured on, the same in all folds, shape (m,).
        weight: of each row measured on, shape (m,).
    """

    learn: Any
    measure: Any
    share: float
    lead: NDArray[np.int64]
    weight: Floats


def cut(rows: Rows, specs: Sequence[FeatureSpec], fold: NDArray[np.int64]) -> Iterator[Fold]:
    """Give the folds that have both outcomes to learn from and rows to measure on.

    Args:
        rows: the rows.
        specs: one per column of X.
        fold: number of each row's fold, shape (n,); all rows of a lead share one.
    """
    lead = rows.frame["lead_id"].rank("dense").to_numpy().astype(np.int64)
    for number in np.unique(fold):
        inside, outside = rows.take(fold != number), rows.take(fold == number)
        if not 0 < inside.y.sum() < len(inside):
            continue
        link = RulesLink.fit(inside.points, inside.y, inside.weight)
        learn = dataset(inside, specs, link)
        measure = dataset(outside, specs, link, reference=learn)
        share = float(outside.weight.sum() / rows.weight.sum())
        yield Fold(learn.construct(), measure.construct(), share, lead[fold == number], outside.weight)


def measure(
    folds: Sequence[Fold],
    parameters: Mapping[str, float | int],
    seed: int,
    *,
    price: float = 0.0,
    signs: tuple[int, ...] = (),
    hopeful: Callable[[int, float], bool] | None = None,
    cores: int = 1,
) -> Trial:
    """Grow the folds side by side until their mean has not fallen for a while; the best number of trees is its lowest.

    All folds always have the same number of trees: one that is past its best counts with what more trees do to it. They
    grow in steps of equal learning (trees x rate), so that recipes can be compared after each.

    Args:
        folds: what is learnt from and measured on.
        parameters: LightGBM's.
        seed: of the boosters.
        price: of explaining, in nats per unit of depth x trees.
        signs: monotone constraints.
        hopeful: asked after each step whether to go on, with the number of the step and the smallest objective so far.
        cores: threads of each booster; 0 = all.
    """
    patience = _step(parameters)
    unit = price * parameters["max_depth"] if price else 0.0
    recipe = Recipe(parameters, 0, signs)
    boosters = [_booster(fold, recipe, seed, cores) for fold in folds]
    curves: list[list[float]] = [[] for _ in folds]
    mean, best, steps, growing, pruned = np.empty(0), 0, 0, True, False
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        while growing and not pruned:
            step = min(patience, MOST_TREES - len(mean))
            for curve, more in zip(curves, pool.map(_grow, boosters, [step] * len(boosters)), strict=True):
                curve.extend(more)
            mean = np.average(np.array(curves), axis=0, weights=[fold.share for fold in folds])
            objective = mean + unit * np.arange(1, len(mean) + 1)
            best = int(np.argmin(objective))
            growing = len(mean) < MOST_TREES and len(mean) - best <= patience
            pruned = hopeful is not None and not hopeful(steps, float(objective[best])) and growing
            steps += 1
    by_fold = tuple(curve[best] for curve in curves)
    return Trial(replace(recipe, trees=best + 1), float(mean[best]), by_fold, unit * (best + 1), pruned)


def _step(parameters: Mapping[str, float | int]) -> int:
    """Give the number of trees that are grown at once: about as much learning at any rate."""
    return max(20, round(1.5 / float(parameters["learning_rate"])))


def _booster(fold: Fold, recipe: Recipe, seed: int, cores: int) -> Any:
    """Give a booster without trees that knows what it is measured on."""
    booster = lgb.Booster(growing(recipe, seed, cores) | {"metric": "binary_logloss"}, fold.learn)
    booster.add_valid(fold.measure, "held out")
    return booster


def _grow(booster: Any, trees: int) -> list[float]:
    """Add trees and give the log loss on the held-out fold after each."""
    return [float(booster.eval_valid()[0][2]) for _ in _growth(booster, trees)]


def _growth(booster: Any, trees: int) -> Iterator[None]:
    """Add trees, one at a time, as one step: where a step begins is part of what LightGBM draws."""
    booster.reset_parameter({"verbosity": -1})  # LightGBM keeps its log level per thread
    for _ in range(trees):
        booster.update()
        yield


def losses(folds: Sequence[Fold], recipes: Sequence[Recipe], seed: int) -> list[Floats]:
    """Grow the recipe of each fold to its number of trees and give the log loss of each row measured on.

    They are the trees that `measure` grew with one thread, so the mean over a fold is what it gave for that fold.

    Args:
        folds: what is learnt from and measured on.
        recipes: one per fold.
        seed: of the boosters.

    Returns:
        Of each fold, nats, shape (m,).
    """
    boosters = [_booster(fold, recipe, seed, 1) for fold, recipe in zip(folds, recipes, strict=True)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        held_out = list(pool.map(_grown, boosters, recipes))
    return [_log_loss(fold.measure.get_label(), found) for fold, found in zip(folds, held_out, strict=True)]


def _grown(booster: Any, recipe: Recipe) -> Floats:
    """Grow a recipe in the steps that `measure` takes and give the probabilities of the held-out fold, shape (m,)."""
    step = _step(recipe.parameters)
    for first in range(0, recipe.trees, step):
        for _ in _growth(booster, min(step, recipe.trees - first)):
            pass
    kept: list[Floats] = []

    def keep(probabilities: Floats, _rows: Any) -> tuple[str, float, bool]:
        kept.append(probabilities.copy())
        return "kept", 0.0, False

    booster.eval_valid(keep)
    return kept[0]


def _log_loss(y: NDArray[np.float32], probability: Floats) -> Floats:
    found: Floats = -np.log(np.maximum(np.where(y == 1, probability, 1 - probability), LEAST))
    return found
