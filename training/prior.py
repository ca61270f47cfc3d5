"""What points mean before outcomes speak, and how far few outcomes may change it: the two lowest rungs of the ladder.

The prior is a line over rule points, log-odds = a + b x points, b >= 0, with standard deviations that say how sure it
is. It comes from the card (its `rule_prior`, or what its points can add up to) and from the usual ranges of B2B
funnels. `recalibrated` moves it by outcomes as far as they are evidence; without outcomes it is the prior.
"""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.bundle import Scorer, ScorerKind
from leadlight.errors import InputError
from leadlight.schema import Target
from rules import engine
from rules.check import most_points
from rules.parse import SIDES, Card
from scoring.scale import logit
from training.baselines import RulesLink
from training.penalised import minimise
from training.rows import Rows

Floats = NDArray[np.float64]
Range = tuple[float, float]

# Usual ranges of B2B funnels: what share of one stage reaches the next.
LEAD_TO_MQL: Final[Range] = (0.10, 0.20)
MQL_TO_SQL: Final[Range] = (0.30, 0.50)
SQL_TO_OPPORTUNITY: Final[Range] = (0.50, 0.70)
OPPORTUNITY_TO_WON: Final[Range] = (0.20, 0.40)
LEAD_TO_WON: Final[Range] = (0.01, 0.05)
# So many points more double the odds where a card states nothing (what the cards of the package state).
USUAL_DOUBLING: Final = 20.0
# The ranges speak of whole lifetimes, a probability of a horizon that may be a tenth of one; and definitions and
# markets differ more between companies than the ranges are wide: standard deviation, in log-odds, of the level.
LEVEL_SD: Final = 2.0
# A card's points may tell nothing, or twice what is usual: standard deviation of the slope, as a share of it.
SLOPE_SD: Final = 1.0


@dataclass(frozen=True, slots=True)
class Prior:
    """Log-odds = a + b x points, each parameter normally distributed on its own.

    Attributes:
        a: mean log-odds at 0 points.
        b: mean log-odds of one point, >= 0.
        a_sd: standard deviation of a, > 0.
        b_sd: standard deviation of b, > 0.
        source: where it comes from, in words.
    """

    a: float
    b: float
    a_sd: float
    b_sd: float
    source: str

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not all(math.isfinite(value) for value in (self.a, self.b, self.a_sd, self.b_sd)):
            raise InputError(f"prior: a == {self.a}, b == {self.b}, must be finite, and so their standard deviations")
        if self.b < 0 or self.a_sd <= 0 or self.b_sd <= 0:
            raise InputError(f"prior: b == {self.b} must be >= 0, a_sd == {self.a_sd} and b_sd == {self.b_sd} > 0")

    @property
    def link(self) -> RulesLink:
        """The line itself."""
        return RulesLink(self.a, self.b)

    @classmethod
    def of(cls, card: Card, target: Target, points: ArrayLike | None = None) -> Self:
        """Give the prior of a card for a target.

        What the card states (`rule_prior`) is taken at its word for `sql`, which is what a hand-over threshold is set
        by; for later stages times the usual rates from there. A card that states nothing gives the usual rate of MQLs
        at its threshold (or at the most points it can give, where that is less), and the bottom of the usual rate of
        all leads at 0 points. Where points can only be deducted, 0 points is as likely as a lead usually is. Where
        all are the same, so is every lead.

        Args:
            card: the card.
            target: the stage to be predicted.
            points: points of some leads, shape (n,), to see whether the card tells them apart; None = not asked.
        """
        low, high = _reach(card)
        seen = None if points is None else np.asarray(points, dtype=np.float64)
        flat = low >= high or (seen is not None and len(seen) > 0 and not np.ptp(seen))
        from_lead, from_mql = usual_range(target, of_mqls=False), usual_range(target, of_mqls=True)
        if flat:
            source = "the usual range of B2B funnels: the card tells no leads apart"
            return cls(_middle(from_lead), 0.0, _spread(from_lead), math.log(2) / USUAL_DOUBLING, source)
        stated = engine.prior(card)
        if stated is not None:
            a, b = stated
            a += _logit_of_share(a + b * card.threshold, from_mql[0] / MQL_TO_SQL[0])
            return cls(a, b, _spread(from_mql), SLOPE_SD * b, "the card's rule_prior")
        if high <= 0:
            a, top, b = _middle(from_lead), 0.0, (_middle(from_lead) - logit(from_lead[0])) / -low
        else:
            a, top = logit(from_lead[0]), min(card.threshold, high)
            b = (_middle(from_mql) - a) / top
        source = f"the usual ranges of B2B funnels, at 0 and at {top or low:g} points"
        return cls(a, b, _spread(from_lead), SLOPE_SD * b, source)


