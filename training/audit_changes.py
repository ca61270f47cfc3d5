"""Recorded changes of an attribute: were its values there before the outcome, or written by it?"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from features.tables import Tables
from leadlight.schema import HOUR
from training.audit_known import Known


@dataclass(frozen=True, slots=True)
class Written:
    """When an attribute of closed leads was first written, as its history tells.

    Attributes:
        leads: closed leads with a recorded change before the cut.
        after: the share of them whose first change came an hour before the outcome or later.
    """

    leads: int
    after: float


def recorded(tables: Tables, cut: int) -> frozenset[str]:
    """Name the attributes of which a change was recorded before the cut (µs UTC)."""
    names = tables.changes.filter(pl.col("changed_at") < cut).select("field").unique().collect()
    return frozenset(names["field"])


def written(tables: Tables, known: Known) -> Mapping[str, Written]:
    """Measure every attribute of which changes were recorded."""
    outcome = pl.DataFrame(
        {
            "lead_id": known.frame["lead_id"],
            "outcome_at": pl.Series(known.outcome_at),
            "closed": pl.Series(known.closed),
        }
    )
    first = (
        tables.changes.filter(pl.col("changed_at") < known.cut)
        .group_by("lead_id", "field")
        .agg(pl.col("changed_at").min())
        .join(outcome.lazy().filter("closed"), on="lead_id")
        .group_by("field")
        .agg(leads=pl.len(), after=(pl.col("changed_at") >= pl.col("outcome_at") - HOUR).mean())
        .collect()
    )
    return {row["field"]: Written(row["leads"], row["after"]) for row in first.iter_rows(named=True)}
