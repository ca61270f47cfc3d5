"""Intervals of probabilities: Venn-ABERS predictions from scores of leads that were not learnt from.

For a lead with log-odds s, isotonic regression is fitted to the known outcomes and the lead itself: once as if it
failed, once as if it succeeded. The two fitted values at s, p0 <= p1, are the interval.

What it is: of the two, the one that belongs to the lead's real outcome is perfectly calibrated, whatever the
distribution, on average over everything that was drawn: E(y | p_y) = p_y, known outcomes and lead being exchangeable.

What it is not: a confidence interval. The width p1 - p0 is what *one* outcome more moves, about 1 / n where n
comparable outcomes are known, while the error of a rate from n outcomes falls as 1 / sqrt(n), and neither holds what
two leads of the same score differ by. So the true probability of a lead lies outside most of the time
(`benchmarks.training.venn_abers` measures how often).

Where this deviates from the papers: scores come from models of folds and are used for the model of all rows, as one
pool (the papers keep a calibration set apart, or merge one predictor per fold); rows are weighted against censoring,
and a new lead has the mass of a whole lead and not of one row; very many scores are rounded to groups. With any of
these the sentence above is an approximation. Without them `fit` is the inductive predictor of the papers, exactly.

Sources: V. Vovk, I. Petej (2014), Venn-Abers predictors, doi:10.48550/arXiv.1211.0025 (Definition 2: inductive);
V. Vovk, I. Petej, V. Fedorova (2015), Large-scale probabilistic predictors with and without guarantees of validity,
doi:10.48550/arXiv.1511.00213 (p0 and p1 are step functions of the score, computed once for all scores).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.steps import VennAbers
from scoring.scale import probabilities
from training.isotonic import grouped
from training.rows import Rows

Floats = NDArray[np.float64]

# So many different scores are kept as they are (two knots each); more are joined into this many groups first.
EXACT_SCORES: Final = 250
GROUPS: Final = 480


def of_rows(served: Floats, rows: Rows) -> VennAbers:
    """Fit the interval of a scorer on its training rows; a new lead counts as many rows as one has here on average.

    Rows of a lead share their fate: what is new is a lead, and one row more would make the interval too narrow.

    Args:
        served: calibrated log-odds without a shift, out of fold, shape (n,).
        rows: the training rows they belong to.

    Raises:
        NotEnoughDataError: no row has weight.
    """
    leads = max(len(set(rows.lead_ids)), 1)
    return fit(served, rows.y, rows.weight, new_weight=float(rows.weight.sum()) / leads)


def fit(served: Floats, y: Floats, weight: Floats, *, new_weight: float = 1.0) -> VennAbers:
    """Compute both step functions.

    Up to 250 different scores the answer is exact: equal to isotonic regression fitted again for each score. More are
    joined into 480 groups of neighbours, finer where outcomes are less certain, without a look at outcomes; the answer
    is then exact for the score rounded to its group, which is as valid.

    Formula, with W and S the running totals of weight and of weighted positives over the groups 1 .. m, and w the
    weight of the new lead: p1(g) = max over a < g of min over b >= g of (S_b - S_a + w) / (W_b - W_a + w), p0(g) the
    same without w in the numerator (T. Robertson, F. T. Wright, R. L. Dykstra, 1988, the max-min formula). Between two
    groups p0 is that of the left one and p1 that of the right one; outside all of them p0 = 0 or p1 = 1.

    Args:
        served: log-odds, out of fold, shape (n,).
        y: outcomes, shape (n,); one class is enough.
        weight: >= 0, shape (n,).
        new_weight: w > 0.

    Raises:
        NotEnoughDataError: no row has weight.
    """
    values, mass, positives = grouped(served, y, weight)
    if len(values) <= EXACT_SCORES:
        lower, upper = _both(mass, positives, new_weight)
        knots = np.column_stack([values, np.nextafter(values, np.inf)]).ravel()
        low = np.concatenate([[0.0], np.repeat(lower, 2)])
        high = np.concatenate([np.repeat(upper, 2), [1.0]])
    else:
        starts = _group_starts(values, mass)
        lower, upper = _both(np.add.reduceat(mass, starts), np.add.reduceat(positives, starts), new_weight)
        knots = np.append(values[starts], np.nextafter(values[-1], np.inf))
        low = np.concatenate([[0.0], lower, lower[-1:]])
        high = np.concatenate([upper[:1], upper, [1.0]])
    return _compressed(knots, low, high)


def _group_starts(values: Floats, mass: Floats) -> NDArray[np.intp]:
    """Cut sorted scores into groups of equal share of rows and of uncertainty p (1 - p), half and half."""
    p = probabilities(values)
    uncertainty = mass * p * (1 - p) + 1e-300
    share = np.cumsum(mass / mass.sum() + uncertainty / uncertainty.sum()) / 2
    group = np.minimum(np.floor(GROUPS * share), GROUPS - 1)
    return np.flatnonzero(np.diff(group, prepend=-1.0) > 0)


def _both(mass: Floats, positives: Floats, new_weight: float) -> tuple[Floats, Floats]:
    """Give p0 and p1 at every group, shape (m,) each."""
    weights, found = np.append(0.0, np.cumsum(mass)), np.append(0.0, np.cumsum(positives))
    rows = weights[None, :] - weights[:, None] + new_weight
    inside = found[None, :] - found[:, None]
    usable = np.tri(len(weights), dtype=np.bool_).T  # from group a + 1 to group b: a <= b
    ends = []
    for new in (0.0, new_weight):
        mean = np.where(usable, (inside + new) / np.where(usable, rows, 1.0), np.inf)
        least = np.minimum.accumulate(mean[:, ::-1], axis=1)[:, ::-1]  # [a, g]: over b >= g
        before = np.tri(len(weights), k=-1, dtype=np.bool_).T  # a < g
        ends.append(np.where(before, least, -np.inf).max(axis=0)[1:])
    lower, upper = np.clip(ends, 0.0, 1.0)  # rounding may leave [0, 1] by the last bit
    return lower, np.maximum(lower, upper)


def _compressed(knots: Floats, low: Floats, high: Floats) -> VennAbers:
    """Leave out knots that change nothing, and steps between knots that are the same number."""
    wide = np.append(np.diff(knots) > 0, True)
    knots, low, high = knots[wide], np.append(low[:1], low[1:][wide]), np.append(high[:1], high[1:][wide])
    changes = (np.diff(low) != 0) | (np.diff(high) != 0)
    return VennAbers(
        knots=tuple(knots[changes].tolist()),
        lower=tuple(np.append(low[:1], low[1:][changes]).tolist()),
        upper=tuple(np.append(high[:1], high[1:][changes]).tolist()),
    )
