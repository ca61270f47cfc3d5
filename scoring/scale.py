"""The scale of a score: ten points double the odds, and 50 is the reference probability.

    score = 50 + 10 * log2(odds / reference odds) = 50 + (log-odds - reference log-odds) * 10 / ln 2

The map is affine, so every contribution to the log-odds is also one in points, and points add up:
`base points + sum of contributions in points = raw score`. The shown score is the raw one clipped to 0-100.
This is the points-to-double-the-odds scale of credit scorecards (N. Siddiqi, Credit Risk Scorecards, 2006, ch. 6).
"""

import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

ANCHOR: Final = 50.0
POINTS_TO_DOUBLE_THE_ODDS: Final = 10.0
POINTS_PER_LOG_ODDS: Final = POINTS_TO_DOUBLE_THE_ODDS / math.log(2.0)
LOWEST: Final = 0.0
HIGHEST: Final = 100.0

Floats = NDArray[np.float64]
Ends = TypeVar("Ends", Floats, np.float64)


def logit(probability: float) -> float:
    """Give ln(p / (1 - p)) of a probability strictly between 0 and 1."""
    return math.log(probability) - math.log1p(-probability)


def raw_score(log_odds: float, reference: float) -> float:
    """Give the unclipped score of a log-odds (or of the base alone: the base in points).

    >>> round(raw_score(logit(0.30), 0.30), 9), round(raw_score(logit(0.30) + math.log(2), 0.30), 9)
    (50.0, 60.0)
    """
    return ANCHOR + (log_odds - logit(reference)) * POINTS_PER_LOG_ODDS


def raw_scores(log_odds: Floats, reference: float) -> Floats:
    """Give the unclipped scores of log-odds, shape (n,)."""
    return np.asarray(ANCHOR + (log_odds - logit(reference)) * POINTS_PER_LOG_ODDS, dtype=np.float64)


def clipped(score: float) -> float:
    """Give the score that is shown: within 0 and 100, one decimal."""
    return round(min(max(score, LOWEST), HIGHEST), 1) + 0.0


def probability(log_odds: float) -> float:
    """Give 1 / (1 + exp(-log-odds)) without overflow.

    >>> probability(0.0), probability(-1000.0), probability(1000.0)
    (0.5, 0.0, 1.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    small = math.exp(log_odds)
    return small / (1.0 + small)


def widened(low: Ends, high: Ends, likely: Ends) -> tuple[Ends, Ends]:
    """Give the interval that is shown: its ends, widened where needed to hold the probability itself.

    Args:
        low: lower ends, as `Scorer.interval_of` gives them, shape (n,); or a single one.
        high: upper ends.
        likely: the probabilities that are shown with them.
    """
    return np.minimum(low, likely), np.maximum(high, likely)


def probabilities(log_odds: Floats) -> Floats:
    """Give the probabilities of log-odds, shape (n,), without overflow."""
    small = np.exp(-np.abs(log_odds))
    return np.asarray(np.where(log_odds >= 0, 1.0, small) / (1.0 + small), dtype=np.float64)
