"""An isotonic term: a step function on calibrated log-odds, finite at both ends, and what isotonic regression is.

It is asked for by name and stands beside the other contributions as one part, `calibration` = isotonic(z) - z.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import NotEnoughDataError
from leadlight.steps import Isotonic

Floats = NDArray[np.float64]

# A block of rows is held back towards its predicted rate by so many expected rows of its rarer outcome, so that a block
# without any does not become a probability of 0 or 1.
PRIOR_OUTCOMES: Final = 0.5
SMALLEST_RATE: Final = 1e-6


def regression(y: Floats, weight: Floats) -> Floats:
    """Give the not decreasing sequence nearest to y in weighted squares, shape (n,).

    Source: R. E. Barlow, D. J. Bartholomew, J. M. Bremner, H. D. Brunk (1972), Statistical Inference under Order
    Restrictions: pool adjacent violators.

    Args:
        y: values in their order, shape (n,), n >= 1.
        weight: > 0, shape (n,).
    """
    from sklearn.isotonic import isotonic_regression  # noqa: PLC0415  (a second to import)

    return np.asarray(isotonic_regression(y, sample_weight=weight), dtype=np.float64)


def grouped(z: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Join equal log-odds: each different one in increasing order, its weight and its weighted positives, (m,) each.

    Rows without weight are left out.

    Raises:
        NotEnoughDataError: no row has weight.
    """
    kept = weight > 0
    if not kept.any():
        raise NotEnoughDataError("no training row with weight; choose a later --test-from or more data")
    values, place = np.unique(z[kept], return_inverse=True)
    mass: Floats = np.bincount(place, weight[kept]).astype(np.float64)
    positives: Floats = np.bincount(place, weight[kept] * y[kept]).astype(np.float64)
    return values, mass, positives


def fit(z: Floats, y: Floats, weight: Floats) -> Isotonic:
    """Fit the step function to outcomes.

    Rows are pooled into blocks by isotonic regression. The rate of a block is its weighted share of positives with a
    prior at its predicted rate r that holds half an outcome of the rarer kind: strength 0.5 / min(r, 1 - r). Steps lie
    at the first row of each block; before the first and beyond the last row the end values go on.

    Args:
        z: calibrated log-odds from models that did not learn from the row, shape (n,).
        y: outcomes, shape (n,).
        weight: >= 0, shape (n,).

    Raises:
        NotEnoughDataError: no row has weight.
    """
    values, mass, positives = grouped(z, y, weight)
    starts = _starts(regression(positives / mass, mass))
    predicted = mass / (1 + np.exp(-np.clip(values, -500, 500)))
    rows, found, expected = (np.add.reduceat(column, starts) for column in (mass, positives, predicted))
    rate = np.clip(expected / rows, SMALLEST_RATE, 1 - SMALLEST_RATE)
    prior = PRIOR_OUTCOMES / np.minimum(rate, 1 - rate)
    level = regression((found + prior * rate) / (rows + prior), rows + prior)
    first = starts[_starts(level)]
    heights = level[_starts(level)]
    log_odds = np.log(heights / (1 - heights))
    return Isotonic(knots=tuple(values[first[1:]].tolist()), values=tuple(log_odds.tolist()))


def _starts(level: Floats) -> NDArray[np.intp]:
    """Give where runs of equal values begin."""
    return np.flatnonzero(np.append(True, np.diff(level) > 0))
