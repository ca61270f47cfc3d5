"""Calibration: two numbers on the log-odds, fitted on predictions for leads that were not learnt from."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.fit import Recipe, fit
from training.rows import Rows
from training.tune import folds_of, number_of_folds

Floats = NDArray[np.float64]

# Below so many positives two more parameters cost more than they correct.
LEAST_POSITIVES: Final = 50
NEWTON_STEPS: Final = 50
CONVERGED: Final = 1e-10
IDENTITY: Final = np.array([1.0, 0.0])
# A weak pull towards the identity: a Gaussian prior that weighs as much as so many rows of probability one half.
PRIOR_ROWS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Affine calibrator: calibrated log-odds = slope x raw log-odds + intercept (the identity is slope 1, 0)."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(cls, raw: Floats, y: Floats, weight: Floats) -> "Sigmoid":
        """Fit by weighted maximum likelihood with a weak pull towards the identity (as if 4 rows had said so).

        Source: J. Platt (1999), Probabilistic outputs for support vector machines.

        Args:
            raw: log-odds, shape (n,).
            y: outcomes, shape (n,).
            weight: shape (n,).

        Returns:
            The identity where the best slope is not positive (then the raw order would be turned around).
        """
        theta = IDENTITY
        design = np.column_stack([raw, np.ones_like(raw)])
        spread = max(float(np.average((raw - np.average(raw, weights=weight)) ** 2, weights=weight)), 1e-12)
        ridge = PRIOR_ROWS * 0.25 * np.array([spread, 1.0])
        for _ in range(NEWTON_STEPS):
            p = 1.0 / (1.0 + np.exp(-np.clip(design @ theta, -500, 500)))
            gradient = design.T @ (weight * (p - y)) + ridge * (theta - IDENTITY)
            curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag(ridge)
            step = np.linalg.solve(curvature, gradient)
            # A whole step may overshoot far from the optimum, and Newton's method would then run away.
            while _penalised(theta - step, design, y, weight, ridge) > _penalised(theta, design, y, weight, ridge):
                step = step / 2
                if np.abs(step).max() < CONVERGED:
                    break
            theta = theta - step
            if np.abs(step).max() < CONVERGED:
                break
        return cls(float(theta[0]), float(theta[1])) if theta[0] > 0 and np.all(np.isfinite(theta)) else cls()


def _penalised(theta: Floats, design: Floats, y: Floats, weight: Floats, ridge: Floats) -> float:
    """Give what `Sigmoid.fit` minimises: weighted log loss, summed, plus the pull towards the identity."""
    eta = design @ theta
    return float(weight @ (np.logaddexp(0, eta) - y * eta) + ridge @ (theta - IDENTITY) ** 2 / 2)


def calibrate(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int) -> Sigmoid:
    """Fit a calibrator out of fold, folds by lead hash; the identity below 50 positives.

    The folds' boosters are grown as the final one is, on all rows but those of the fold: what is calibrated on a sample
    chosen in another way is another model. They grow side by side.
    """
    if rows.y.sum() < LEAST_POSITIVES:
        return Sigmoid()
    fold = folds_of(rows, number_of_folds(len(rows)), seed + 2)
    if any(not 0 < rows.y[fold != number].sum() < np.count_nonzero(fold != number) for number in np.unique(fold)):
        return Sigmoid()

    def held_out(number: int) -> Floats:
        return fit(rows.take(fold != number), specs, recipe, seed).raw(rows.take(fold == number))

    raw = np.full(len(rows), np.nan)
    numbers = [int(number) for number in np.unique(fold)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for number, log_odds in zip(numbers, pool.map(held_out, numbers), strict=True):
            raw[fold == number] = log_odds
    return Sigmoid.fit(raw, rows.y, rows.weight)