@dataclass(frozen=True, slots=True)
class Line:
    """A rung that looks at rule points only: `prior` or `rules`."""

    link: RulesLink

    def raw(self, rows: Rows) -> Floats:
        """Give the log-odds, shape (n,)."""
        return self.link.log_odds(rows.points)

    def into(self, scorer: Scorer) -> Scorer:
        """Give a scorer that answers by this line alone; of kind `base_rate` where points tell nothing."""
        kind: ScorerKind = "rules" if self.link.b > 0 else "base_rate"
        return replace(scorer, kind=kind, rule_a=self.link.a, rule_b=self.link.b)


def usual_range(target: Target, *, of_mqls: bool) -> Range:
    """Give the usual range of the share of leads, or of MQLs, that reach a stage.

    The range of a way of several steps is the product of theirs; that of leads won is known itself.

    >>> usual_range("sql", of_mqls=True)
    (0.3, 0.5)
    """
    if target == "customer" and not of_mqls:
        return LEAD_TO_WON
    steps = [MQL_TO_SQL] if of_mqls else [LEAD_TO_MQL, MQL_TO_SQL]
    steps += [SQL_TO_OPPORTUNITY] if target != "sql" else []
    steps += [OPPORTUNITY_TO_WON] if target == "customer" else []
    return math.prod(step[0] for step in steps), math.prod(step[1] for step in steps)


def fit_prior(prior: Prior) -> Line:
    """Give the lowest rung: the prior as it is."""
    return Line(prior.link)


def fit_rules(rows: Rows, prior: Prior) -> Line:
    """Give the rung `rules`: the prior, moved by the outcomes of rows as far as they are evidence."""
    return Line(recalibrated(rows.points, rows.y, evidence(rows), prior))


def evidence(rows: Rows) -> Floats:
    """Give row weights, shape (n,), that add up to what the leads can tell rather than the snapshots.

    The snapshots of a lead mostly share one outcome; counted in full they would drown a prior that few leads speak
    against, and let a scorecard of a few successes believe in chance. All weights are multiplied by leads / rows, one
    number for all.
    """
    leads = rows.frame["lead_id"].n_unique()
    weight: Floats = rows.weight * (leads / max(len(rows), 1))
    return weight


def recalibrated(points: ArrayLike, y: ArrayLike, weight: ArrayLike, prior: Prior) -> RulesLink:
    """Give the line of largest posterior density: penalised maximum likelihood, shrunk to the prior, b >= 0.

    Minimises sum w (-log-likelihood) + (a - a0)^2 / (2 a_sd^2) + (b - b0)^2 / (2 b_sd^2) by Newton's method with halved
    steps. Convex; where its b is negative, the constrained optimum has b = 0. Without rows it is the prior; with one
    class it stays finite.

    Args:
        points: rule points, shape (n,), finite.
        y: outcomes 0 or 1, shape (n,).
        weight: >= 0, shape (n,), in leads (see `evidence`).
        prior: what is believed without outcomes.

    Raises:
        InputError: an argument outside its domain, or shapes that differ.
    """
    x, outcome, mass = (np.asarray(values, dtype=np.float64) for values in (points, y, weight))
    if not x.shape == outcome.shape == mass.shape or x.ndim != 1:
        raise InputError(f"points, y and weight have shapes {x.shape}, {outcome.shape}, {mass.shape}; must be (n,)")
    if not np.all(np.isfinite(x)) or not np.all((outcome == 0) | (outcome == 1)):
        raise InputError("points must be finite, and outcomes 0 or 1; leave censored rows out first")
    if not np.all(np.isfinite(mass) & (mass >= 0)):
        raise InputError("weights must be finite and >= 0")
    design = np.column_stack([np.full_like(x, prior.a_sd), prior.b_sd * x])
    moved = minimise(design, outcome, mass, np.ones(2), offset=prior.a + prior.b * x).theta
    b = prior.b + prior.b_sd * moved[1]
    if b >= 0:
        return RulesLink(prior.a + prior.a_sd * float(moved[0]), float(b))
    level = minimise(design[:, :1], outcome, mass, np.ones(1), offset=prior.a).theta
    return RulesLink(prior.a + prior.a_sd * float(level[0]), 0.0)


def _reach(card: Card) -> Range:
    """Give the fewest and the most points that a card can give; infinite where it has no limit.

    Behaviour never falls below 0, so only fit can.
    """
    deducted = math.fsum(min(rule.points, 0.0) for rule in card.fit)
    return deducted, math.fsum(most_points(card, side) for side in SIDES)


def _middle(usual: Range) -> float:
    """Give the middle of a range, in log-odds."""
    return (logit(usual[0]) + logit(usual[1])) / 2


def _spread(usual: Range) -> float:
    """Give the standard deviation of a level: half the range, in log-odds, and what companies differ beyond it."""
    return math.hypot(LEVEL_SD, (logit(usual[1]) - logit(usual[0])) / 2)


def _logit_of_share(log_odds: float, share: float) -> float:
    """Give by how much log-odds change when their probability is multiplied by a share in (0, 1]."""
    return logit(share / (1 + math.exp(-log_odds))) - log_odds if share < 1 else 0.0
