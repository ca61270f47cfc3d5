"""Corners of the curves that pictures draw: gains and ROC, ties as straight lines."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def gains_curve(y: ArrayLike, s: ArrayLike) -> tuple[Floats, Floats]:
    """Give the corners of the gains curve, (0, 0) to (1, 1), one per different score; none without a positive.

    Args:
        y: outcomes 0 or 1, shape (n,).
        s: scores, shape (n,), higher = more likely.

    Returns:
        Share of rows worked, best score first, and share of positives found, shape (corners,) each.

    >>> [part.tolist() for part in gains_curve([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])]
    [[0.0, 0.25, 0.75, 1.0], [0.0, 0.5, 1.0, 1.0]]
    """
    rows, positives = _corners(y, s)
    if positives[-1] == 0:
        return np.empty(0), np.empty(0)
    return rows / rows[-1], positives / positives[-1]


def roc_curve(y: ArrayLike, s: ArrayLike) -> tuple[Floats, Floats]:
    """Give the corners of the ROC curve as (false, true) positive rates; none where a class is missing."""
    rows, positives = _corners(y, s)
    negatives = rows - positives
    if positives[-1] == 0 or negatives[-1] == 0:
        return np.empty(0), np.empty(0)
    return negatives / negatives[-1], positives / positives[-1]


def bends(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Leave out the inner corners of level and of upright pieces: the same line, and much quicker to draw.

    >>> [part.tolist() for part in bends(np.array([0.0, 0, 0, 1, 2, 3]), np.array([0.0, 1, 2, 2, 2, 3]))]
    [[0.0, 0.0, 2.0, 3.0], [0.0, 2.0, 2.0, 3.0]]
    """
    still = [np.diff(part) == 0 for part in (x, y)]
    straight = (still[0][1:] & still[0][:-1]) | (still[1][1:] & still[1][:-1])
    kept = np.ones(len(x), dtype=np.bool_)
    kept[1:-1] = ~straight
    return x[kept], y[kept]


def _corners(y: ArrayLike, s: ArrayLike) -> tuple[Floats, Floats]:
    """Count rows and positives down to each different score, best first, beginning with 0, shape (groups + 1,)."""
    groups = np.unique(-np.asarray(s, dtype=np.float64), return_inverse=True)[1]
    rows = np.bincount(groups)
    positives = np.bincount(groups, np.asarray(y, dtype=np.float64))
    return np.append(0.0, np.cumsum(rows)), np.append(0.0, np.cumsum(positives))
