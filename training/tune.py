"""Tuning: parameters and number of trees by log loss on leads that were not learnt from, inside the training side."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import optuna
import polars as pl
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.baselines import RulesLink
from training.fit import FIXED, Recipe, dataset
from training.rows import Rows, lead_hash

# Tuning looks at so many rows at most (whole leads): more would cost minutes and change little.
MOST_ROWS: Final = 16_000
MOST_TREES: Final = 400
# The first trial, so that a study is never worse than a sensible guess.
USUAL: Final[dict[str, float | int]] = {
    "learning_rate": 0.04,
    "max_depth": 3,
    "num_leaves": 8,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.35,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
}
# On small data the final booster is grown this many times slower, with as many times the trees: less chance in it.
SLOWER: Final = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe that was tried, its log loss averaged over the folds, and that of each fold at its number of trees."""

    recipe: Recipe
    log_loss: float
    by_fold: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The chosen recipe and every trial, in order."""

    recipe: Recipe
    log_loss: float
    trials: tuple[Trial, ...]
    folds: int
    rows: int


def folds_of(rows: Rows, folds: int, seed: int) -> NDArray[np.int64]:
    """Give the fold of each row, shape (n,): all rows of a lead share one."""
    return lead_hash(rows.lead_ids, seed) % folds


def number_of_folds(n: int) -> int:
    """Give five folds for small data, where every row counts, and fewer for large (even: two grow side by side)."""
    return 5 if n < 6_000 else 4 if n < 12_000 else 2


def tuning_rows(rows: Rows, seed: int) -> Rows:
    """Keep whole leads, about `MOST_ROWS` rows: every lead with a positive, and of the others a share chosen by hash.

    Rows of the others weigh 1 / share, so that every weighted mean stays what it was; positives are what a rare target
    is short of.
    """
    if len(rows) <= MOST_ROWS:
        return rows
    positive_leads = rows.frame.filter(pl.col("label") == 1.0)["lead_id"].unique()
    kept = rows.frame["lead_id"].is_in(positive_leads.implode()).to_numpy()
    others = int(np.count_nonzero(~kept))
    share = max(MOST_ROWS - (len(rows) - others), MOST_ROWS // 2) / max(others, 1)
    if share >= 1:
        return rows
    drawn = lead_hash(rows.lead_ids, seed + 1) < share * 2**32
    weighted = replace(rows, weight=np.where(kept, rows.weight, rows.weight / share))
    return weighted.take(kept | drawn)


def tune(
    rows: Rows,
    specs: Sequence[FeatureSpec],
    *,
    trials: int,
    seed: int,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tuned:
    """Choose a recipe on the training side.

    Every trial grows boosters on all folds but one and measures the weighted log loss on that one after each tree; the
    number of trees is the one with the smallest mean over the folds. Deterministic given the seed, unless the time
    limit ends it early (the first trial always finishes).

    Args:
        rows: training rows.
        specs: one per column of X.
        trials: number of trials.
        seed: of folds, sampler and boosters.
        seconds: no new trial begins after so long; None = no limit.
        progress: called with (trials done, trials) after each.
    """
    sample = tuning_rows(rows, seed)
    count = number_of_folds(len(sample))
    folds = list(_folds(sample, specs, count, seed))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(5, trials // 2)))
    study.enqueue_trial({name: value for name, value in USUAL.items() if name not in {"bagging_freq", "num_leaves"}})
    done: list[Trial] = []
    start = time.monotonic()
    while len(done) < trials and not (done and seconds is not None and time.monotonic() - start > seconds):
        asked = study.ask()
        result = _measure(folds, _parameters(asked), seed)
        study.tell(asked, result.log_loss)
        done.append(result)
        if progress is not None:
            progress(len(done), trials)
    chosen = choose(done)
    recipe = slowed(chosen.recipe) if len(sample) == len(rows) else chosen.recipe
    return Tuned(recipe, chosen.log_loss, tuple(done), count, len(sample))


def choose(trials: Sequence[Trial]) -> Trial:
    """Give the trial with the smallest log loss, unless that is not distinguishable from the first, usual one.

    The luckiest of many trials looks better than it is. It must beat the usual recipe by more than one standard error
    of their difference over the folds; on two or more folds whose differences agree this is almost no demand.
    """
    usual, best = trials[0], min(trials, key=lambda trial: trial.log_loss)
    gains = np.array(usual.by_fold) - np.array(best.by_fold)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    return best if usual.log_loss - best.log_loss > error else usual


def slowed(recipe: Recipe) -> Recipe:
    """Give the recipe of the final booster on small data: slower and longer, so that less of it is chance.

    Where there are more rows than tuning looks at, more of them do the same at less cost.
    """
    rate = recipe.parameters["learning_rate"] / SLOWER
    return Recipe({**recipe.parameters, "learning_rate": rate}, recipe.trees * SLOWER)


def _parameters(trial: optuna.Trial) -> dict[str, float | int]:
    depth = trial.suggest_int("max_depth", 2, 4)
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.12, log=True),
        "max_depth": depth,
        "num_leaves": 2**depth,
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 10, 200, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 1.0, log=True),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "bagging_freq": 1,
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
    }


@dataclass(frozen=True, slots=True)
class _Fold:
    """Binned data of one fold: what is learnt from, what is measured on, and the latter's share of the weight."""

    learn: Any
    measure: Any
    share: float


