"""Groups around a common score: one offset in log-odds per group, held back in proportion to the evidence.

    y ~ Bernoulli(sigmoid(z + u_g)),   u_g ~ Normal(level, spread^2)

z is the calibrated log-odds of the common score. It was calibrated on the same outcomes, so the best level is about 0;
how well it is known is part of what is known of every group. Level and spread are estimated by marginal likelihood:
each pair of a grid is weighed by the probability of all outcomes under it (and a weak prior), with the offsets
integrated out. Nothing is plugged in, so that a group of which little is known keeps its uncertainty even where the
groups look alike.

z itself is taken as given. Where it learnt the groups from the same outcomes, if only out of fold, what they had by
luck in one fold is in z for all others, and residuals add up to nearly 0: groups look alike, and intervals are too
narrow. What differs between groups must then be taken out of z first (`training.level.even`).

Sources: G. Y. Wong, W. M. Mason (1985), doi:10.1080/01621459.1985.10478140 (empirical Bayes of rates in groups);
J. Liu, D. A. Pierce (1994), doi:10.1093/biomet/81.3.624 (quadrature around each group's own mode); A. Gelman (2006),
doi:10.1214/06-BA117A (a half-normal prior where groups are few); H. Jeffreys (1946), doi:10.1098/rspa.1946.0056 (of
the level: with few outcomes a flat prior would put the upper ends too low).

Rows of one lead are no independent evidence. The likelihood is raised to the power that makes its curvature equal to
the inverse of its variance over leads: F. Pauli, W. Racugno, L. Ventura (2011), Bayesian composite marginal
likelihoods, Statistica Sinica 21, 149-164.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.scale import probabilities

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# Spreads tried, in log-odds, equally far apart in their logarithm; and the scale of the half-normal prior: groups that
# differ by a factor of 1.6 in their odds are usual, of 2.7 rare.
SPREADS: Final = np.geomspace(0.02, 2.0, 12)
PRIOR_SCALE: Final = 0.5
# Spreads so much less likely than the best one, in log-likelihood, are left out.
NEGLIGIBLE: Final = 8.0
# Levels tried for each spread: Gauss-Hermite nodes around the most likely one.
LEVELS, LEVEL_WEIGHTS = np.polynomial.hermite.hermgauss(5)
# Where the likelihood of a group is evaluated, in standard deviations around its mode.
NODES: Final = np.linspace(-6.0, 6.0, 31)
# Rows of a group whose z differ by less than this are one cell; wider where there would be more cells than this.
CELL: Final = 0.05
MOST_CELLS: Final = 20_000
WIDEST_CELL: Final = 0.4
FURTHEST: Final = 15.0
STEPS: Final = 60
CONVERGED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Intercepts:
    """Offsets of G groups.

    Attributes:
        spread: standard deviation between groups, log-odds (mean over what the outcomes leave possible).
        evidence: how many independent rows one row is worth, in (0, 1].
        offset: mean of what is possible, log-odds, 0 for a group without rows, shape (G,).
        low: lower end of the interval of the offset, shape (G,).
        high: upper end, shape (G,).
        rows: weight of each group, shape (G,).
        rate: expected rate of each group at its offset, NaN without rows, shape (G,).
        rate_low: lower end of its interval, shape (G,).
        rate_high: upper end, shape (G,).
    """

    spread: float
    evidence: float
    offset: Floats
    low: Floats
    high: Floats
    rows: Floats
    rate: Floats
    rate_low: Floats
    rate_high: Floats


def fit(
    z: Floats, y: Floats, weight: Floats, group: Codes, groups: int, *, leads: Codes | None = None, level: float = 0.9
) -> Intercepts:
    """Estimate offsets, spread and the rates of the groups.

    Args:
        z: calibrated log-odds, out of fold, shape (n,).
        y: outcomes, shape (n,).
        weight: >= 0, shape (n,).
        group: 0 .. groups - 1, shape (n,).
        groups: number of groups, those without rows included.
        leads: code of each row's lead, shape (n,); None = a lead per row.
        level: of all intervals, in (0, 1).
    """
    evidence = _evidence(z, y, weight, leads)
    cells = _Cells.of(z, y, weight, group, groups)
    tried = _tried(cells, evidence)
    likely = np.exp(np.array([one.log for one in tried]) - max(one.log for one in tried))
    likely /= likely.sum()
    at = np.concatenate([one.at for one in tried])
    mass = np.concatenate([share * one.mass for share, one in zip(likely, tried, strict=True)])
    spread = float(likely @ np.array([one.spread for one in tried]))
    offset = np.where(cells.rows > 0, (at * mass).sum(axis=0), 0.0)
    low, high = _quantiles(at, mass, ((1 - level) / 2, (1 + level) / 2))
    rate, rate_low, rate_high = (cells.rate(u) for u in (offset, low, high))
    return Intercepts(spread, evidence, offset, low, high, cells.rows, rate, rate_low, rate_high)


def _evidence(z: Floats, y: Floats, weight: Floats, leads: Codes | None) -> float:
    """Give curvature over variance of the log-likelihood's slope, at most 1.

    Both are taken from the same residuals. A curvature that is expected from z would stand against a variance that
    few successes, by luck, make small: then each row would count too much just where the rate looks too low.
    """
    residual = y - probabilities(z)
    slope = weight * residual
    by_lead = slope if leads is None else np.bincount(leads, slope)
    variance = float(by_lead @ by_lead)
    return min(1.0, float(slope @ residual) / variance) if variance > 0 else 1.0


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows of one group with nearly the same z, added up.

    Attributes:
        z: mean log-odds, shape (c,).
        rows: weight per group, shape (G,).
        mass: weight, shape (c,).
        positives: weighted positives per group, shape (G,).
        group: shape (c,).
    """

    z: Floats
    rows: Floats
    mass: Floats
    positives: Floats
    group: Codes

    @classmethod
    def of(cls, z: Floats, y: Floats, weight: Floats, group: Codes, groups: int) -> "_Cells":
        width = CELL
        while True:
            bins = np.floor((z - z.min()) / width).astype(np.int64) if len(z) else np.empty(0, np.int64)
            keys, cell = np.unique(group * (bins.max(initial=0) + 1) + bins, return_inverse=True)
            if len(keys) <= MOST_CELLS or width >= WIDEST_CELL:
                break
            width *= 2
        mass = np.bincount(cell, weight, minlength=len(keys)).astype(np.float64)
        mean = np.bincount(cell, weight * z, minlength=len(keys)) / np.where(mass > 0, mass, 1.0)
        return cls(
            z=mean,
            rows=np.bincount(group, weight, minlength=groups).astype(np.float64),
            mass=mass,
            positives=np.bincount(group, weight * y, minlength=groups).astype(np.float64),
            group=(keys // (bins.max(initial=0) + 1)).astype(np.intp),
        )

    def sums(self, per_cell: Floats) -> Floats:
        return np.bincount(self.group, per_cell, minlength=len(self.rows)).astype(np.float64)

    def rate(self, offset: Floats) -> Floats:
        expected = self.sums(self.mass * probabilities(self.z + offset[self.group]))
        rate: Floats = np.divide(expected, self.rows, out=np.full(len(self.rows), np.nan), where=self.rows > 0)
        return rate

    def log_likelihood(self, offset: Floats) -> Floats:
        return offset * self.positives - self.sums(self.mass * np.logaddexp(0, self.z + offset[self.group]))


@dataclass(frozen=True, slots=True)
class _Tried:
    """A level and a spread.

    Attributes:
        spread: log-odds.
        log: log of their weight: marginal likelihood, priors and the weight of the level's node.
        at: nodes of the offsets, shape (nodes, G).
        mass: of each node, adds to 1 over the nodes, shape (nodes, G).
    """

    spread: float
    log: float
    at: Floats
    mass: Floats


def _tried(cells: _Cells, evidence: float) -> list[_Tried]:
    """Try all levels for every spread that is not negligible."""
    own = _mode(cells, float(SPREADS[-1]), 0.0, evidence)
    p = probabilities(cells.z + own[cells.group])
    known = evidence * cells.sums(cells.mass * p * (1 - p))
    middle: list[_Tried] = []
    places: list[tuple[float, float]] = []
    for spread in SPREADS.tolist():
        precision = np.where(known > 0, 1 / (1 / np.maximum(known, 1e-12) + spread**2), 0.0)
        width = 1 / float(np.sqrt(precision.sum() + PRIOR_SCALE**-2))
        places.append((float(precision @ own) * width**2, width))
        middle.append(_posterior(cells, spread, places[-1][0], evidence))
    best = max(one.log for one in middle)
    found = []
    for one, (centre, width) in zip(middle, places, strict=True):
        if one.log < best - NEGLIGIBLE:
            continue
        for node, weight in zip(LEVELS.tolist(), LEVEL_WEIGHTS.tolist(), strict=True):
            level = centre + np.sqrt(2) * width * node
            part = _posterior(cells, one.spread, level, evidence)
            found.append(replace(part, log=part.log + float(np.log(weight * width)) + node**2))
    return found


def _posterior(cells: _Cells, spread: float, level: float, evidence: float) -> _Tried:
    """Integrate the offsets out under a spread and a level."""
    mode = _mode(cells, spread, level, evidence)
    p = probabilities(cells.z + mode[cells.group])
    scale = 1 / np.sqrt(evidence * cells.sums(cells.mass * p * (1 - p)) + spread**-2)
    at = mode + scale * NODES[:, None]
    at_none = cells.log_likelihood(np.zeros(len(mode)))
    log = np.array([evidence * (cells.log_likelihood(u) - at_none) for u in at]) - ((at - level) / spread) ** 2 / 2
    most = log.max(axis=0)
    mass = np.exp(log - most)
    total = mass.sum(axis=0)
    width = scale * (NODES[1] - NODES[0])
    marginal = most + np.log(total * width) - np.log(spread) - np.log(2 * np.pi) / 2
    common = probabilities(cells.z + level)
    information = max(float(cells.mass @ (common * (1 - common))), 1e-300)  # Jeffreys: half an outcome of either kind
    prior = float(np.log(spread)) + float(np.log(information)) / 2 - (spread**2 + level**2) / (2 * PRIOR_SCALE**2)
    return _Tried(spread, float(marginal[cells.rows > 0].sum()) + prior, at, mass / total)


def _mode(cells: _Cells, spread: float, level: float, evidence: float) -> Floats:
    """Find the most likely offset of every group: Newton's method inside a bracket that every step narrows."""
    low, high = np.full(len(cells.rows), -FURTHEST), np.full(len(cells.rows), FURTHEST)
    u = np.zeros(len(cells.rows))
    for _ in range(STEPS):
        p = probabilities(cells.z + u[cells.group])
        slope = evidence * (cells.positives - cells.sums(cells.mass * p)) - (u - level) / spread**2
        low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
        step = u + slope / (evidence * cells.sums(cells.mass * p * (1 - p)) + spread**-2)
        following = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        moved = float(np.abs(following - u).max(initial=0.0))
        u = following
        if moved < CONVERGED:
            break
    return u


def _quantiles(at: Floats, mass: Floats, shares: tuple[float, float]) -> tuple[Floats, Floats]:
    """Give two quantiles of weighted points per column."""
    order = np.argsort(at, axis=0)
    points, weights = np.take_along_axis(at, order, axis=0), np.take_along_axis(mass, order, axis=0)
    below = np.cumsum(weights, axis=0) - weights / 2
    found = np.array([np.interp(shares, below[:, g], points[:, g]) for g in range(at.shape[1])]).reshape(-1, 2)
    return found[:, 0], found[:, 1]
