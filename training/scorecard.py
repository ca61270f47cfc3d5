"""The scorecard: a regularised logistic line over a few features, with the rules' log-odds as offset.

Fitted in two steps, because choosing among many features by few outcomes chooses by chance:

1. A ridge over every column that passes a first look. Its strength is the one of largest evidence (marginal
   likelihood, Laplace's approximation): D. J. C. MacKay (1992), doi:10.1162/neco.1992.4.3.415. No rows are set aside.
2. The few features whose line comes closest to that of the ridge, found by forward search, and the coefficients of
   that closest line; they are not fitted to the outcomes again. J. Piironen, M. Paasiniemi, A. Vehtari (2020),
   Projective inference in high-dimensional problems, doi:10.1214/20-EJS1711.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from leadlight.bundle import Scorer
from leadlight.spec import FeatureSpec
from leadlight.terms import Linear
from scoring.scale import probabilities
from training.baselines import RulesLink
from training.penalised import minimise
from training.prior import Prior, evidence, recalibrated
from training.rows import Rows
from training.scorecard_columns import Group, groups_of, table
from training.settled import settled
from training.tune import tuning_rows

Floats = NDArray[np.float64]

MOST_TERMS: Final = 12
# Of the columns, so many features are looked at together: those whose own gain in likelihood is largest.
MOST_CANDIDATES: Final = 60
# The search ends when the line explains this share of what the ridge says beyond the rules.
EXPLAINED: Final = 0.97
# Ridge penalties that are tried: 1 / variance, in log-odds, of what a standard deviation of a column is worth.
PENALTIES: Final = (10.0, 30.0, 100.0, 300.0, 1000.0)
# Level and slope of the rules have been fitted before: they may move by about this much more, in log-odds.
LEVEL_PENALTY: Final = 1.0
# Newton's method doubles the right digits with each step: after one of this size nothing is left to gain.
CONVERGED: Final = 1e-5
# Keeps the normal equations solvable where columns repeat each other; relative to the mean of the diagonal.
JITTER: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A fitted scorecard: raw log-odds = link + sum of terms.

    Attributes:
        link: the rules' part.
        linear: the terms; places are columns of the training matrix.
        penalty: the ridge penalty that was chosen; None where there was nothing to fit.
    """

    link: RulesLink
    linear: Linear
    penalty: float | None

    def raw(self, rows: Rows) -> Floats:
        """Give the log-odds, shape (n,)."""
        parts: Floats = self.linear.of(rows.X, rows.X).sum(axis=1)
        return self.link.log_odds(rows.points) + parts

    @property
    def places(self) -> tuple[int, ...]:
        """The columns of the training matrix that it reads, in order."""
        return tuple(sorted({term.place for term in self.linear.terms}))

    def into(self, scorer: Scorer, specs: Sequence[FeatureSpec]) -> Scorer:
        """Give a scorer of kind `scorecard` that reads only the features of its terms, in the order of `places`.

        Args:
            scorer: gives the question (target, horizon, reference, card).
            specs: one per column of the training matrix.
        """
        moved = {place: at for at, place in enumerate(self.places)}
        terms = tuple(replace(term, place=moved[term.place]) for term in self.linear.terms)
        return replace(
            scorer,
            kind="scorecard",
            specs=tuple(specs[place] for place in self.places),
            rule_a=self.link.a,
            rule_b=self.link.b,
            linear=Linear(terms),
        )


def fit(
    rows: Rows, specs: Sequence[FeatureSpec], seed: int, *, prior: Prior, most_terms: int = MOST_TERMS
) -> Scorecard:
    """Fit on training rows; deterministic.

    Learnt from are settled rows where there are enough (`training.settled`); very many are thinned to whole leads, all
    with a success among them (`tune.tuning_rows`).

    Args:
        rows: training rows.
        specs: one per column of X.
        seed: which leads stay where rows are thinned.
        prior: of the rules' part.
        most_terms: so many features at most.

    Returns:
        Without a term where one class or no varying column leaves nothing to fit.

    Raises:
        InputError: an infinite feature.
    """
    sample = tuning_rows(settled(rows, specs), seed)
    mass = evidence(sample)
    link = recalibrated(sample.points, sample.y, mass, prior)
    groups = groups_of(sample.X, specs)
    if not 0 < sample.y.sum() < len(sample) or not groups:
        return Scorecard(link, Linear(()), None)
    with threadpool_limits(1):  # on products of this size the threads of BLAS wait for each other longer than they work
        found = _Fit.of(sample, groups, mass, link)
        if found.rule_b < 0:  # the features say all that the points do: the points are left out, never turned around
            found = _Fit.of(sample, groups, mass, RulesLink(link.a, 0.0))
        return found.projected(most_terms)


