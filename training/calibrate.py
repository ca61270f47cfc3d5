"""Calibration: two numbers on the log-odds, fitted on predictions for leads that were not learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.fit import Recipe, fit
from training.rows import Rows
from training.tune import MOST_ROWS, folds_of, number_of_folds, tuning_rows

Floats = NDArray[np.float64]

# Below so many positives two more parameters cost more than they correct.
LEAST_POSITIVES: Final = 50
NEWTON_STEPS: Final = 50
CONVERGED: Final = 1e-10
IDENTITY: Final = np.array([1.0, 0.0])
# Prior standard deviation of ln(slope) is about this over sqrt(positives): a weak pull towards "no change".
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

    Large data is calibrated on a sample of whole leads, as it is tuned.
    """
    sample = tuning_rows(rows, seed) if len(rows) > 2 * MOST_ROWS else rows
    if sample.y.sum() < LEAST_POSITIVES:
        return Sigmoid()
    fold = folds_of(sample, number_of_folds(len(sample)), seed + 2)
    raw = np.full(len(sample), np.nan)
    for number in np.unique(fold):
        outside = fold == number
        inside = sample.take(~outside)
        if not 0 < inside.y.sum() < len(inside):
            return Sigmoid()
        raw[outside] = fit(inside, specs, recipe, seed).raw(sample.take(outside))
    return Sigmoid.fit(raw, sample.y, sample.weight)
