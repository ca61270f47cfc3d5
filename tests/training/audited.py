"""Leads for the tests of the audit: who wins depends on an honest number, and leaks are added by hand."""

import numpy as np
import polars as pl

from features.tables import Tables
from leadlight.schema import DAY
from leadlight.workspace import Attribute, TablesInfo
from tests.training import market
from training.audit_known import Known, known_at_cut
from training.split import Split

START, CUT, END = market.START, market.START + 300 * DAY, market.START + 400 * DAY
HORIZON = 60 * DAY
SPLIT = Split("customer", HORIZON, CUT, END, (DAY,), (DAY,))


def frames(leads=3_000, seed=3, won=0.1, lost=0.2):
    """Make tables in which a share of the leads wins and another is lost, each some weeks after its creation."""
    random = np.random.default_rng(seed)
    created = START + np.sort((random.random(leads) * 380 * DAY).astype(np.int64))
    interest = random.normal(size=leads)
    wins = random.random(leads) < won * np.exp(0.6 * interest - 0.18)
    loses = ~wins & (random.random(leads) < lost)
    outcome = created + ((5 + random.exponential(20, leads)) * DAY).astype(np.int64)
    seen = (wins | loses) & (outcome < END)
    lead_id = [f"lead-{number:05d}" for number in random.permutation(leads)]
    whole = pl.DataFrame(
        {
            "lead_id": lead_id,
            "created_at": created,
            "interest": interest + random.normal(size=leads),
            "industry": [("software", "retail", "mining")[at] for at in random.integers(0, 3, leads)],
            "wins": wins & seen,
            "loses": loses & seen,
            "outcome": outcome,
        }
    )
    closed = whole.filter(pl.Series(seen))
    stages = closed.select(
        "lead_id",
        stage=pl.when("wins").then(pl.lit("customer")).otherwise(pl.lit("lost")),
        entered_at="outcome",
        reason=pl.lit(None, pl.String),
        amount=pl.lit(None, pl.Float64),
    )
    of = random.integers(0, leads, 4 * leads)
    at = created[of] + (random.exponential(10, len(of)) * DAY).astype(np.int64)
    log = pl.DataFrame(
        {
            "activity_id": [f"a{number}" for number in range(len(of))],
            "lead_id": [lead_id[lead] for lead in of],
            "type": [("page_view", "mail_open", "call")[kind] for kind in random.integers(0, 3, len(of))],
            "occurred_at": at,
            "actor": "lead",
        }
    ).filter(pl.col("occurred_at") < END)
    empty = market.frames(leads=1)
    return {
        "leads": whole,
        "activities": pl.concat([empty["activities"].clear(), log], how="diagonal_relaxed"),
        "stages": stages,
        "attribute_changes": empty["attribute_changes"],
    }


def tables(made) -> Tables:
    return market.tables(made)


def info(**kinds: str) -> TablesInfo:
    """Give what is known of the tables: attributes with their kinds, nothing declared."""
    attributes = tuple(Attribute(name, kind, "unknown") for name, kind in kinds.items())
    return TablesInfo("g1", END, "time", attributes, {})


def with_column(made, **columns):
    """Add attributes to the leads."""
    return {**made, "leads": made["leads"].with_columns(**columns)}


def known(made, seed=0) -> Known:
    return known_at_cut(tables(made), "customer", HORIZON, CUT, seed)
