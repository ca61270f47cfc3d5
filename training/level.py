"""The level of a model: its mean probability, kept while log-odds are moved."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.scale import probabilities

Floats = NDArray[np.float64]
# Value and slope of an increasing function.
Rising = Callable[[float], tuple[float, float]]

STEPS: Final = 100
CONVERGED: Final = 1e-12


def excess(moved: Floats, z: Floats, weight: Floats) -> float:
    """Give the log-odds by which moved rows must be lowered for their mean probability to be that of z.

    Solved for the logit of the mean, which is nearly straight however far the rows were moved: Newton's method.

    Args:
        moved: log-odds, shape (n,).
        z: log-odds whose weighted mean probability is the level, shape (n,).
        weight: shape (n,), > 0.

    Returns:
        0 where every probability of z is 0 or 1 to the last digit, all alike: then there is no level to keep.
    """
    with np.errstate(divide="ignore"):
        level, _ = _mean_log_odds(z, weight)
    if not np.isfinite(level):
        return 0.0

    def short(lowered: float) -> tuple[float, float]:
        mean, slope = _mean_log_odds(moved - lowered, weight)
        return level - mean, slope

    return root(short, float(moved.min()) - level, float(moved.max()) - level, start=0.0)


def even(z: Floats, weight: Floats, group: NDArray[np.intp]) -> Floats:
    """Move the log-odds of each group so that its mean probability is that of all rows, shape (n,).

    What differs within a group stays.

    Args:
        z: log-odds, shape (n,).
        weight: shape (n,), > 0.
        group: of each row, shape (n,).
    """
    moved = z.copy()
    if not len(z):
        return moved
    with np.errstate(divide="ignore"):
        common, _ = _mean_log_odds(z, weight)
    for code in np.unique(group):
        inside = group == code
        moved[inside] -= excess(z[inside], np.full(int(inside.sum()), common), weight[inside])
    return moved


def root(at: Rising, low: float, high: float, *, start: float) -> float:
    """Find where an increasing function is 0: Newton's method within bounds that close in.

    What is left to search is halved where a step would leave it, or the last one did not halve the value.

    Args:
        at: gives value and slope; a slope that is only roughly right costs steps, not accuracy.
        low: the root is not below it.
        high: the root is not above it.
        start: where to begin; what lies outside is brought inside.
    """
    here, before = min(max(start, low), high), np.inf
    for _ in range(STEPS):
        value, slope = at(here)
        if abs(value) <= CONVERGED:
            break
        low, high = (here, high) if value < 0 else (low, here)
        there = here - value / slope if slope > 0 else low
        steady = low < there < high and 2 * abs(value) <= before
        here, before = there if steady else (low + high) / 2, abs(value)
    return here


def _mean_log_odds(z: Floats, weight: Floats) -> tuple[float, float]:
    """Give the log-odds of the mean probability, and how fast they rise when all of z do."""
    p, q = probabilities(z), probabilities(-z)
    succeed, fail = np.average(p, weights=weight), np.average(q, weights=weight)
    slope = np.average(p * q, weights=weight) / (succeed * fail) if succeed * fail > 0 else 0.0
    return float(np.log(succeed) - np.log(fail)), float(slope)