def _folds(rows: Rows, specs: Sequence[FeatureSpec], count: int, seed: int) -> Iterator[_Fold]:
    fold = folds_of(rows, count, seed)
    for number in range(count):
        inside, outside = rows.take(fold != number), rows.take(fold == number)
        if not len(outside) or not 0 < inside.y.sum() < len(inside):
            continue
        link = RulesLink.fit(inside.points, inside.y, inside.weight)
        learn = dataset(inside, specs, link)
        measure = dataset(outside, specs, link, reference=learn)
        yield _Fold(
            learn.construct(),
            measure.construct(),
            float(outside.weight.sum() / rows.weight.sum()),
        )


def _measure(folds: Sequence[_Fold], parameters: dict[str, float | int], seed: int) -> Trial:
    """Grow the folds side by side until their mean has not fallen for a while; the best number of trees is its lowest.

    All folds always have the same number of trees: one that is past its best counts with what more trees do to it.
    """
    patience = max(20, round(1.5 / float(parameters["learning_rate"])))
    boosters = [_booster(fold, parameters, seed) for fold in folds]
    shares = [fold.share for fold in folds]
    curves: list[list[float]] = [[] for _ in folds]
    mean, best = np.empty(0), 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        while len(mean) < MOST_TREES and len(mean) - best <= patience:
            step = min(patience, MOST_TREES - len(mean))
            grown = pool.map(_grow, boosters, [step] * len(boosters))
            for curve, more in zip(curves, grown, strict=True):
                curve.extend(more)
            mean = np.average(np.array(curves), axis=0, weights=shares)
            best = int(np.argmin(mean))
    return Trial(Recipe(parameters, best + 1), float(mean[best]), tuple(curve[best] for curve in curves))


def _booster(fold: _Fold, parameters: dict[str, float | int], seed: int) -> Any:
    """Give a booster without trees that knows what it is measured on."""
    settings = {**FIXED, **parameters, "metric": "binary_logloss", "seed": seed, "num_threads": 1}
    booster = lgb.Booster(settings, fold.learn)
    booster.add_valid(fold.measure, "held out")
    return booster


def _grow(booster: Any, trees: int) -> list[float]:
    """Add trees and give the log loss on the held-out fold after each."""
    booster.reset_parameter({"verbosity": -1})  # LightGBM keeps its log level per thread
    losses = []
    for _ in range(trees):
        booster.update()
        losses.append(float(booster.eval_valid()[0][2]))
    return losses
