"""The life of every lead: moods, stage moves and activities, drawn for all leads at once.

The loop runs over jump numbers, the arithmetic over leads. Instants are seconds since the start of the market while
they are drawn, and whole seconds in what is returned.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import ACTIVITY_TYPES, STAGES
from leadlight.simulate.market import MOODS, Floats, Market
from leadlight.simulate.people import Codes

SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Changes:
    """How the market changes over calendar time; the default is not at all.

    Attributes:
        drift: the rate of every second activity kind grows by exp(drift) over the period, that of the others
            shrinks by the same factor.
        shift: multiplier of the rates of moving up the funnel from `shift_at` on.
        shift_at: seconds since the start.
    """

    drift: float = 0.0
    shift: float = 1.0
    shift_at: float = np.inf

    @property
    def none(self) -> bool:
        """Whether the market stays as it is."""
        return self.drift == 0.0 and self.shift == 1.0


@dataclass(frozen=True, slots=True)
class Sojourns:
    """Stays in one (mood, stage), in no order; all shape (sojourns,)."""

    lead: Codes
    state: Codes  # (type * S + stage) * M + mood
    start: Floats
    end: Floats


@dataclass(frozen=True, slots=True)
class Moves:
    """Entries into stages after the first, ordered by (lead, at); all shape (moves,)."""

    lead: Codes
    stage: Codes
    at: Floats


@dataclass(frozen=True, slots=True)
class Acts:
    """Activities, ordered by (lead, at); all shape (activities,)."""

    lead: Codes
    kind: Codes
    at: Floats
    stage: Codes  # of the lead at that moment


def walk(
    market: Market, kind: Codes, created: Floats, until: float, rng: np.random.Generator, *, changes: Changes
) -> tuple[Sojourns, Moves]:
    """Let every lead move between moods and stages from its creation until `until`.

    Args:
        market: the parameters.
        kind: hidden type of each lead, shape (n,).
        created: seconds since the start, shape (n,).
        until: where the record ends, seconds since the start.
        rng: source of randomness.
        changes: base-rate shift (drift does not matter here).
    """
    before, after = _jump_table(market, 1.0), _jump_table(market, changes.shift)
    moods, stages = len(MOODS), len(STAGES)
    mood = (rng.random((len(kind), 1)) > np.cumsum(market.initial_mood, axis=1)[kind][:, :-1]).sum(axis=1)
    lead, at = np.arange(len(kind)), created.copy()
    state = kind * stages * moods + mood
    parts: list[tuple[Codes, Codes, Floats, Floats]] = []
    jumps: list[tuple[Codes, Codes, Floats]] = []
    while len(lead):
        shifted = at >= changes.shift_at
        total = np.where(shifted, after[:, -1][state], before[:, -1][state])
        wait = rng.exponential(size=len(lead)) / np.maximum(total, 1e-12)
        barrier = np.where(shifted, until, min(changes.shift_at, until))
        end = np.minimum(at + wait * SECONDS_PER_DAY, barrier)
        parts.append((lead, state, at, end))
        jumped = at + wait * SECONDS_PER_DAY < barrier
        target = _destination(np.where(shifted[:, None], after[state], before[state]), rng.random(len(lead)))
        moved = jumped & (target >= moods)
        jumps.append((lead[moved], target[moved] - moods, end[moved]))
        state = np.where(jumped, _next_state(state, target), state)
        keep = jumped | (end < until)
        lead, state, at = lead[keep], state[keep], end[keep]
    sojourns = Sojourns(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    moved_lead, moved_stage, moved_at = (np.concatenate(column) for column in zip(*jumps, strict=True))
    order = np.lexsort((moved_at, moved_lead))
    return sojourns, Moves(moved_lead[order], moved_stage[order], moved_at[order])


def act(market: Market, sojourns: Sojourns, until: float, rng: np.random.Generator, changes: Changes) -> Acts:
    """Draw the activities of every sojourn: a Poisson number of them at uniform instants, each of a random kind.

    With drift, activities are drawn at the highest rate of the period and thinned (Lewis and Shedler 1979,
    doi:10.1002/nav.3800260304).
    """
    kinds = len(ACTIVITY_TYPES)
    rates = market.rates.reshape(-1, kinds) * np.exp(abs(changes.drift) / 2)
    length = (sojourns.end - sojourns.start) / SECONDS_PER_DAY
    count = rng.poisson(rates.sum(axis=1)[sojourns.state] * length)
    row = np.repeat(np.arange(len(count)), count)
    at = sojourns.start[row] + rng.random(len(row)) * (sojourns.end - sojourns.start)[row]
    cumulative = np.cumsum(rates, axis=1)
    share = (cumulative / np.maximum(cumulative[:, -1:], 1e-300)).ravel() + np.repeat(np.arange(len(rates)), kinds)
    state = sojourns.state[row]
    drawn = np.searchsorted(share, state + rng.random(len(row)), side="right")
    kind = np.clip(drawn - state * kinds, 0, kinds - 1)
    if changes.drift:
        growth = np.exp(np.where(kind % 2 == 0, 1.0, -1.0) * changes.drift * (at / until - 0.5))
        keep = rng.random(len(row)) < growth / np.exp(abs(changes.drift) / 2)
        row, at, kind, state = row[keep], at[keep], kind[keep], state[keep]
    lead = sojourns.lead[row]
    order = np.lexsort((at, lead))
    stage = state // len(MOODS) % len(STAGES)
    return Acts(lead[order], kind[order], at[order], stage[order])


def _jump_table(market: Market, shift: float) -> Floats:
    """Give cumulative rates of switching to each mood, then moving to each stage, shape (K * S * M, M + S)."""
    up = market.stage_rates.copy()
    stages = len(STAGES)
    for origin in range(stages):
        for target in range(stages - 1):  # `lost` is the last stage and no way up
            if target > origin or origin == stages - 1:
                up[:, origin, :, target] *= shift
    both = np.concatenate([market.mood_rates, up], axis=3)
    table: Floats = np.cumsum(both.reshape(-1, both.shape[3]), axis=1)
    return table


def _destination(cumulative: Floats, uniform: Floats) -> NDArray[np.int64]:
    """Choose a column by cumulative rates, shape (n,)."""
    chosen: NDArray[np.int64] = ((uniform * cumulative[:, -1])[:, None] >= cumulative[:, :-1]).sum(axis=1)
    return chosen


def _next_state(state: Codes, target: Codes) -> Codes:
    """Give the state after a jump: targets below M are moods, the others stages."""
    moods, stages = len(MOODS), len(STAGES)
    kind, stage, mood = state // (moods * stages), state // moods % stages, state % moods
    mood = np.where(target < moods, target, mood)
    stage = np.where(target < moods, stage, target - moods)
    return (kind * stages + stage) * moods + mood
