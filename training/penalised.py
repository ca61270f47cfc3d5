"""Weighted logistic regression under normal priors, by Newton's method: what every small fit of log-odds here is.

Minimises  sum mass (log(1 + e^eta) - y eta) + sum ridge (theta - towards)^2 / 2,  eta = offset + design @ theta.
The loss is convex; steps are halved while they would raise it, so that the method cannot run away.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.scale import probabilities

Floats = NDArray[np.float64]
STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the loss is least.

    Attributes:
        theta: shape (k,).
        loss: its value there.
        curvature: of the loss at the last step's beginning, shape (k, k).
    """

    theta: Floats
    loss: float
    curvature: Floats


def minimise(
    design: Floats,
    y: Floats,
    mass: Floats,
    ridge: Floats,
    *,
    offset: Floats | float = 0.0,
    towards: Floats | float = 0.0,
    start: Floats | None = None,
    converged: float = 1e-10,
) -> Optimum:
    """Find the optimum.

    Args:
        design: shape (n, k).
        y: outcomes 0 or 1, shape (n,).
        mass: weight of each row, shape (n,).
        ridge: weight of each parameter's prior, >= 0, shape (k,).
        offset: log-odds that are given, shape (n,).
        towards: means of the priors, shape (k,).
        start: where to begin, shape (k,); None = `towards`.
        converged: no parameter moves by more.
    """

    def loss(theta: Floats) -> float:
        eta = offset + design @ theta
        return float(mass @ (np.logaddexp(0, eta) - y * eta) + ridge @ (theta - towards) ** 2 / 2)

    theta = np.zeros(design.shape[1]) + (towards if start is None else start)
    here, curvature = loss(theta), np.diag(ridge)
    for _ in range(STEPS):
        p = probabilities(offset + design @ theta)
        gradient = design.T @ (mass * (p - y)) + ridge * (theta - towards)
        curvature = (design * (mass * p * (1 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        while (there := loss(theta - step)) > here and np.abs(step).max() > converged:
            step = step / 2
        theta, here = theta - step, there
        if np.abs(step).max() <= converged:
            break
    return Optimum(theta, here, curvature)
