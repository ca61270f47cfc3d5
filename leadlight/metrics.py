"""Measures of a score against outcomes: formula, domain, direction, degenerate cases, source.

Arguments have one meaning in every function:

    y        shape (n,), outcomes 0 or 1 (1 = the target stage was reached within the horizon); n >= 1
    p        shape (n,), probabilities in [0, 1]
    s        shape (n,), any finite score, higher = more likely
    weights  shape (n,), finite, >= 0, not all 0; None = every row counts 1

A null outcome (censored) or a null score is not a row: leave it out before asking. Anything outside these domains
raises `InputError`; a measure that does not exist for the rows given (the AUC of one class, say) is None, never a
stand-in number. Only numpy is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import InputError

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# A probability of exactly 0 or 1 that turns out wrong would cost infinitely much; logarithms are taken no nearer to 0.
PROBABILITY_FLOOR: Final = 1e-15
# Draws held in memory at once by `ece_bar`, in rows x draws.
CHUNK_CELLS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was predicted and what happened, per bin of equal mass, from the lowest predictions to the highest.

    Attributes:
        mass: sum of weights per bin (> 0: empty bins are left out), shape (k,).
        predicted: weighted mean probability per bin, shape (k,).
        observed: weighted share of positives per bin, shape (k,).
    """

    mass: Floats
    predicted: Floats
    observed: Floats


