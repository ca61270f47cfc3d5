"""Calibration: two numbers on the log-odds, fitted on predictions for leads that were not learnt from.

How many numbers are fitted follows from how many leads there are of the rarer outcome, k, before anything is tested.
The level of a model is known to about 1 / sqrt(k) in log-odds, and the model was fitted to that level already; what a
model gets wrong first is the spread of its log-odds (it learnt some chance, so they lie too far apart).

    k < 50            none          an error of the level of 0.14 and more: a correction would be noise
    50 <= k < 200     temperature   the spread only, one number; the level stays where the model put it, right or wrong
    200 <= k          sigmoid       spread and level, two numbers (the level is known to 0.07, 7 % of a rate)

Isotonic calibration takes no part in this choice. It can be asked for, needs k >= 1,000, and then stands as a term of
its own name beside the two numbers (`training.isotonic`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from leadlight.scorer import Scorer
from leadlight.steps import Isotonic
from scoring.scale import probabilities
from training import isotonic as isotonic_term
from training import level
from training.penalised import minimise
from training.rows import Rows
from training.side_by_side import side_by_side
from training.tune import folds_of, number_of_folds

Floats = NDArray[np.float64]
Method = Literal["none", "temperature", "sigmoid"]

# Leads of the rarer outcome from which on the spread is fitted; from which on the level is, too; and from which on an
# isotonic step function may be asked for (A. Niculescu-Mizil, R. Caruana, 2005, doi:10.1145/1102351.1102430: with
# fewer than about 1,000 it overfits).
LEAST_LEADS: Final = 50
SIGMOID_LEADS: Final = 200
ISOTONIC_LEADS: Final = 1_000
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
        """Fit both numbers by weighted maximum likelihood with a weak pull towards the identity (as if 4 rows said so).

        Source: J. Platt (1999), Probabilistic outputs for support vector machines.

        Args:
            raw: log-odds, shape (n,).
            y: outcomes, shape (n,).
            weight: shape (n,).

        Returns:
            The identity where the best slope is not positive (then the raw order would be turned around).
        """
        design = np.column_stack([raw, np.ones_like(raw)])
        ridge = _ridge(raw, weight) * np.array([1.0, 0.0]) + PRIOR_ROWS * 0.25 * np.array([0.0, 1.0])
        slope, intercept = minimise(design, y, weight, ridge, towards=IDENTITY).theta.tolist()
        return Sigmoid(slope, intercept) if slope > 0 and np.isfinite([slope, intercept]).all() else Sigmoid()

    @classmethod
    def fit_temperature(cls, raw: Floats, y: Floats, weight: Floats) -> "Sigmoid":
        """Fit the slope only: log-odds are spread or drawn together, and the mean probability stays what it was.

        calibrated = slope x raw + intercept(slope), with the intercept that keeps the weighted mean probability of the
        predictions; along this curve the slope is the likeliest, with a weak pull towards 1. Around a fixed log-odds
        the mean would move with the slope, for a rare outcome by a tenth and more of it.

        An error of the level stays, by design, and to first order does not change the slope: along the curve the loss
        rises by sum w (p - y) (raw - m), m = the mean of raw under the weights w p (1 - p). A common error d of all
        log-odds makes p - y = d p (1 - p), and the sum is 0.

        The temperature of C. Guo et al. (2017), doi:10.48550/arXiv.1706.04599, is 1 / slope; theirs turns around
        log-odds 0, which for a rare outcome would move every probability towards one half.

        Args:
            raw: log-odds, shape (n,).
            y: outcomes, shape (n,).
            weight: shape (n,).

        Returns:
            The identity where the best slope is not positive.
        """
        curve = _Curve(raw, y, weight, _ridge(raw, weight))
        high = 2.0
        if not curve.at(0.0)[0] < 0:
            return Sigmoid()
        while curve.at(high)[0] < 0:
            high *= 2
        slope = level.root(curve.at, 0.0, high, start=1.0)
        return Sigmoid(slope, curve.intercept(slope))

    def log_odds(self, raw: Floats) -> Floats:
        """Give the calibrated log-odds, shape (n,)."""
        return self.slope * raw + self.intercept


@dataclass(frozen=True, slots=True)
class _Curve:
    """All slopes, each with the intercept that keeps the level; fields as in `fit_temperature`."""

    raw: Floats
    y: Floats
    weight: Floats
    ridge: float

    def intercept(self, slope: float) -> float:
        """Give the intercept with which the mean probability is that of the raw log-odds."""
        return -level.excess(slope * self.raw, self.raw, self.weight)

    def at(self, slope: float) -> tuple[float, float]:
        """Give the gradient of the loss along the curve per unit of mass, and its expected rise, which is positive."""
        intercept = self.intercept(slope)
        z = slope * self.raw + intercept
        p = probabilities(z)
        mass = self.weight * p * probabilities(-z)
        centred = self.raw - (np.average(self.raw, weights=mass) if mass.sum() > 0 else -intercept / slope)
        gradient = (self.weight * (p - self.y)) @ centred + self.ridge * (slope - 1)
        return float(gradient / self.weight.sum()), float((mass @ centred**2 + self.ridge) / self.weight.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration(Sigmoid):
    """The calibrator that was chosen, and why.

    Attributes:
        method: which numbers were fitted.
        why: the choice in one sentence.
        leads: leads of the rarer outcome.
        raw: uncalibrated log-odds of every training row, given by a model that did not learn from its lead, shape (n,);
            None where the folds are too poor in one outcome to learn from.
        isotonic: the extra term, if it was asked for and there is enough data.
    """

    method: Method = "none"
    why: str = ""
    leads: int = 0
    raw: Floats | None = field(default=None, compare=False, repr=False)
    isotonic: Isotonic | None = field(default=None, compare=False)

    @property
    def held_out(self) -> Floats | None:
        """Calibrated log-odds (the two numbers only) of every training row from models that did not learn from it."""
        return None if self.raw is None else self.log_odds(self.raw)

    def into(self, scorer: Scorer) -> Scorer:
        """Put the numbers into a scorer."""
        return replace(scorer, slope=self.slope, intercept=self.intercept, isotonic=self.isotonic)

    def to_json(self) -> dict[str, Any]:
        """Give method, numbers and reason, without the predictions."""
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "isotonic_steps": None if self.isotonic is None else len(self.isotonic.values),
            "leads": self.leads,
            "why": self.why,
        }


class Learnt(Protocol):
    """Something that was learnt from rows."""

    def raw(self, rows: Rows) -> Floats:
        """Give uncalibrated log-odds, shape (n,)."""


def out_of_fold(rows: Rows, learn: Callable[[Rows], Learnt], seed: int) -> Floats | None:
    """Predict every row by something that was learnt without its lead.

    Args:
        rows: training rows.
        learn: learns from rows; called once per fold, from several threads.
        seed: of the folds.

    Returns:
        Uncalibrated log-odds, shape (n,); None where the rows outside some fold have one outcome only.
    """
    fold = folds_of(rows, number_of_folds(len(rows)), seed + 2)
    numbers = [int(number) for number in np.unique(fold)]
    if len(numbers) < 2 or any(
        not 0 < rows.y[fold != number].sum() < np.count_nonzero(fold != number) for number in numbers
    ):
        return None

    def held_out(number: int) -> Floats:
        return learn(rows.take(fold != number)).raw(rows.take(fold == number))

    raw = np.full(len(rows), np.nan)
    for number, log_odds in zip(numbers, side_by_side(held_out, numbers), strict=True):
        raw[fold == number] = log_odds
    return raw


def choose(raw: Floats | None, rows: Rows, *, isotonic: bool = False) -> Calibration:
    """Choose and fit the calibrator that the number of leads can carry (see the head of this file).

    Args:
        raw: out-of-fold log-odds of the rows, shape (n,), as `out_of_fold` gives them.
        rows: training rows; their outcomes, weights and leads are used.
        isotonic: whether an isotonic term is wanted as well.
    """
    leads = rarer_leads(rows)
    if raw is None:
        why = "not calibrated: the training rows are too few of one outcome to predict each of them by the others"
        return Calibration(method="none", why=why, leads=leads)
    counted = f"{leads:,} leads of the rarer outcome"
    if leads < LEAST_LEADS:
        why = f"not calibrated: {counted}, a correction needs at least {LEAST_LEADS}"
        return Calibration(method="none", why=why, leads=leads, raw=raw)
    method: Method = "temperature" if leads < SIGMOID_LEADS else "sigmoid"
    found = (Sigmoid.fit_temperature if method == "temperature" else Sigmoid.fit)(raw, rows.y, rows.weight)
    told = "slope only" if method == "temperature" else "slope and level"
    why = f"{method} ({told}), fitted out of fold: {counted}"
    steps = None
    if isotonic and leads >= ISOTONIC_LEADS:
        steps = isotonic_term.fit(found.log_odds(raw), rows.y, rows.weight)
        why += f"; an isotonic term of {len(steps.values)} steps, as asked"
    elif isotonic:
        why += f"; no isotonic term, which needs at least {ISOTONIC_LEADS:,}"
    return Calibration(
        slope=found.slope, intercept=found.intercept, method=method, why=why, leads=leads, raw=raw, isotonic=steps
    )


def rarer_leads(rows: Rows) -> int:
    """Count the leads with a positive row and those with a negative one, and give the smaller number."""
    leads = rows.lead_ids
    return min(len(set(leads[rows.y == outcome])) for outcome in (0.0, 1.0))


def _ridge(raw: Floats, weight: Floats) -> float:
    """Give the curvature of the pull of the slope towards 1."""
    spread = float(np.average((raw - np.average(raw, weights=weight)) ** 2, weights=weight))
    return PRIOR_ROWS * 0.25 * max(spread, 1e-12)
