"""The made-up market going on after a training: as it was, with another base rate, or with busier leads."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from leadlight.schema import DAY
from tests.training import market

LEADS, DAYS = 12_000, 520
CHANGE = market.START + 385 * DAY  # leads created from here on are other ones
SEEN = 428  # nine weeks after the training: a look is due
EARLY = 407  # a day on which busier leads are few among the recent ones
KEPT = 0.17  # share of leads without success that are kept where the base rate rose


@cache
def as_it_was():
    return market.frames(LEADS, seed=11, days=DAYS)


def rarer_failures():
    """Leave out most of the later leads that never reach sql, whatever they look like: the assumption holds."""
    frames = as_it_was()
    won = frames["stages"].filter(pl.col("stage") == "sql")["lead_id"]
    random = pl.Series(np.random.default_rng(3).random(LEADS))
    kept = (pl.col("created_at") < CHANGE) | pl.col("lead_id").is_in(won.implode()) | (random < KEPT)
    leads = frames["leads"].filter(kept)
    found = {name: frame.join(leads, on="lead_id", how="semi") for name, frame in frames.items() if name != "leads"}
    return found | {"leads": leads}


def busier(more=5):
    """Let later leads look at prices more often than before, without becoming likelier: the assumption is broken."""
    frames = as_it_was()
    later = frames["leads"].filter(pl.col("created_at") >= CHANGE)
    views = [
        later.select(
            "lead_id",
            activity_id=pl.col("lead_id") + f"-more-{number}",
            type=pl.lit("pricing_view"),
            occurred_at=pl.col("created_at") + (1 + number) * DAY // 8,
            actor=pl.lit("lead"),
        )
        for number in range(more)
    ]
    return frames | {"activities": pl.concat([frames["activities"], *views], how="diagonal_relaxed")}


def at(day):
    """Give the instant of a day."""
    return market.START + day * DAY


def publish(room, frames, day):
    """Let a workspace hold what is known at a day."""
    until = at(day)
    instants = {
        "leads": "created_at",
        "activities": "occurred_at",
        "stages": "entered_at",
        "attribute_changes": "changed_at",
    }
    known = {name: frame.filter(pl.col(instants[name]) < until) for name, frame in frames.items()}
    return market.publish(room.root, known, replace(market.info(day), generation=f"day-{day}"))
