"""Labels: did the lead reach the target within the horizon, as far as the record tells."""

import polars as pl

from features.tables import Tables
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.schema import DAY, FUNNEL, Target, at_or_beyond


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


def default_horizon(tables: Tables, target: Target, before: int) -> int:
    """Choose a horizon from the dwell times seen before an instant: their 80 % quantile from creation, in whole days.

    Dwell is the time from a lead's creation to its first entry into the target or a later stage. At least one day.

    Raises:
        NotEnoughDataError: nobody reached the target before that instant.
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
    if dwell is None:
        stages = ", ".join(FUNNEL)
        raise NotEnoughDataError(
            f"nobody reached `{target}` before the cut, so no horizon can be derived; give --horizon "
            f"(or another --target; stages: {stages})"
        )
    return max(1, -(-int(dwell) // DAY)) * DAY
