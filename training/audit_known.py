"""Whom the audit looks at: the leads created before the cut, and what was known of their outcomes at it.

Three questions can be put to a column: does it tell who has won, who was lost, and who is closed at all? The third is
asked because a field that is written at closing may look alike for won and lost leads and yet not for open ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.tables import Tables
from leadlight.schema import Target, at_or_beyond

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
Event = Literal["won", "lost", "closed"]

# Fewer events, or leads without one, than this: the question is not put.
LEAST: Final = 20
COHORTS: Final = 5
FOLDS: Final = 5


@dataclass(frozen=True, slots=True)
class Known:
    """n leads in the order of their table.

    Attributes:
        frame: their rows of `leads`, attributes included.
        created: µs UTC, shape (n,).
        won: whether the target or a later stage was entered before the cut, shape (n,).
        lost: whether the lead was lost before the cut without having won, shape (n,).
        outcome_at: µs UTC of the first such entry; of no meaning for open leads, shape (n,).
        judged: leads that are compared: those whose horizon ended before the cut where they hold enough outcomes (all
            of these had the same chance to be decided), else all; shape (n,).
        cohort: fifth of the judged leads in order of creation, shape (n,).
        fold: of cross-fitting, drawn, shape (n,).
        timed: False where the data has no clock.
        cut: µs UTC.
    """

    frame: pl.DataFrame
    created: Codes
    won: Flags
    lost: Flags
    outcome_at: Codes
    judged: Flags
    cohort: Codes
    fold: Codes
    timed: bool
    cut: int

    def __len__(self) -> int:
        """Give the number of leads."""
        return len(self.created)

    @property
    def closed(self) -> Flags:
        """Won or lost."""
        return self.won | self.lost

    @property
    def part(self) -> Codes:
        """Number fold and cohort together: the judged leads that are compared with each other, shape (judged,)."""
        return (self.fold * COHORTS + self.cohort)[self.judged]

    @property
    def open(self) -> int:
        """How many leads are neither won nor lost."""
        return int((~self.closed).sum())

    def events(self) -> Mapping[Event, Flags]:
        """Give the questions that there are outcomes enough for, each as what happened to every lead.

        `closed` is left out where nobody was lost: then it says what `won` says.
        """
        asked: dict[Event, Flags] = {"won": self.won, "lost": self.lost}
        if self.lost.any() and self.won.any():
            asked["closed"] = self.closed
        return {name: event for name, event in asked.items() if enough(event[self.judged])}


def enough(event: Flags) -> bool:
    """Whether there are events enough, and leads enough without one, to say something."""
    return bool(LEAST <= event.sum() <= len(event) - LEAST)


def known_at_cut(tables: Tables, target: Target, horizon_us: int | None, cut: int, seed: int) -> Known:
    """Gather the leads created before the cut.

    Args:
        tables: Polars frames.
        target: stage to be predicted; a later one counts too.
        horizon_us: None = data without a clock.
        cut: µs UTC; no outcome at or after it is looked at, no lead created at or after it.
        seed: of the folds.
    """
    frame = tables.leads.filter(pl.col("created_at") < cut).collect()
    stages = tables.stages.filter(pl.col("entered_at") < cut)
    won = _first(stages.filter(pl.col("stage").is_in(list(at_or_beyond(target)))), "won_at")
    lost = _first(stages.filter(pl.col("stage") == "lost"), "lost_at")
    keys = frame.lazy().select("lead_id").join(won, on="lead_id", how="left", maintain_order="left")
    at = keys.join(lost, on="lead_id", how="left", maintain_order="left").collect()
    has_won = at["won_at"].is_not_null().to_numpy()
    has_lost = at["lost_at"].is_not_null().to_numpy() & ~has_won
    created = frame["created_at"].to_numpy()
    outcome_at = np.where(has_won, at["won_at"].fill_null(0).to_numpy(), at["lost_at"].fill_null(0).to_numpy())
    judged = _judged(created, has_won, horizon_us, cut)
    fold = np.random.default_rng(seed).integers(0, FOLDS, frame.height)
    cohort = cohorts(created, judged)
    return Known(
        frame, created, has_won, has_lost, outcome_at, judged, cohort, fold, timed=horizon_us is not None, cut=cut
    )


def _first(entries: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return entries.group_by("lead_id").agg(pl.col("entered_at").min().alias(name))


def _judged(created: Codes, won: Flags, horizon_us: int | None, cut: int) -> Flags:
    mature = np.ones(len(created), dtype=bool) if horizon_us is None else created + horizon_us <= cut
    return mature if enough(won[mature]) else np.ones(len(created), dtype=bool)


def cohorts(created: Codes, judged: Flags) -> Codes:
    """Give equal parts of the judged leads by creation; leads created at one instant share one.

    Args:
        created: µs UTC, shape (n,).
        judged: which of them the parts are equal for, shape (n,).

    Returns:
        Numbers below `COHORTS`, oldest first, shape (n,).
    """
    if not judged.any():
        return np.zeros(len(created), dtype=np.int64)
    edges = np.quantile(created[judged], np.arange(1, COHORTS) / COHORTS)
    found: Codes = np.searchsorted(edges, created, side="left").astype(np.int64)
    return found
