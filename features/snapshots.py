"""Snapshots: the (lead_id, as_of) pairs at which features and labels are taken, and whether a lead is open then."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR, Target, at_or_beyond

# Scheduled ages: 1 h, 1, 3, 7, 14, 30, 60, 90, 180, 365 days after creation.
SCHEDULED_AGES: Final[tuple[int, ...]] = (HOUR, *(days * DAY for days in (1, 3, 7, 14, 30, 60, 90, 180, 365)))


def scheduled(tables: Tables, ages_us: Sequence[int], start: int, end: int) -> pl.DataFrame:
    """Give the snapshots at fixed ages after creation whose as_of lies in [start, end).

    Returns:
        Columns lead_id, as_of (int64 µs), age (int64 µs), sorted by lead_id and as_of.

    Raises:
        InputError: no age, or an age <= 0.
    """
    if not ages_us or min(ages_us) <= 0:
        raise InputError(f"ages == {list(ages_us)} µs, must be one or more positive ages; use for example 1d,7d,14d")
    leads = tables.leads.select("lead_id", "created_at").collect().lazy()
    of_age = [
        leads.filter(pl.col("created_at").is_between(start - age, end - age, closed="left")).select(
            "lead_id", as_of=pl.col("created_at") + age, age=pl.lit(age, dtype=pl.Int64)
        )
        for age in sorted(set(ages_us))
    ]
    found: pl.DataFrame = pl.concat(of_age).sort("lead_id", "as_of").collect()
    return found


def on_activity(tables: Tables, start: int, end: int, every: int = DAY) -> pl.DataFrame:
    """Give one snapshot per lead and UTC day with an activity that was known that day, as_of in [start, end).

    as_of is the midnight that ends the day: the whole day is seen, and choosing the instant needs no look ahead.

    Args:
        tables: the tables.
        start: µs UTC.
        end: µs UTC.
        every: µs; another width than a day, counted from the epoch.

    Returns:
        Columns lead_id, as_of (int64 µs), sorted by both.
    """
    known = pl.max_horizontal("occurred_at", "received_at")
    found: pl.DataFrame = (
        tables.activities.select("lead_id", as_of=(known // every + 1) * every)
        .filter(pl.col("as_of").is_between(start, end, closed="left"))
        .unique()
        .join(tables.leads.select("lead_id", "created_at"), on="lead_id")
        .filter(pl.col("as_of") > pl.col("created_at"))
        .select("lead_id", "as_of")
        .sort("lead_id", "as_of")
        .collect()
    )
    return found


def at(tables: Tables, as_of: int) -> pl.DataFrame:
    """Give one snapshot per lead created before an instant: columns lead_id, as_of, sorted by lead_id."""
    found: pl.DataFrame = (
        tables.leads.filter(pl.col("created_at") < as_of)
        .select("lead_id", as_of=pl.lit(as_of, dtype=pl.Int64))
        .sort("lead_id")
        .collect()
    )
    return found


def open_for(snapshots: pl.DataFrame, tables: Tables, target: Target) -> pl.DataFrame:
    """Keep the snapshots at which the lead is open for the target, with its `stage` at as_of.

    Open: neither the target nor a later stage was entered before as_of or at it (an entry at that very instant could be
    neither foreseen nor counted as a failure), and the lead is not currently lost. The stage is the last one entered
    before as_of (`lead` where none was); of two entered at the same instant the later one of the funnel counts, and
    `lost` last.
    """
    fulfilled = pl.col("stage").is_in(list(at_or_beyond(target)))
    rank = pl.col("stage").replace_strict(
        ["lead", "mql", "sql", "opportunity", "customer", "lost"], [0, 1, 2, 3, 4, 5], return_dtype=pl.Int8
    )
    entered_before = pl.col("entered_at") < pl.col("as_of")
    known = (
        snapshots.lazy()
        .select("lead_id", "as_of")
        .join(tables.stages.select("lead_id", "stage", "entered_at"), on="lead_id")
        .filter(entered_before | (fulfilled & (pl.col("entered_at") == pl.col("as_of"))))
        .with_columns(rank=rank, fulfilled=fulfilled)
        .group_by("lead_id", "as_of")
        .agg(pl.col("stage").sort_by("entered_at", "rank").last(), pl.col("fulfilled").any())
    )
    return (
        snapshots.lazy()
        .join(known, on=["lead_id", "as_of"], how="left", maintain_order="left")
        .with_columns(pl.col("stage").fill_null("lead"), pl.col("fulfilled").fill_null(value=False))
        .filter(~pl.col("fulfilled") & (pl.col("stage") != "lost"))
        .drop("fulfilled")
        .collect()
    )
