"""Weighted logistic regression under normal priors, by Newton's method: what every small fit of log-odds here is.

Minimises  sum mass (log(1 + e^eta) - y eta) + sum ridge (theta - towards)^2 / 2,  eta = offset + design @ theta.
The loss is convex; steps are halved while they would raise it, so that the method cannot run away.

The curvature, nearly all of the work, is one matrix times its own transpose: half of it is computed, the rest mirrored.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.metrics import log_losses_of_log_odds
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


@dataclass(frozen=True, slots=True)
class _Point:
    """Where the search stands: parameters (k,), log-odds of the rows (n,), and the loss there."""

    theta: Floats
    eta: Floats
    loss: float


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is minimised; fields as in `minimise`."""

    design: Floats
    y: Floats
    mass: Floats
    ridge: Floats
    offset: Floats | float
    towards: Floats | float

    def at(self, theta: Floats) -> _Point:
        """Give the loss at given parameters."""
        eta = self.offset + self.design @ theta
        prior = self.ridge @ (theta - self.towards) ** 2 / 2
        return _Point(theta, eta, float(self.mass @ log_losses_of_log_odds(self.y, eta) + prior))

    def slope(self, here: _Point) -> tuple[Floats, Floats]:
        """Give the gradient, shape (k,), and the root of what each row weighs in the curvature, shape (n,)."""
        p = probabilities(here.eta)
        gradient = self.design.T @ (self.mass * (p - self.y)) + self.ridge * (here.theta - self.towards)
        return gradient, np.sqrt(self.mass * p * (1 - p))

    def descended(self, here: _Point, step: Floats, converged: float) -> tuple[_Point, Floats]:
        """Take a step, halved while it would raise the loss and moves anything; give where it led and what it was."""
        while (there := self.at(here.theta - step)).loss > here.loss and np.abs(step).max() > converged:
            step = step / 2
        return there, step


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
    problem = _Problem(design, y, mass, ridge, offset, towards)
    here = problem.at(np.zeros(design.shape[1]) + (towards if start is None else start))
    curvature, root = np.diag(ridge), np.empty(design.shape)
    enough, foretold = flat * mass.sum(), np.inf
    for _ in range(STEPS):
        gradient, rooted = problem.slope(here)
        if foretold <= enough and np.abs(gradient).max() <= enough:
            break
        np.multiply(design, rooted[:, None], out=root)
        curvature = root.T @ root + np.diag(ridge)
        step = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        foretold = float(gradient @ step) / 2
        here, step = problem.descended(here, step, converged)
        if np.abs(step).max() <= converged:
            break
    return Optimum(here.theta, here.loss, curvature)
