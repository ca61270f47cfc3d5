"""Stage history: entries into a stage, days since, and days in the present stage."""

from collections.abc import Sequence

import narwhals as nw

from features.expressions.frame import ROW, Frame
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec


def history(rows: Frame, stages: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Measure what was entered before each snapshot.

    Args:
        rows: ROW, lead_id, as_of.
        stages: lead_id, stage, entered_at (int64 µs).
        specs: specifications of the measures of stages.
    """
    entered = rows.join(stages.select("lead_id", "stage", "entered_at"), on="lead_id").filter(
        nw.col("entered_at") < nw.col("as_of")
    )
    age = (nw.col("as_of") - nw.col("entered_at")).cast(nw.Float64) / DAY
    cells = {spec.name: _cell(age, spec) for spec in specs}
    return entered.with_columns(**cells).group_by(ROW).agg(**{spec.name: _together(spec) for spec in specs})


def _cell(age: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    if spec.measure == "days_in_stage":
        return age
    there = nw.col("stage") == spec.stage
    return there.cast(nw.Int64) if spec.measure == "stage_entries" else nw.when(there).then(age)


def _together(spec: FeatureSpec) -> nw.Expr:
    return nw.col(spec.name).sum() if spec.measure == "stage_entries" else nw.col(spec.name).min()
