"""Weighted logistic regression under normal priors, by Newton's method: what every small fit of log-odds here is.

Minimises  sum mass (log(1 + e^eta) - y eta) + sum ridge (theta - towards)^2 / 2,  eta = offset + design @ theta.
The loss is convex; steps are halved while they would raise it, so that the method cannot run away.

The curvature, nearly all of the work, is one matrix times its own transpose: half of it is computed, the rest mirrored.
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
    flat: float = 0.0,
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
        flat: where the loss, per unit of mass, neither slopes by more in any direction nor can fall by more, as the
            last step foretold, the search ends before that; 0 = only where nothing moves.
    """

    def at(theta: Floats) -> tuple[Floats, float]:
        eta = offset + design @ theta
        return eta, float(mass @ (np.logaddexp(0, eta) - y * eta) + ridge @ (theta - towards) ** 2 / 2)

    theta = np.zeros(design.shape[1]) + (towards if start is None else start)
    (eta, here), curvature = at(theta), np.diag(ridge)
    enough, foretold, root = flat * mass.sum(), np.inf, np.empty(design.shape)
    for _ in range(STEPS):
        p = probabilities(eta)
        gradient = design.T @ (mass * (p - y)) + ridge * (theta - towards)
        if foretold <= enough and np.abs(gradient).max() <= enough:
            break
        np.multiply(design, np.sqrt(mass * p * (1 - p))[:, None], out=root)
        curvature = root.T @ root + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        foretold = float(gradient @ step) / 2
        while (there := at(theta - step))[1] > here and np.abs(step).max() > converged:
            step = step / 2
        theta, (eta, here) = theta - step, there
        if np.abs(step).max() <= converged:
            break
    return Optimum(theta, here, curvature)
