"""`clock: order(column)`: instants for data that has an order but no time.

The lead of rank r (dense, from 0, equal values share a rank) is created at `EPOCH + r minutes`, which is its one
snapshot; its stages are entered one second later, so that the label exists; `observed_until` is one minute after the
newest lead, so that every outcome counts as known. Nothing of it is point in time, and results are marked so.
"""

from typing import Final

import polars as pl

EPOCH: Final = 946_684_800_000_000  # 2000-01-01T00:00Z in µs
TICK: Final = 60_000_000  # one rank: a minute
OUTCOME_AFTER: Final = 1_000_000  # a second, less than a tick: known before the next lead comes


def created_at(order: pl.Expr) -> pl.Expr:
    """Give the instant of each lead in µs UTC from its order (never null)."""
    return pl.lit(EPOCH, dtype=pl.Int64) + (order.rank("dense").cast(pl.Int64) - 1) * TICK


def observed_until(newest_lead: int | None) -> int:
    """Give the instant at which the outcome of every lead counts as known, µs UTC."""
    return (EPOCH if newest_lead is None else newest_lead) + TICK