@dataclass(frozen=True, slots=True)
class _Fit:
    """The ridge over candidate columns: [level, points (absent where its slope is fixed), columns of the groups].

    Attributes:
        groups: candidates.
        owner: group of each column of `design`; -1 for level and points, which always stay.
        design: shape (n, 1 or 2 + q).
        theta: coefficients, shape of the columns.
        curvature: weight m p (1 - p) of each row at the optimum, shape (n,).
        link: the offset.
        unit: mean and standard deviation of the points.
        penalty: chosen.
    """

    groups: tuple[Group, ...]
    owner: NDArray[np.int64]
    design: Floats
    theta: Floats
    curvature: Floats
    link: RulesLink
    unit: tuple[float, float]
    penalty: float

    @classmethod
    def of(cls, rows: Rows, groups: Sequence[Group], mass: Floats, link: RulesLink) -> "_Fit":
        """Screen the groups, choose the penalty by evidence, and fit."""
        offset = link.log_odds(rows.points)
        always, unit = _always(rows.points, mass, slope=link.b > 0)
        kept = _screened(rows, groups, mass, offset)
        columns, owner = table(rows.X, kept)
        design = np.concatenate([always, columns], axis=1)
        fixed = always.shape[1]
        best, theta = (-np.inf, PENALTIES[0], np.zeros(0)), np.zeros(design.shape[1])
        for penalty in reversed(PENALTIES):
            ridge = np.full(design.shape[1], penalty)
            ridge[0] = LEVEL_PENALTY
            theta, worth = _ridge(design, offset, rows.y, mass, ridge=ridge, start=theta)
            if worth <= best[0]:
                break  # from strong to weak the evidence rises to one peak
            best = (worth, penalty, theta)
        p = probabilities(offset + design @ best[2])
        owners = np.concatenate([np.full(fixed, -1), owner])
        return cls(tuple(kept), owners, design, best[2], mass * p * (1 - p), link, unit, best[1])

    @property
    def rule_b(self) -> float:
        """Log-odds of a point, the ridge's correction included."""
        return self._moved(self.theta).b

    def projected(self, most_terms: int) -> Scorecard:
        """Give the closest line over few groups, in the metric of the ridge's own curvature."""
        gram = (self.design * self.curvature[:, None]).T @ self.design
        gram[np.diag_indices_from(gram)] += JITTER * max(float(np.trace(gram)) / len(gram), 1e-300)
        wanted = gram @ self.theta
        chosen: list[int] = []
        columns = np.flatnonzero(self.owner == -1)
        nothing = _reached(gram, wanted, columns)
        whole = float(self.theta @ wanted) - nothing
        while len(chosen) < min(most_terms, len(self.groups)) and whole > 0:
            if _reached(gram, wanted, columns) - nothing >= EXPLAINED * whole:
                break
            left = [number for number in range(len(self.groups)) if number not in chosen]
            gains = [_reached(gram, wanted, self._with(columns, number)) for number in left]
            chosen.append(left[int(np.argmax(gains))])
            columns = self._with(columns, chosen[-1])
        theta = np.zeros_like(self.theta)
        theta[columns] = np.linalg.solve(gram[np.ix_(columns, columns)], wanted[columns])
        link = self._moved(theta)
        if link.b < 0:  # few features say less than all did; the ridge's own slope is safe
            theta[1] = self.theta[1]
            link = self._moved(theta)
        terms = tuple(self.groups[number].term(theta[self.owner == number]) for number in sorted(chosen))
        return Scorecard(link, Linear(terms), self.penalty)

    def _with(self, columns: NDArray[np.intp], number: int) -> NDArray[np.intp]:
        return np.concatenate([columns, np.flatnonzero(self.owner == number)])

    def _moved(self, theta: Floats) -> RulesLink:
        """Give the rules' part with the corrections of level and slope."""
        mean, spread = self.unit
        slope = float(theta[1]) / spread if self.owner[1:2].tolist() == [-1] else 0.0
        return RulesLink(self.link.a + float(theta[0]) - slope * mean, self.link.b + slope)


def _always(points: Floats, mass: Floats, *, slope: bool) -> tuple[Floats, tuple[float, float]]:
    """Give the columns that always stay: 1, and the points standardised (where they vary), with mean and spread."""
    mean = float(np.average(points, weights=mass))
    spread = float(np.sqrt(np.average((points - mean) ** 2, weights=mass)))
    ones = np.ones((len(points), 1))
    if not slope or spread <= 1e-12 * max(1.0, abs(mean)):
        return ones, (0.0, 1.0)
    return np.column_stack([ones, (points - mean) / spread]), (mean, spread)


def _screened(rows: Rows, groups: Sequence[Group], mass: Floats, offset: Floats) -> list[Group]:
    """Keep the groups whose columns alone would gain most (score statistic over the rules), in their order."""
    if len(groups) <= MOST_CANDIDATES:
        return list(groups)
    p = probabilities(offset)
    columns, owner = table(rows.X, groups)
    score = columns.T @ (mass * (rows.y - p))
    spread = (columns**2).T @ (mass * p * (1 - p))
    gains = np.zeros(len(groups))
    np.maximum.at(gains, owner, score**2 / (spread + 1.0))
    kept = np.sort(np.argsort(-gains, kind="stable")[:MOST_CANDIDATES])
    return [groups[number] for number in kept]


def _ridge(
    design: Floats, offset: Floats, y: Floats, mass: Floats, *, ridge: Floats, start: Floats
) -> tuple[Floats, float]:
    """Give coefficients and log evidence (Laplace)."""
    found = minimise(design, y, mass, ridge, offset=offset, start=start, converged=CONVERGED)
    return found.theta, -found.loss + float(np.log(ridge).sum() - np.linalg.slogdet(found.curvature)[1]) / 2


def _reached(gram: Floats, wanted: Floats, columns: NDArray[np.intp]) -> float:
    """Give the squared length, in the metric of `gram`, of the projection onto some columns."""
    part = wanted[columns]
    return float(part @ np.linalg.solve(gram[np.ix_(columns, columns)], part))
