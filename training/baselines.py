"""Scorers that a model has to beat: the base rate, the rules as a probability, and logistic regression.

All three are fitted on outcomes of the training side only, take row weights, and answer with probabilities strictly
inside (0, 1), whatever the training rows: one class, no variation and perfect separation included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.metrics import log_losses_of_log_odds
from leadlight.spec import FeatureSpec
from leadlight.terms import squashed
from scoring.scale import probabilities
from training.penalised import minimise

Floats = NDArray[np.float64]

# One imagined row, half of it positive: Jeffreys' prior of a rate. H. Jeffreys (1946), doi:10.1098/rspa.1946.0056.
PSEUDO_ROWS: Final = 1.0
# Prior standard deviation, in log-odds, of what one standard deviation of rule points is worth; wide on purpose.
RULE_EFFECT: Final = 5.0
# Inverse strength of the ridge penalty of `Logistic`, tried in this order, for rows of mean weight 1.
PENALTIES: Final = (0.001, 0.01, 0.1, 1.0)
USUAL_PENALTY: Final = 0.1
FOLDS: Final = 2
# Rows are expanded into columns so many at a time where they are only predicted.
EXPANDED_ROWS: Final = 100_000
# So many rows are expanded at once: their columns stay in a processor's cache while they are written.
BLOCK_ROWS: Final = 512
# A category's codes from here on share one column (a catalog gives the smallest codes to what most leads have).
MOST_LEVELS: Final = 100
# The penalty is chosen on about so many rows, evenly spread over time: more would cost seconds and settle nothing.
CHOICE_ROWS: Final = 8_000
# The search for coefficients ends where the log loss of a row neither slopes nor can fall by more.
FLAT: Final = 1e-4


def base_rate(labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Give the weighted share of positives, with half a positive and half a negative added.

    So the rate of a training side without a positive is small and not 0: k = 0 of n = 49 rows give 0.01.

    Raises:
        NotEnoughDataError: no row with weight.
        InputError: labels that are not 0 or 1, weights < 0, or shapes that differ.

    >>> base_rate([0] * 49)
    0.01
    """
    y, mass = _labels(labels, weights)
    return float((mass @ y + PSEUDO_ROWS / 2) / (mass.sum() + PSEUDO_ROWS))


