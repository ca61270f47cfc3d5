"""Exact filtering of the hidden (type, mood) of many leads at once, and the probability of a stage to come.

Between two events the joint weight of (k, m) evolves by exp((Q_k - diag(observable rates)) dt); at an activity it is
multiplied by the activity's rate, at a move by the move's rate (forward recursion of a Markov-modulated Poisson
process: Rydén 1996, doi:10.1016/0167-9473(95)00025-9). Normalised, it is P(type, mood | history). Rates of a kind
that are the same for all types and moods say nothing and are left out, which is exact too.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import FUNNEL, STAGES, Target, at_or_beyond
from leadlight.simulate.market import MOODS, Floats, Market
from leadlight.simulate.people import Codes

# Codes of what happens to a lead; an activity of kind c has code c, an entry into stage s has MOVE + s.
MOVE: Final = 100
ASK: Final = 200  # a snapshot: report the state just before, change nothing


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a set of leads, ordered by (lead, time) with ties in their true order; shape (events,) each.

    Attributes:
        lead: row of the lead, 0..n-1.
        days: since the lead's creation.
        code: kind of activity, `MOVE` + stage, or `ASK`.
    """

    lead: Codes
    days: Floats
    code: Codes


def informative_kinds(market: Market) -> NDArray[np.bool_]:
    """Mask the activity kinds whose rate depends on type or mood in some stage, shape (C,)."""
    first = market.rates[:1, :, :1, :]
    mask: NDArray[np.bool_] = (market.rates != first).any(axis=(0, 1, 2))
    return mask


def filter_states(market: Market, prior: Floats, history: History) -> tuple[Floats, Codes]:
    """Give P(type, mood | what came before) and the stage at every `ASK` of the history, in its order.

    Args:
        market: the parameters.
        prior: P(type | attributes) of each lead, shape (n, K).
        history: informative activities, moves and asks.

    Returns:
        Weights of shape (asks, K, M), adding up to 1, and stages of shape (asks,).
    """
    flow = _Flow.of(market)
    counts = np.bincount(history.lead, minlength=len(prior))
    starts = np.cumsum(counts) - counts
    by_length = np.argsort(-counts, kind="stable")
    weight = (prior[:, :, None] * market.initial_mood[None])[by_length]
    stage = np.zeros(len(prior), dtype=np.int64)
    last = np.zeros(len(prior))
    ask_index = np.cumsum(history.code == ASK) - 1
    found = np.empty((int((history.code == ASK).sum()), *weight.shape[1:]))
    found_stage = np.empty(len(found), dtype=np.int64)
    longest = -np.sort(-counts)
    for step in range(int(longest[0]) if len(longest) else 0):
        n = int(np.searchsorted(-longest, -step, side="left"))  # leads with more than `step` events
        event = starts[by_length[:n]] + step
        days, code = history.days[event], history.code[event]
        now = flow.propagate(weight[:n], stage[:n], days - last[:n])
        asked = code == ASK
        found[ask_index[event[asked]]] = now[asked]
        found_stage[ask_index[event[asked]]] = stage[:n][asked]
        weight[:n] = flow.observe(now, stage[:n], code)
        stage[:n] = np.where((code >= MOVE) & ~asked, code - MOVE, stage[:n])
        last[:n] = days
    return found, found_stage


@dataclass(frozen=True, slots=True)
class _Flow:
    """Eigenvectors and eigenvalues of the sub-generators of each (stage, type), and what each event multiplies by."""

    right: Floats  # (S, K, M, M)
    left: Floats  # (S, K, M, M)
    eigenvalues: Floats  # (S, K, M)
    factors: Floats  # (S, codes, K, M): by event code

    @classmethod
    def of(cls, market: Market) -> "_Flow":
        """Decompose; a birth and death generator has real eigenvalues and independent eigenvectors."""
        useful = informative_kinds(market)
        leaving = market.stage_rates.sum(axis=3) + market.rates[..., useful].sum(axis=3) + market.mood_rates.sum(axis=3)
        generator = market.mood_rates - leaving[..., None] * np.eye(len(MOODS))
        values, right = np.linalg.eig(generator.swapaxes(0, 1))
        factors = np.ones((len(STAGES), ASK + 1, *market.initial_mood.shape))
        rates = np.moveaxis(market.rates, (1, 3), (0, 1))
        factors[:, : rates.shape[1]] = rates
        factors[:, MOVE : MOVE + len(STAGES)] = np.moveaxis(market.stage_rates, (1, 3), (0, 1))
        return cls(right.real, np.linalg.inv(right.real), values.real, factors)

    def propagate(self, weight: Floats, stage: Codes, days: Floats) -> Floats:
        """Let time pass, and normalise to 1; shape (n, K, M)."""
        moved = np.empty_like(weight)
        for at in np.unique(stage):
            rows = np.flatnonzero(stage == at)
            grown = np.exp(self.eigenvalues[at][None] * days[rows, None, None])
            mixed = np.matmul(weight[rows].swapaxes(0, 1), self.right[at]) * grown.swapaxes(0, 1)
            moved[rows] = np.matmul(mixed, self.left[at]).swapaxes(0, 1)
        moved = np.maximum(moved, 0.0)  # rounding may leave -1e-20
        normal: Floats = moved / moved.sum(axis=(1, 2), keepdims=True)
        return normal

    def observe(self, weight: Floats, stage: Codes, code: Codes) -> Floats:
        """Take in an event; an `ASK` changes nothing."""
        return weight * self.factors[stage, code]


def passage_probability(market: Market, target: Target, days: float) -> Floats:
    """Give P(target or a later stage is entered within `days` | type, stage, mood), shape (K, S, M).

    The chain passes through `lost`, from which leads return; states at or beyond the target absorb.
    """
    kinds, stages, moods = market.stage_rates.shape[:3]
    size = stages * moods
    reached = np.array([name in at_or_beyond(target) for name in STAGES])
    result = np.empty((kinds, stages, moods))
    for k in range(kinds):
        generator = np.zeros((stages, moods, stages, moods))
        for s in np.flatnonzero(~reached):
            generator[s, :, s, :] = market.mood_rates[k, s]
            for m in range(moods):
                generator[s, m, :, m] += market.stage_rates[k, s, m]
        flat = generator.reshape(size, size)
        flat -= np.diag(flat.sum(axis=1))
        arrived = _exponential(flat * days).reshape(stages, moods, stages, moods)[:, :, reached]
        result[k] = arrived.sum(axis=(2, 3))
    return result


def not_open(stage: Codes, target: Target) -> NDArray[np.bool_]:
    """Mask stages (codes) in which a lead is not open for the target: at or beyond it, or lost."""
    closed = {*FUNNEL[FUNNEL.index(target) :], "lost"}
    mask: NDArray[np.bool_] = np.array([name in closed for name in STAGES])[stage]
    return mask


def _exponential(matrix: Floats) -> Floats:
    """Exponentiate a generator by scaling and squaring of its Taylor series (here far within double precision)."""
    squarings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-30)))) + 4)
    small = matrix / 2.0**squarings
    term = total = np.eye(len(matrix))
    for order in range(1, 14):
        term = term @ small / order
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total
