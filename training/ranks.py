"""Mid-ranks, and the correlations that are made of them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ranks(values: Floats) -> Floats:
    """Give every value its mid-rank, from 0 to n - 1, shape (n,); infinities are the extremes.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: Floats = np.cumsum(counts) - (counts + 1) / 2
    return middle[group]


def correlation(x: Floats, y: Floats) -> float:
    """Give the correlation of two columns of shape (n,), 0 where one is constant."""
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))  # no `@`: a pool of threads costs more than it saves here
    return float((x * y).sum()) / scale if scale else 0.0


def rank_correlation(x: Floats, y: Floats) -> float:
    """Give the correlation of the ranks of two columns of shape (n,), 0 where one is constant.

    Source: C. Spearman (1904), doi:10.2307/1412159.
    """
    return correlation(ranks(x), ranks(y))