class RulesLink(NamedTuple):
    """Points of a rule card as log-odds: a + b x points.

    Attributes:
        a: log-odds at 0 points.
        b: log-odds of one point, >= 0: more points never mean less.
    """

    a: float
    b: float

    def log_odds(self, points: Floats) -> Floats:
        """Give a + b x points, shape (n,)."""
        return self.a + self.b * points

    def probability(self, points: Floats) -> Floats:
        """Give the probability of a + b x points, shape (n,).

        >>> RulesLink(0.0, 1.0).probability(np.array([-1000.0, 0.0, 1000.0])).tolist()
        [0.0, 0.5, 1.0]
        """
        return probabilities(self.log_odds(points))

    @classmethod
    def fit(cls, points: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Self:
        """Fit both parameters by weighted maximum likelihood under weak priors, b >= 0.

        Minimises sum w (-log-likelihood) over the rows and two imagined ones at the mean points (weight 1/2 each, one
        positive and one negative: Jeffreys' prior of the rate), plus (b sd)^2 / (2 x RULE_EFFECT^2), sd = the weighted
        standard deviation of the points. The priors weigh as much as about one row: they matter where the outcomes
        separate perfectly, and keep the answer finite. Convex; solved by Newton's method; if its b is negative, the
        constrained optimum is b = 0.

        Where all labels or all points are the same, b = 0 and the probability is `base_rate`.

        Args:
            points: rule points, shape (n,), finite.
            labels: 0 or 1, shape (n,); leave censored rows out.
            weights: >= 0, shape (n,); None = 1 each.

        Raises:
            NotEnoughDataError: no row with weight.
            InputError: an argument outside its domain.
        """
        y, mass = _labels(labels, weights)
        x = np.asarray(points, dtype=np.float64)
        if x.shape != y.shape or not np.all(np.isfinite(x)):
            raise InputError(f"points have shape {x.shape}, must be {y.shape} of finite numbers")
        rate = base_rate(y, mass)
        flat = cls(float(np.log(rate / (1 - rate))), 0.0)
        mean = float(mass @ x / mass.sum())
        spread = float(np.sqrt(mass @ (x - mean) ** 2 / mass.sum()))
        if spread <= 1e-12 * max(1.0, abs(mean)) or _one_class(y, mass):
            return flat
        level, slope = _newton((x - mean) / spread, y, mass, flat.a)
        return flat if slope <= 0 else cls(level - slope * mean / spread, slope / spread)


def _newton(z: Floats, y: Floats, mass: Floats, start: float) -> tuple[float, float]:
    """Minimise the penalised loss of level + slope x z, z standardised, from (start, 0)."""
    z, y = np.append(z, [0.0, 0.0]), np.append(y, [1.0, 0.0])
    mass = np.append(mass, [PSEUDO_ROWS / 2, PSEUDO_ROWS / 2])
    ridge = np.array([0.0, 1 / RULE_EFFECT**2])
    level, slope = minimise(np.column_stack([np.ones_like(z), z]), y, mass, ridge, start=np.array([start, 0.0])).theta
    return float(level), float(slope)


@dataclass(frozen=True, slots=True)
class Columns:
    """How a feature matrix becomes the columns of a linear model; everything learned on the training rows.

    A quantity x enters as sign(x) ln(1 + |x|), standardised; null as the median, with a 0/1 column for "missing" where
    any training row lacks it. A category enters as one 0/1 column per code, the `other` bucket included (codes from
    `MOST_LEVELS` on share one); null as none of them, again with a "missing" column.

    Attributes:
        codes: number of 0/1 columns of each feature, 0 for a quantity, length p.
        medians: of the transformed quantity, shape (p,).
        missing: whether the feature has a "missing" column, shape (p,).
        mean: of the expanded columns, shape (q,).
        scale: standard deviation of the expanded columns, 1 for constant ones, shape (q,).
    """

    codes: tuple[int, ...]
    medians: Floats
    missing: NDArray[np.bool_]
    mean: Floats
    scale: Floats

    @classmethod
    def learn(cls, X: Floats, specs: Sequence[FeatureSpec]) -> tuple[Self, Floats]:
        """Learn medians, missing columns and scales from the training rows (n, p); gives their expanded columns too."""
        codes = tuple(min(len(spec.categories), MOST_LEVELS) + 1 if spec.categorical else 0 for spec in specs)
        missing: NDArray[np.bool_] = np.any(np.isnan(X), axis=0)
        medians = np.array([np.median(v) if len(v) else 0.0 for v in (_known(column) for column in squashed(X).T)])
        raw = cls(codes, medians, missing, np.zeros(1), np.ones(1))._table(X)  # noqa: SLF001  (its own)
        scale = raw.std(axis=0)
        columns = cls(codes, medians, missing, raw.mean(axis=0), np.where(scale > 0, scale, 1.0))
        return columns, columns._standardised(raw)

    def expand(self, X: Floats) -> Floats:
        """Give the columns of the linear model, standardised, shape (n, q)."""
        return self._standardised(self._table(X))

    def _standardised(self, table: Floats) -> Floats:
        """Standardise columns where they stand."""
        table -= self.mean
        table /= self.scale
        return table

    def _table(self, X: Floats) -> Floats:
        """Give the columns as they are, a bounded number of rows at a time: a row's columns lie side by side."""
        widths = np.maximum(self.codes, 1) + self.missing
        ends = np.cumsum(widths, dtype=np.intp)
        table = np.empty((len(X), int(widths.sum())))
        for start in range(0, len(X), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            self._fill(np.asfortranarray(X[rows]), table[rows], ends - widths)
        return table

    def _fill(self, X: Floats, table: Floats, begins: NDArray[np.intp]) -> None:
        """Write the columns of some rows, those of each feature from its place on."""
        lines, nulls = squashed(X), np.isnan(X)
        for place, (codes, at) in enumerate(zip(self.codes, begins, strict=True)):
            null = nulls[:, place]
            if codes:
                table[:, at : at + codes] = np.minimum(X[:, place], codes - 1)[:, None] == np.arange(codes)
            else:
                table[:, at] = np.where(null, self.medians[place], lines[:, place])
            if self.missing[place]:
                table[:, at + max(codes, 1)] = null


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression with a ridge penalty on standardised columns: what a careful analyst would try first.

    Attributes:
        columns: how a feature matrix is expanded.
        coefficients: log-odds per standard deviation of a column, shape (q,).
        intercept: log-odds at the mean of every column.
        penalty: inverse strength of the ridge that was chosen; None where one class left nothing to fit.
    """

    columns: Columns
    coefficients: Floats
    intercept: float
    penalty: float | None

    @classmethod
    def fit(
        cls,
        X: Floats,
        labels: ArrayLike,
        specs: Sequence[FeatureSpec],
        weights: ArrayLike | None = None,
        *,
        order: ArrayLike | None = None,
    ) -> Self:
        """Fit on training rows; deterministic.

        The strength of the penalty is the one with the smallest log loss on later rows: the rows (every k-th of very
        many) are cut by `order` into three parts of equal size, and each of the last two is predicted from all parts
        before it. Without `order`, or where a part has one class only, 0.1 is taken.

        Args:
            X: features, shape (n, p), NaN = null; codes where the spec is categorical.
            labels: 0 or 1, shape (n,); leave censored rows out.
            specs: one per column.
            weights: >= 0, shape (n,); None = 1 each.
            order: as_of of each row, shape (n,); earlier rows predict later ones when the penalty is chosen.

        Raises:
            NotEnoughDataError: no row with weight.
            InputError: shapes that differ, an infinite feature, or labels that are not 0 or 1.
        """
        y, mass = _labels(labels, weights)
        _check_matrix(X, specs, len(y))
        columns, Z = Columns.learn(X, specs)
        rate = base_rate(y, mass)
        if _one_class(y, mass) or Z.shape[1] == 0:
            return cls(columns, np.zeros(Z.shape[1]), float(np.log(rate / (1 - rate))), None)
        with threadpool_limits(1):  # on products of this size the threads of BLAS wait longer than they work
            penalty = _choose_penalty(Z, y, mass, None if order is None else np.asarray(order))
            (theta,) = _ridges(Z, y, mass, (penalty,))
        return cls(columns, theta[:-1], float(theta[-1]), penalty)

    def probability(self, X: Floats) -> Floats:
        """Give the probability of every row, shape (n,).

        Raises:
            InputError: X does not have the columns that were fitted, or holds an infinity.
        """
        if X.ndim != 2 or X.shape[1] != len(self.columns.codes) or np.isinf(X).any():
            raise InputError(f"X has shape {X.shape}, must be (n, {len(self.columns.codes)}) without infinities")
        starts = range(0, max(len(X), 1), EXPANDED_ROWS)
        parts = [self.columns.expand(X[start : start + EXPANDED_ROWS]) @ self.coefficients for start in starts]
        return probabilities(np.concatenate(parts) + self.intercept)


def simplified(rows: int, known: int, specs: Sequence[FeatureSpec]) -> tuple[str, ...]:
    """Say in sentences where a logistic regression is less than a full one, so that nobody takes it for that.

    Args:
        rows: training rows that it was fitted on.
        known: training rows that there are.
        specs: its features.

    >>> simplified(500, 500, ())
    ()
    """
    said = []
    if rows < known:
        said.append(
            f"the logistic regression was fitted on {rows:,} of {known:,} training snapshots: those of every lead with "
            "a success, and of the other leads a share drawn at random, weighted to stand for all"
        )
    wide = [spec for spec in specs if len(spec.categories) > MOST_LEVELS]
    if wide:
        names = ", ".join(f"`{spec.name}` ({len(spec.categories):,})" for spec in wide)
        said.append(
            f"the logistic regression has a column for each of the first {MOST_LEVELS} values, and one for all others, "
            f"of {names}"
        )
    return tuple(said)


def _choose_penalty(Z: Floats, y: Floats, mass: Floats, order: NDArray[np.generic] | None) -> float:
    """Try every penalty on later rows (see `Logistic.fit`); of equally good ones the stronger."""
    if order is None:
        return USUAL_PENALTY
    spread = np.argsort(order, kind="stable")[:: max(1, len(order) // CHOICE_ROWS)]
    parts = np.array_split(spread, FOLDS + 1)
    folds = [(np.concatenate(parts[:k]), parts[k]) for k in range(1, FOLDS + 1)]
    if any(_one_class(y[rows], mass[rows]) for fold in folds for rows in fold):
        return USUAL_PENALTY
    losses = np.sum([_later_losses(Z, y, mass, fold) for fold in folds], axis=0)
    return PENALTIES[int(np.argmin(losses))]


def _later_losses(Z: Floats, y: Floats, mass: Floats, fold: tuple[NDArray[np.intp], NDArray[np.intp]]) -> list[float]:
    """Give the log loss of the later rows under each penalty, fitted on the earlier ones."""
    earlier, later = fold
    found = _ridges(Z[earlier], y[earlier], mass[earlier], PENALTIES)
    etas = [Z[later] @ theta[:-1] + theta[-1] for theta in found]
    return [float(mass[later] @ log_losses_of_log_odds(y[later], eta)) for eta in etas]


def _ridges(Z: Floats, y: Floats, mass: Floats, penalties: Sequence[float]) -> list[Floats]:
    """Give coefficients, and the intercept as the last of them, for each penalty; the intercept has none.

    Weights are scaled to mean 1, so that a penalty means the same whatever their scale.
    """
    told = np.append(Z.any(axis=0), True)  # a column of nothing but 0 has the coefficient 0
    design, weight = np.column_stack([Z[:, told[:-1]], np.ones(len(Z))]), mass / mass.mean()
    free = np.append(np.ones(design.shape[1] - 1), 0.0)
    found = []
    for penalty in penalties:
        theta = np.zeros(len(told))
        theta[told] = minimise(design, y, weight, free / penalty, flat=FLAT).theta
        found.append(theta)
    return found


def _known(column: Floats) -> Floats:
    known: Floats = column[~np.isnan(column)]
    return known


def _one_class(y: Floats, mass: Floats) -> bool:
    """Tell whether the rows with weight hold one class only (sums of weights would be equal up to rounding)."""
    held = y[mass > 0]
    return len(held) == 0 or bool(held.min() == held.max())


def _labels(labels: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats]:
    y = np.asarray(labels, dtype=np.float64)
    mass = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
    if y.ndim != 1 or mass.shape != y.shape:
        raise InputError(f"labels have shape {y.shape}, weights {mass.shape}; both must be (n,)")
    if not np.all((y == 0) | (y == 1)):
        raise InputError("labels hold a value that is neither 0 nor 1; leave censored rows out first")
    if not np.all(np.isfinite(mass) & (mass >= 0)):
        raise InputError("weights must be finite and >= 0")
    if mass.sum() == 0:
        raise NotEnoughDataError("no training snapshot with a known outcome; choose a later --test-from or more data")
    return y, mass


def _check_matrix(X: Floats, specs: Sequence[FeatureSpec], n: int) -> None:
    if X.shape != (n, len(specs)):
        raise InputError(f"X has shape {X.shape}, must be ({n}, {len(specs)}): a row per label, a column per spec")
    if np.isinf(X).any():
        raise InputError("X holds an infinity; features must be finite or null")