def log_loss(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean negative log-likelihood of the outcomes, in nats.

    Formula: -sum w (y ln p + (1 - y) ln(1 - p)) / sum w, with p kept `PROBABILITY_FLOOR` away from 0 and 1.

    Direction: smaller is better, minimum 0. Proper: its expectation is smallest for the true probability. Degenerate
    cases: defined for one class; the constant p = mean(y) gives the entropy of the base rate.

    Source: I. J. Good, Rational Decisions (1952), doi:10.1111/j.2517-6161.1952.tb00104.x.

    Raises:
        InputError: an argument outside its domain.

    >>> round(log_loss([1, 0], [0.8, 0.4]), 6)
    0.366985
    """
    outcomes, probabilities, mass = _checked(y, p, weights, "p")
    return float(np.sum(mass * log_losses(outcomes, probabilities)) / mass.sum())


def log_losses(y: Floats, p: Floats) -> Floats:
    """Negative log-likelihood of every row, shape (n,), in nats; its mean is `log_loss`. Arguments are not checked."""
    kept = np.clip(p, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    return np.where(y == 1, -np.log(kept), -np.log1p(-kept))


def log_losses_of_log_odds(y: Floats, z: Floats) -> Floats:
    """Give the same from log-odds z, ln(1 + e^z) - y z, shape (n,): exact however far they lie from 0, without a floor.

    Arguments are not checked.
    """
    return np.asarray(np.logaddexp(0, z) - y * z, dtype=np.float64)


def brier(y: ArrayLike, p: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean squared distance between probability and outcome.

    Formula: sum w (p - y)^2 / sum w.

    Direction: smaller is better, between 0 and 1. Proper. Degenerate cases: defined for one class; the constant
    p = mean(y) = r gives r (1 - r).

    Source: G. W. Brier (1950), doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Raises:
        InputError: an argument outside its domain.

    >>> round(brier([1, 0], [0.8, 0.4]), 6)
    0.1
    """
    outcomes, probabilities, mass = _checked(y, p, weights, "p")
    return float(np.sum(mass * (probabilities - outcomes) ** 2) / mass.sum())


def auc(y: ArrayLike, s: ArrayLike, weights: ArrayLike | None = None) -> float | None:
    """Area under the ROC curve: how often a positive outranks a negative, a tie counting one half.

    Formula: sum over positives i and negatives j of w_i w_j (1[s_i > s_j] + 1[s_i = s_j] / 2) / (sum w_i x sum w_j),
    which for unit weights is the Mann-Whitney statistic with mid-ranks.

    Direction: larger is better, between 0 and 1; 0.5 for a constant score. Unchanged by any increasing map of s.
    Degenerate case: None where one class has no weight.

    Source: J. A. Hanley, B. J. McNeil (1982), doi:10.1148/radiology.143.1.7063747.

    Raises:
        InputError: an argument outside its domain.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    outcomes, scores, mass = _checked(y, s, weights, "s")
    groups = np.unique(scores, return_inverse=True)[1]
    positive = np.bincount(groups, mass * outcomes)
    negative = np.bincount(groups, mass * (1 - outcomes))
    pairs = positive.sum() * negative.sum()
    if pairs == 0:
        return None
    return float(np.sum(positive * (np.cumsum(negative) - negative / 2)) / pairs)


def top_decile_lift(y: ArrayLike, s: ArrayLike, weights: ArrayLike | None = None, share: float = 0.1) -> float | None:
    """Rate of positives among the best-scored `share` of the rows, over the rate among all.

    Formula: (positives in the top / mass of the top) / (sum w y / sum w), mass of the top = share x sum w. Rows tied at
    the cut enter with the part of their mass that fits, so the value is the expectation over random orders of the ties.

    Direction: larger is better, between 0 and 1 / share; 1 for a constant score. Degenerate case: None without a
    positive.

    Source: C. X. Ling, C. Li, Data Mining for Direct Marketing, KDD 1998 (AAAI; no DOI).

    Raises:
        InputError: an argument outside its domain, or share outside (0, 1].

    >>> top_decile_lift([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    5.0
    """
    outcomes, scores, mass = _checked(y, s, weights, "s")
    if not 0 < share <= 1:
        raise InputError(f"share == {share}, must be in (0, 1]")
    total, positives = float(mass.sum()), float(np.sum(mass * outcomes))
    if positives == 0:
        return None
    groups = np.unique(-scores, return_inverse=True)[1]
    masses = np.concatenate(([0.0], np.cumsum(np.bincount(groups, mass))))
    hits = np.concatenate(([0.0], np.cumsum(np.bincount(groups, mass * outcomes))))
    cut = share * total
    return float(np.interp(cut, masses, hits) / cut / (positives / total))


def equal_mass_bins(s: ArrayLike, bins: int = 10, weights: ArrayLike | None = None) -> Codes:
    """Give every row its bin of equal mass, 0 the lowest; equal scores always share a bin.

    A group of equal scores goes where the middle of its mass lies: floor(bins x (mass below + own mass / 2) / total).
    So the answer depends on no order of rows; bins can be unequal or empty where ties are heavy.

    Raises:
        InputError: an argument outside its domain, or bins < 1.

    >>> equal_mass_bins([0.3, 0.1, 0.1, 0.9], bins=2).tolist()
    [1, 0, 0, 1]
    """
    if bins < 1:
        raise InputError(f"bins == {bins}, must be >= 1")
    scores = _column(s, "s")
    mass = _weights(weights, len(scores))
    groups = np.unique(scores, return_inverse=True)[1]
    own = np.bincount(groups, mass)
    middle = (np.cumsum(own) - own / 2) / mass.sum()
    of_group: Codes = np.minimum(np.floor(bins * middle), bins - 1).astype(np.intp)
    return of_group[groups]


def reliability(y: ArrayLike, p: ArrayLike, bins: int = 10, weights: ArrayLike | None = None) -> Reliability:
    """Compare predicted with observed rates in bins of equal mass (see `equal_mass_bins`); empty bins are left out.

    Raises:
        InputError: an argument outside its domain, or bins < 1.
    """
    outcomes, probabilities, mass = _checked(y, p, weights, "p")
    code = equal_mass_bins(probabilities, bins, mass)
    per_bin: Floats = np.bincount(code, mass, minlength=bins).astype(np.float64)
    kept = per_bin > 0
    predicted = np.bincount(code, mass * probabilities, minlength=bins)[kept] / per_bin[kept]
    observed = np.bincount(code, mass * outcomes, minlength=bins)[kept] / per_bin[kept]
    return Reliability(mass=per_bin[kept], predicted=predicted, observed=observed)


def ece(y: ArrayLike, p: ArrayLike, bins: int = 10, weights: ArrayLike | None = None) -> float:
    """Expected calibration error: mean distance of predicted from observed rates over bins of equal mass.

    Formula: sum over bins b of (W_b / W) |observed_b - predicted_b|.

    Direction: smaller is better, between 0 and 1. Degenerate cases: defined for one class; a constant p falls in one
    bin and gives |mean(y) - p|. A perfect model does not reach 0 on a finite sample: compare with `ece_bar`.

    Source: M. P. Naeini, G. F. Cooper, M. Hauskrecht (AAAI 2015), doi:10.1609/aaai.v29i1.9602; C. Guo et al. (ICML
    2017), doi:10.48550/arXiv.1706.04599. Bins of equal mass instead of equal width.

    Raises:
        InputError: an argument outside its domain, or bins < 1.

    >>> round(ece([0, 1, 1, 1], [0.2, 0.4, 0.9, 0.9], bins=2), 6)
    0.15
    """
    table = reliability(y, p, bins, weights)
    return float(np.sum(table.mass * np.abs(table.observed - table.predicted)) / table.mass.sum())


def ece_bar(p: ArrayLike, seed: int, quantile: float = 0.95, draws: int = 1000, bins: int = 10) -> float:
    """ECE that a perfect model would stay below with probability `quantile`, on as many rows with these predictions.

    Formula: the `quantile` of ECE(y, p) over `draws` seeded samples y_i ~ Bernoulli(p_i), independent. Rows should come
    from different leads (one scheduled age at a time): dependent rows would need a wider bar.

    Direction: an observed ECE at or below it gives no evidence of miscalibration. Falls like 1 / sqrt(n). Degenerate
    case: 0 where every p is 0 or 1.

    Source: J. Broecker, L. A. Smith (2007), consistency resampling, doi:10.1175/WAF993.1.

    Raises:
        InputError: p outside [0, 1], quantile outside (0, 1), draws < 1 or bins < 1.

    >>> ece_bar([0.0, 1.0], seed=0)
    0.0
    """
    return ece_bars([p], seed, quantile, draws, bins)[0]


def ece_bars(
    columns: Sequence[ArrayLike], seed: int, quantile: float = 0.95, draws: int = 1000, bins: int = 10
) -> list[float]:
    """Give `ece_bar` of several scorers' probabilities for the same rows: what is drawn, is drawn once.

    Raises:
        InputError: as `ece_bar`, or columns of different lengths.
    """
    ordered = [np.sort(_column(p, "p")) for p in columns]  # so that the draws do not depend on the order of rows
    for probabilities in ordered:
        _probabilities(probabilities)
    if len({len(probabilities) for probabilities in ordered}) > 1:
        raise InputError("columns of probabilities have different lengths; they must be of the same rows")
    if not 0 < quantile < 1:
        raise InputError(f"quantile == {quantile}, must be in (0, 1)")
    if draws < 1:
        raise InputError(f"draws == {draws}, must be >= 1")
    # sorted, so bins are runs
    starts = [np.flatnonzero(np.diff(equal_mass_bins(p, bins), prepend=-1)) for p in ordered]
    expected = [np.add.reduceat(p, at) for p, at in zip(ordered, starts, strict=True)]
    values: list[list[Floats]] = [[] for _ in ordered]
    for drawn in _drawn(len(ordered[0]) if ordered else 1, seed, draws):
        for p, at, mean, found in zip(ordered, starts, expected, values, strict=True):
            observed = np.add.reduceat((drawn < p).astype(np.float32), at, axis=1)
            found.append(np.abs(observed - mean).sum(axis=1) / len(p))
    return [float(np.quantile(np.concatenate(found), quantile)) for found in values]


def psi(expected: ArrayLike, actual: ArrayLike, bins: int = 10) -> float:
    """Population stability index: how far a column or score has moved from a reference sample.

    Formula: sum over cells c of (a_c - e_c) ln(a_c / e_c); e_c and a_c are the cell's shares in `expected` and
    `actual`, each count + 1/2 so that an empty cell stays finite. Cells: each value of `expected` where it has at most
    `bins` different ones, plus one for all others; else the intervals between its `bins`-quantiles. NaN (null) is a
    cell of its own. Cells empty on both sides are left out.

    Domain: one-dimensional, at least one row each, NaN allowed, infinity not; lengths may differ. Direction: 0 = no
    movement, never negative, the same with the samples exchanged (for given cells). Customary reading: below 0.1
    stable, above 0.25 moved; with few rows noise alone gives about (cells - 1) x (1 / n_expected + 1 / n_actual).

    Source: the J-divergence of S. Kullback, R. A. Leibler (1951), doi:10.1214/aoms/1177729694.

    Raises:
        InputError: an argument outside its domain, or bins < 2.

    >>> psi([1, 1, 2, 2], [2, 2, 1, 1])
    0.0
    """
    if bins < 2:
        raise InputError(f"bins == {bins}, must be >= 2")
    old, new = _column(expected, "expected", null=True), _column(actual, "actual", null=True)
    values = np.unique(old[~np.isnan(old)])
    if len(values) <= bins:
        counts = np.array([_count_values(values, old), _count_values(values, new)])
    else:
        edges = np.unique(np.nanquantile(old, np.arange(1, bins) / bins))
        counts = np.array([_count_intervals(edges, old), _count_intervals(edges, new)])
    counts = counts[:, counts.sum(axis=0) > 0] + 0.5
    e, a = counts / counts.sum(axis=1, keepdims=True)
    return float(np.sum((a - e) * np.log(a / e)))


def wilson_interval(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a rate: the rates that a two-sided normal test at `level` would not reject.

    Formula: (k + z^2 / 2 -+ z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2), z = the normal's (1 + level) / 2 quantile.

    Domain: 0 <= successes <= trials, finite; 0 < level < 1. Stays inside [0, 1]. Degenerate cases: no trial gives
    (0, 1), nothing is known; no success gives a low end of exactly 0, only successes a high end of exactly 1.

    Source: E. B. Wilson (1927), doi:10.1080/01621459.1927.10502953.

    Raises:
        InputError: an argument outside its domain.

    >>> [round(end, 4) for end in wilson_interval(15, 148)]
    [0.0624, 0.1605]
    """
    if not 0 <= successes <= trials < float("inf"):
        raise InputError(f"successes == {successes}, trials == {trials}; must be 0 <= successes <= trials, finite")
    if not 0 < level < 1:
        raise InputError(f"level == {level}, must be in (0, 1)")
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = successes + z**2 / 2
    half = z * float(np.sqrt(successes * (trials - successes) / trials + z**2 / 4))
    low = 0.0 if successes == 0 else (middle - half) / (trials + z**2)
    high = 1.0 if successes == trials else (middle + half) / (trials + z**2)
    return low, high


def _drawn(n: int, seed: int, draws: int) -> Iterator[Floats]:
    """Yield uniform numbers, shape (some draws, n), together `draws` of them, within a bound of memory."""
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK_CELLS // n)
    for start in range(0, draws, step):
        yield rng.random((min(step, draws - start), n))


def _count_values(values: Floats, column: Floats) -> Floats:
    """Count each of `values`, then everything else, then null."""
    known = column[~np.isnan(column)]
    each: Floats = np.array([np.sum(known == value) for value in values], dtype=np.float64)
    return np.concatenate((each, [len(known) - each.sum(), len(column) - len(known)]))


def _count_intervals(edges: Floats, column: Floats) -> Floats:
    """Count (-inf, first edge], ..., (last edge, inf), then null."""
    known = column[~np.isnan(column)]
    each = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return np.concatenate((each, [len(column) - len(known)])).astype(np.float64)


def _checked(y: ArrayLike, s: ArrayLike, weights: ArrayLike | None, name: str) -> tuple[Floats, Floats, Floats]:
    """Check outcomes, a column named `name` (`p` must be probabilities) and weights; give them as float64."""
    outcomes, scores = _column(y, "y"), _column(s, name)
    if len(outcomes) != len(scores):
        raise InputError(f"y has {len(outcomes)} rows, {name} has {len(scores)}; they must be the same rows")
    if not np.all((outcomes == 0) | (outcomes == 1)):
        raise InputError("y holds a value that is neither 0 nor 1; leave censored rows out first")
    if name == "p":
        _probabilities(scores)
    return outcomes, scores, _weights(weights, len(outcomes))


def _column(values: ArrayLike, name: str, *, null: bool = False) -> Floats:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise InputError(f"{name} is not numeric: {problem}") from problem
    if column.ndim != 1 or len(column) == 0:
        raise InputError(f"{name} has shape {column.shape}, must be (n,) with n >= 1")
    if not np.all(np.isfinite(column) | (null & np.isnan(column))):
        raise InputError(f"{name} holds {'an infinity' if null else 'NaN or infinity'}, must be finite")
    return column


def _probabilities(p: Floats) -> None:
    if p.min() < 0 or p.max() > 1:
        raise InputError(f"p holds {p[(p < 0) | (p > 1)][0]}, must be a probability in [0, 1]")


def _weights(weights: ArrayLike | None, n: int) -> Floats:
    if weights is None:
        return np.ones(n)
    mass = _column(weights, "weights")
    if len(mass) != n:
        raise InputError(f"weights has {len(mass)} rows, must have {n}")
    if mass.min() < 0 or mass.sum() == 0:
        raise InputError("weights must be >= 0, and not all 0")
    return mass
