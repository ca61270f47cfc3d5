"""Labels: did the lead reach the target within the horizon, as far as the record tells."""

from typing import Final

import polars as pl

from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import DAY, Target, at_or_beyond

# Where nobody has reached the target yet: decisions between companies take six to ten months, of which a lead spends
# about the first three until sales accepts it, and one more until there is an opportunity.
USUAL_HORIZONS: Final[dict[Target, int]] = {"sql": 90 * DAY, "opportunity": 120 * DAY, "customer": 240 * DAY}


def attach(
    snapshots: pl.DataFrame, tables: Tables, target: Target, horizon_us: int | None, observed_until: int
) -> pl.DataFrame:
    """Add `label` and `outcome_us` to snapshots that are open for the target.

    label is 1.0 if the target or any later stage is first entered in (as_of, as_of + horizon], even after a loss; 0.0
    if as_of + horizon <= observed_until without it; else null (censored). Nothing after observed_until is looked at.
    outcome_us is the time from as_of to that entry in µs, null where there was none. A horizon of None means `ever`:
    every lead counts as fully observed (data without a clock).

    Raises:
        InputError: horizon_us <= 0.
    """
    if horizon_us is not None and horizon_us <= 0:
        raise InputError(f"horizon == {horizon_us} µs, must be > 0")
    reached = (
        tables.stages.filter(pl.col("stage").is_in(list(at_or_beyond(target))))
        .filter(pl.col("entered_at") <= observed_until)
        .group_by("lead_id")
        .agg(reached_at=pl.col("entered_at").min())
    )
    elapsed = pl.col("reached_at") - pl.col("as_of")
    within = elapsed > 0 if horizon_us is None else elapsed.is_between(0, horizon_us, closed="right")
    mature = pl.lit(value=True) if horizon_us is None else pl.col("as_of") + horizon_us <= observed_until
    label = pl.when(within).then(1.0).when(mature).then(0.0).otherwise(None)
    return (
        snapshots.lazy()
        .join(reached, on="lead_id", how="left", maintain_order="left")
        .with_columns(label=label, outcome_us=pl.when(within).then(elapsed).otherwise(None))
        .drop("reached_at")
        .collect()
    )


def recorded(tables: Tables, target: Target, before: int) -> bool:
    """Tell whether any outcome stands in the record before an instant: the target, a later stage, or a loss.

    Where none does, that a lead has no success yet is no failure: nobody writes outcomes down, or not yet.
    """
    outcomes = pl.col("stage").is_in([*at_or_beyond(target), "lost"])
    return bool(tables.stages.filter(outcomes, pl.col("entered_at") < before).head(1).collect().height)


def dwell_horizon(tables: Tables, target: Target, before: int) -> int | None:
    """Choose a horizon from the dwell times seen before an instant: their 80 % quantile from creation, in whole days.

    Dwell is the time from a lead's creation to its first entry into the target or a later stage. At least one day; None
    where nobody reached the target before that instant.
    """
    dwell = (
        tables.stages.filter(pl.col("stage").is_in(list(at_or_beyond(target))), pl.col("entered_at") < before)
        .group_by("lead_id")
        .agg(pl.col("entered_at").min())
        .join(tables.leads.select("lead_id", "created_at"), on="lead_id")
        .select((pl.col("entered_at") - pl.col("created_at")).quantile(0.8, "linear"))
        .collect()
        .item()
    )
    return None if dwell is None else max(1, -(-int(dwell) // DAY)) * DAY
