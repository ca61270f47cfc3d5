"""Tuning: parameters and number of trees by log loss on leads that were not learnt from, inside the training side."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.spec import FeatureSpec
from training import growth
from training.best_trial import Verdict, against_usual
from training.fit import FIXED, Recipe, threads
from training.growth import MOST_TREES, Fold, Trial
from training.monotone import constraints
from training.rows import Rows, lead_hash
from training.study import Attempt, Outcome, Question, Range, Study, fingerprint

# Tuning looks at so many rows at most (whole leads): more would cost minutes and change little.
MOST_ROWS: Final = 16_000
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
class Tuned:
    """What tuning found.

    Attributes:
        recipe: the chosen one, as the final booster is grown by it.
        log_loss: of the trial that was taken.
        trials: every trial, in order.
        folds: number of folds.
        rows: number of rows that were looked at.
        verdict: the best trial against the usual recipe, and which was taken.
    """

    recipe: Recipe
    log_loss: float
    trials: tuple[Trial, ...]
    folds: int
    rows: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Task:
    """What is tuned on, and how.

    Attributes:
        sample: the rows that are looked at.
        specs: one per column of X.
        count: number of folds.
        folds: those that can be learnt beside.
        seed: of folds, sampler and boosters.
        price: of explaining.
        signs: monotone constraints.
    """

    sample: Rows
    specs: Sequence[FeatureSpec]
    count: int
    folds: tuple[Fold, ...]
    seed: int
    price: float
    signs: tuple[int, ...]

    @classmethod
    def of(
        cls, rows: Rows, specs: Sequence[FeatureSpec], *, seed: int, price: float, monotone: Mapping[str, int]
    ) -> Self:
        """Check what is asked for, and cut the folds."""
        if not 0 <= price < float("inf"):
            raise InputError(
                f"price of explaining {price:g}: must be 0 or more, such as {PRICE:g} nats per depth x trees"
            )
        signs = constraints(specs, monotone)
        sample = tuning_rows(rows, seed)
        count = number_of_folds(len(sample))
        folds = tuple(growth.cut(sample, specs, folds_of(sample, count, seed)))
        if not folds:
            raise NotEnoughDataError(
                f"tuning: none of {count} folds of {len(sample):,} rows has both outcomes to learn from; more are "
                "needed: leave --rung out, or cut later"
            )
        return cls(sample, specs, count, folds, seed, price, signs)

    def question(self) -> Question:
        """Name what is asked."""
        return _question(self.sample, self.specs, self.count, seed=self.seed, price=self.price, signs=self.signs)

    def measure(self, attempt: Attempt) -> Outcome:
        """Try a recipe."""
        parameters = _parameters(attempt.values)
        found = growth.measure(
            self.folds, parameters, self.seed, price=self.price, signs=self.signs, hopeful=attempt.hopeful
        )
        if not np.isfinite(found.objective):
            raise InputError("tuning: the log loss is not finite; features and points must be finite or null")
        return Outcome(found.objective, found.to_json(), found.pruned)


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
    behind half of the finished ones is ended between two steps of growth. The best trial is taken only if it beats the
    usual recipe beyond chance (see `training.best_trial`). Deterministic given the seed, also where it was killed and
    resumed, unless the time limit ends it early (the first trial always finishes) or several processes
    share the study.

    Args:
        rows: training rows.
        specs: one per column of X.
        trials: number of trials.
        seed: of folds, sampler and boosters.
        seconds: no new trial begins after so long; None = no limit. The comparison with the usual recipe follows, in
            less than two trials' time.
        progress: called with (trials done, trials) after each; a resumed study begins with those it has.
        studies: URL of the database that keeps the trials (see `training.study.address`); None = they are forgotten.
        price: of explaining, in nats per unit of depth x trees; 0 = it costs nothing.
        monotone: feature name -> 1 (more never lowers the score) or -1 (more never raises it).

    Raises:
        InputError: a price below 0, or a constraint on what is not there.
        NotEnoughDataError: no fold has both outcomes to learn from.
        WorkspaceError: the database of studies is damaged, or cannot be read or written.
    """
    task = _Task.of(rows, specs, seed=seed, price=price, monotone=monotone or {})
    with Study.opened(task.question(), studies) as study:
        records = study.run(task.measure, trials, seconds=seconds, progress=progress)
    done = tuple(Trial.of_json(record) for record in records)
    verdict = against_usual(done, task.folds, seed)
    chosen = done[verdict.taken]
    whole = len(task.sample) == len(rows)
    recipe = slowed(chosen.recipe) if whole else regrown(rows, specs, chosen.recipe, seed, price)
    return Tuned(recipe, chosen.log_loss, done, task.count, len(task.sample), verdict)


def slowed(recipe: Recipe) -> Recipe:
    """Give the recipe of the final booster on small data: slower and longer, so that less of it is chance.

    Where there are more rows than tuning looks at, more of them do the same at less cost.
    """
    rate = recipe.parameters["learning_rate"] / SLOWER
    return Recipe({**recipe.parameters, "learning_rate": rate}, recipe.trees * SLOWER, recipe.monotone)


def regrown(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int, price: float = PRICE) -> Recipe:
    """Give the recipe with as many trees as all rows carry, measured on leads that are held out; never with fewer."""
    many = tuning_rows(rows, seed, GROWTH_ROWS)
    fold = next(growth.cut(many, specs, folds_of(many, GROWTH_FOLDS, seed)), None)
    if fold is None:
        return recipe
    cores = threads(len(many))
    found = growth.measure([fold], recipe.parameters, seed, price=price, signs=recipe.monotone, cores=cores)
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
