"""Means over rows that depend on each other, with whole leads as units.

Source: the variance of a mean under clustering, K.-Y. Liang, S. L. Zeger (1986), doi:10.1093/biomet/73.1.13, with the
correction units / (units - 1) for few of them.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mean_by_lead(values: Floats, weight: Floats, lead: NDArray[np.int64]) -> tuple[float, float] | None:
    """Give the weighted mean of rows and its standard error, the rows of a lead being one draw.

    With mean = sum w v / sum w, u_l = the sum of w (v - mean) over the rows of lead l, and k leads:

        error = sqrt(sum of u_l^2 k / (k - 1)) / sum w

    Args:
        values: shape (n,), any unit.
        weight: shape (n,), >= 0, not all 0.
        lead: number of each row's lead, >= 0, shape (n,).

    Returns:
        Both in the unit of the values; None with fewer than two leads.
    """
    units = len(np.unique(lead))
    if units < 2:
        return None
    total = weight.sum()
    mean = float(weight @ values / total)
    of_lead = np.bincount(lead, weights=weight * (values - mean))
    return mean, float(np.sqrt((of_lead**2).sum() * units / (units - 1)) / total)
