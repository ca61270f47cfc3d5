"""Tuning: parameters and number of trees by log loss on leads that were not learnt from, inside the training side."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.spec import FeatureSpec
from training.baselines import RulesLink
from training.fit import FIXED, Recipe, dataset, growing, threads
from training.monotone import constraints
from training.rows import Rows, lead_hash
from training.study import Attempt, Outcome, Question, Range, Study, fingerprint

# Tuning looks at so many rows at most (whole leads): more would cost minutes and change little.
MOST_ROWS: Final = 16_000
MOST_TREES: Final = 400
# The number of trees is chosen anew on so many rows at most, where there are more than tuning looks at: more rows carry
# more trees. One of `GROWTH_FOLDS` parts of the leads is held out.
GROWTH_ROWS: Final = 400_000
GROWTH_FOLDS: Final = 4
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
SPACE: Final[dict[str, Range]] = {
    "max_depth": Range(2, 4, whole=True),
    "learning_rate": Range(0.02, 0.12, log=True),
    "min_data_in_leaf": Range(10, 200, log=True, whole=True),
    "feature_fraction": Range(0.1, 1.0, log=True),
    "bagging_fraction": Range(0.5, 1.0),
    "lambda_l2": Range(0.1, 100.0, log=True),
}
# What explaining costs, in nats of log loss per unit of depth x trees. TreeSHAP's work grows
# with both (S. Lundberg et al., 2020, doi:10.1038/s42256-019-0138-9). The dearest recipe of the space (400 trees of
# depth 4) pays 0.00016 nats: the price is to decide between recipes that validation cannot tell apart, and no more.
PRICE: Final = 1e-7
# On small data the final booster is grown this many times slower, with as many times the trees: less chance in it.
SLOWER: Final = 2


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


def tuning_rows(rows: Rows, seed: int, most: int | None = None) -> Rows:
    """Keep whole leads, about `most` rows (None = `MOST_ROWS`): all with a positive, of the others a share by hash.

    Rows of the others weigh 1 / share, so that every weighted mean stays what it was; positives are what a rare target
    is short of.
    """
    most = MOST_ROWS if most is None else most
    if len(rows) <= most:
        return rows
    positive_leads = rows.frame.filter(pl.col("label") == 1.0)["lead_id"].unique()
    kept = rows.frame["lead_id"].is_in(positive_leads.implode()).to_numpy()
    others = int(np.count_nonzero(~kept))
    share = max(most - (len(rows) - others), most // 2) / max(others, 1)
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
    studies: str | None = None,
    price: float = PRICE,
    monotone: Mapping[str, int] | None = None,
) -> Tuned:
    """Choose a recipe on the training side.

    Every trial grows boosters on all folds but one and measures the weighted log loss on that one after each tree; the
    number of trees is the one with the smallest mean over the folds, cost of explaining included. A trial that is
    behind half of the finished ones is ended between two steps of growth. Deterministic given the seed, also where it
    was killed and resumed, unless the time limit ends it early (the first trial always finishes) or several processes
    share the study.

    Args:
        rows: training rows.
        specs: one per column of X.
        trials: number of trials.
        seed: of folds, sampler and boosters.
        seconds: no new trial begins after so long; None = no limit.
        progress: called with (trials done, trials) after each; a resumed study begins with those it has.
        studies: URL of the database that keeps the trials (see `training.study.address`); None = they are forgotten.
        price: of explaining, in nats per unit of depth x trees; 0 = it costs nothing.
        monotone: feature name -> 1 (more never lowers the score) or -1 (more never raises it).

    Raises:
        InputError: a price below 0, or a constraint on what is not there.
        NotEnoughDataError: no fold has both outcomes to learn from.
        WorkspaceError: the database of studies is damaged, or cannot be read or written.
    """
    if not 0 <= price < float("inf"):
        raise InputError(f"price of explaining {price:g}: must be 0 or more, such as {PRICE:g} nats per depth x trees")
    signs = constraints(specs, monotone or {})
    sample = tuning_rows(rows, seed)
    count = number_of_folds(len(sample))
    folds = list(_folds(sample, specs, count, seed))
    if not folds:
        raise NotEnoughDataError(
            f"tuning: none of {count} folds of {len(sample):,} rows has both outcomes to learn from; more are needed: "
            "leave --rung out, or cut later"
        )

    def measure(attempt: Attempt) -> Outcome:
        found = _measure(folds, _parameters(attempt.values), seed, price=price, signs=signs, hopeful=attempt.hopeful)
        if not np.isfinite(found.objective):
            raise InputError("tuning: the log loss is not finite; features and points must be finite or null")
        return Outcome(found.objective, _record(found), found.pruned)

    with Study.opened(_question(sample, specs, count, seed=seed, price=price, signs=signs), studies) as study:
        done = tuple(_trial(record) for record in study.run(measure, trials, seconds=seconds, progress=progress))
    chosen = choose(done)
    recipe = chosen.recipe
    recipe = slowed(recipe) if len(sample) == len(rows) else regrown(rows, specs, recipe, seed, price)
    return Tuned(recipe, chosen.log_loss, done, count, len(sample))


def choose(trials: Sequence[Trial]) -> Trial:
    """Give the trial with the smallest objective, unless that is not distinguishable from the first, usual one.

    The luckiest of many trials looks better than it is. It must beat the usual recipe by more than one standard error
    of their difference over the folds; on two or more folds whose differences agree this is almost no demand.
    """
    usual, best = trials[0], min((trial for trial in trials if not trial.pruned), key=lambda trial: trial.objective)
    gains = np.array(usual.by_fold) - np.array(best.by_fold)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else 0.0
    return best if usual.objective - best.objective > error else usual


def slowed(recipe: Recipe) -> Recipe:
    """Give the recipe of the final booster on small data: slower and longer, so that less of it is chance.

    Where there are more rows than tuning looks at, more of them do the same at less cost.
    """
    rate = recipe.parameters["learning_rate"] / SLOWER
    return Recipe({**recipe.parameters, "learning_rate": rate}, recipe.trees * SLOWER, recipe.monotone)


def regrown(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int, price: float = PRICE) -> Recipe:
    """Give the recipe with as many trees as all rows carry, measured on leads that are held out; never with fewer."""
    many = tuning_rows(rows, seed, GROWTH_ROWS)
    fold = next(_folds(many, specs, GROWTH_FOLDS, seed), None)
    if fold is None:
        return recipe
    found = _measure(
        [fold], dict(recipe.parameters), seed, price=price, signs=recipe.monotone, cores=threads(len(many))
    )
    return replace(recipe, trees=max(recipe.trees, found.recipe.trees))


def _question(
    rows: Rows, specs: Sequence[FeatureSpec], folds: int, *, seed: int, price: float, signs: Sequence[int]
) -> Question:
    """Name the question that a study answers: any other row, feature, fold, seed, space or library is another one."""
    arrays = (rows.X, rows.points, rows.y, rows.weight)
    settings = {
        "specs": [spec.to_json() for spec in specs],
        "leads": rows.lead_ids.tolist(),
        "folds": [folds, seed],
        "space": {name: asdict(range_) for name, range_ in SPACE.items()},
        "growth": [USUAL, FIXED, MOST_TREES, price, list(signs)],
        "lightgbm": lgb.__version__,
    }
    parts = (np.where(np.isnan(array), np.nan, array + 0.0).tobytes() for array in arrays)
    name = fingerprint(json.dumps(settings, sort_keys=True), str(rows.X.shape), *parts)
    return Question(name, SPACE, {name: USUAL[name] for name in SPACE}, seed)


def _parameters(values: Mapping[str, float | int]) -> dict[str, float | int]:
    return {**USUAL, **values, "num_leaves": 2 ** int(values["max_depth"])}


def _record(trial: Trial) -> dict[str, Any]:
    """Give a trial as JSON."""
    recipe = {"parameters": dict(trial.recipe.parameters), "trees": trial.recipe.trees}
    monotone = list(trial.recipe.monotone)
    rest = {"log_loss": trial.log_loss, "by_fold": list(trial.by_fold), "cost": trial.cost, "pruned": trial.pruned}
    return {**recipe, "monotone": monotone, **rest}


def _trial(record: Mapping[str, Any]) -> Trial:
    """Read what `_record` gave."""
    recipe = Recipe(record["parameters"], record["trees"], tuple(record["monotone"]))
    return Trial(recipe, record["log_loss"], tuple(record["by_fold"]), record["cost"], record["pruned"])


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


def _measure(
    folds: Sequence[_Fold],
    parameters: dict[str, float | int],
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
    patience = max(20, round(1.5 / float(parameters["learning_rate"])))
    unit = price * parameters["max_depth"] if price else 0.0
    recipe = Recipe(parameters, 0, signs)
    boosters = [_booster(fold, recipe, seed, cores) for fold in folds]
    shares = [fold.share for fold in folds]
    curves: list[list[float]] = [[] for _ in folds]
    mean, best, steps, growing, pruned = np.empty(0), 0, 0, True, False
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        while growing and not pruned:
            step = min(patience, MOST_TREES - len(mean))
            for curve, more in zip(curves, pool.map(_grow, boosters, [step] * len(boosters)), strict=True):
                curve.extend(more)
            mean = np.average(np.array(curves), axis=0, weights=shares)
            objective = mean + unit * np.arange(1, len(mean) + 1)
            best = int(np.argmin(objective))
            growing = len(mean) < MOST_TREES and len(mean) - best <= patience
            pruned = hopeful is not None and not hopeful(steps, float(objective[best])) and growing
            steps += 1
    by_fold = tuple(curve[best] for curve in curves)
    return Trial(replace(recipe, trees=best + 1), float(mean[best]), by_fold, unit * (best + 1), pruned)


def _booster(fold: _Fold, recipe: Recipe, seed: int, cores: int) -> Any:
    """Give a booster without trees that knows what it is measured on."""
    booster = lgb.Booster(growing(recipe, seed, cores) | {"metric": "binary_logloss"}, fold.learn)
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
