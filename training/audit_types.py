"""Activity types that are the outcome: they happen at it or only after it, or they are a stage under another name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from features.tables import Tables
from leadlight.schema import DAY, MICROSECONDS_PER_SECOND
from training.audit_known import Flags, Known
from training.audit_share import least
from training.audit_times import SOON

# So near to an outcome, before or after, an activity is *at* it; so near to a stage entry it is that entry.
AT: Final = DAY
SAME: Final = 60 * MICROSECONDS_PER_SECOND
# Types of fewer leads than this are not judged; features of their own begin at twice as many.
FEWEST_LEADS: Final = 10


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """When the activities of one type happened, before the cut; leads decided within three days are left out.

    Attributes:
        activities: how many there were.
        leads: of how many leads.
        at: share within a day of the lead's outcome.
        at_least: lower end of its interval, counted in leads.
        after: share at or after the outcome.
        after_least: lower end of its interval, counted in leads.
        before: leads that had one more than a day before their outcome, or are open.
        stage: the stage whose entries most of them coincide with to the minute, if any.
        stage_share: what share that is.
    """

    activities: int
    leads: int
    at: float
    at_least: float
    after: float
    after_least: float
    before: int
    stage: str | None
    stage_share: float


@dataclass(frozen=True, slots=True)
class Types:
    """Every type seen before the cut, and what was measured of those that enough leads have.

    Attributes:
        seen: their names.
        judged: what was measured, by name.
        decided: leads with an outcome that it could be measured against.
    """

    seen: tuple[str, ...]
    judged: Mapping[str, TypeEvidence]
    decided: int


def by_type(tables: Tables, known: Known) -> Types:
    """Measure every type with activities of enough leads; none where there is no clock."""
    seen = tuple(_log(tables, known).select(pl.col("type").unique().sort()).collect(engine="streaming")["type"])
    if not known.timed or not len(known):
        return Types(seen, {}, 0)
    counted = _near_outcome(_log(tables, known), known).sort("type")
    kept = counted.filter(pl.col("leads") >= FEWEST_LEADS)
    stages = _near_stages(_log(tables, known), tables, known)
    found: dict[str, TypeEvidence] = {}
    for row in kept.iter_rows(named=True):
        leads = row["leads"]
        at, after = row["at"] / row["activities"], row["after"] / row["activities"]
        stage, together = stages.get(row["type"], (None, 0))
        found[row["type"]] = TypeEvidence(
            activities=row["activities"],
            leads=leads,
            at=at,
            at_least=least(at * leads, leads),
            after=after,
            after_least=least(after * leads, leads),
            before=row["before"],
            stage=stage,
            stage_share=together / row["activities"],
        )
    return Types(seen, found, int((known.closed & _late(known)).sum()))


def _log(tables: Tables, known: Known) -> pl.LazyFrame:
    log = tables.activities.filter(pl.max_horizontal("occurred_at", "received_at") < known.cut)
    chosen: pl.LazyFrame = log.select("lead_id", "type", "occurred_at")
    return chosen


def _late(known: Known) -> Flags:
    """Tell whose outcome, if there is one, came more than three days after the creation, shape (n,)."""
    return ~known.closed | (known.outcome_at - known.created > SOON)


def _near_outcome(log: pl.LazyFrame, known: Known) -> pl.DataFrame:
    outcome = pl.DataFrame(
        {
            "lead": pl.Series(range(len(known)), dtype=pl.UInt32),
            "lead_id": known.frame["lead_id"],
            "outcome_at": pl.Series(known.outcome_at),
            "closed": pl.Series(known.closed),
            "late": pl.Series(_late(known)),
        }
    )
    after_us = pl.col("occurred_at") - pl.col("outcome_at")
    return (
        log.join(outcome.lazy().filter("late"), on="lead_id")
        .with_columns(at=pl.col("closed") & after_us.is_between(-AT, AT), after=pl.col("closed") & (after_us >= 0))
        .with_columns(before=~pl.col("at") & ~pl.col("after"))
        .group_by("type")
        .agg(
            activities=pl.len(),
            leads=pl.col("lead").n_unique(),
            at=pl.col("at").sum(),
            after=pl.col("after").sum(),
            before=pl.col("lead").filter(pl.col("before")).n_unique(),
        )
        .collect(engine="streaming")
    )


def _near_stages(log: pl.LazyFrame, tables: Tables, known: Known) -> dict[str, tuple[str, int]]:
    """Give for each type the stage with whose entries most activities coincide, and how many do."""
    entries = tables.stages.filter(pl.col("entered_at") < known.cut, pl.col("stage") != "lead")
    pairs = log.with_row_index("row").join(entries.select("lead_id", "stage", "entered_at"), on="lead_id")
    together = (
        pairs.filter((pl.col("occurred_at") - pl.col("entered_at")).abs() <= SAME)
        .unique(["row", "stage"])
        .group_by("type", "stage")
        .agg(n=pl.len())
        .sort(["n", "stage"])
        .collect(engine="streaming")
    )
    return {row["type"]: (row["stage"], row["n"]) for row in together.iter_rows(named=True)}
