"""The measures of a lead's own activities, from the meeting of snapshots and activities.

Specifications with the same filters share one pass over the activities that these filters choose.
"""

from collections.abc import Sequence
from typing import Final

import narwhals as nw

from features.expressions import cells, runs
from features.expressions.frame import (
    ORDER,
    ROW,
    Frame,
    all_of,
    chosen,
    coded,
    conditions,
    in_order,
    lazy,
    looked_at,
    neighbour,
    width,
    with_next,
)
from leadlight.measures import Measure
from leadlight.spec import FeatureSpec

FOLLOWED: Final[frozenset[Measure]] = frozenset({"followed", "followed_share"})


def aggregated(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Aggregate what the filters choose: specifications of `cells.MEASURES` with the same filters.

    Returns:
        ROW and one column per specification; a snapshot without chosen activities is left out.
    """
    rhythm = any(spec.measure in cells.RHYTHM for spec in specs)
    wanted = list({cell.name: cell for spec in specs for cell in cells.cells(spec)}.values())
    rows = chosen(met.select(ROW, "age", *looked_at(specs), *_order(met)), specs[0])  # a filter copies what it is given
    rows = rows.with_columns(__before=neighbour(rows, "age", 1)) if rhythm else rows
    return _aggregated(rows, wanted).select(ROW, *(cells.feature(spec).alias(spec.name) for spec in specs))


def _aggregated(rows: Frame, wanted: Sequence[cells.Cell]) -> Frame:
    """Give ROW and cells, lazy: by place where rows are in order."""
    if in_order(rows):
        return lazy(runs.totals(rows, wanted))
    valued = rows.with_columns(**{cell.name: cell.value for cell in wanted})
    return valued.group_by(ROW).agg(**{cell.name: cell.aggregated() for cell in wanted})


def _order(met: Frame) -> list[str]:
    """An eager frame is in order already; a lazy one needs the columns of the order."""
    return [] if in_order(met) else list(ORDER)


def followed(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Count the activities after which another came in time, or give their share.

    Args:
        met: the meeting.
        specs: specifications of `FOLLOWED` with the same `then_types` and `then_actor`.
    """
    later = all_of(conditions(answer(specs[0])))
    marks = {spec.name: all_of(conditions(spec)) for spec in specs}
    rows = met.select(
        ROW,
        "age",
        *_order(met),
        __later=nw.lit(value=True) if later is None else later,
        **{name: nw.lit(value=True) if mark is None else mark for name, mark in marks.items()},
    )
    wait = nw.col("age") - nw.col("__then")
    wanted = [cell for spec in specs for cell in answers(spec, nw.col(spec.name), wait)]
    sums = _aggregated(with_next(rows, "__later"), wanted)
    return sums.select(ROW, *(followed_feature(spec).alias(spec.name) for spec in specs))


def answer(spec: FeatureSpec) -> FeatureSpec:
    """Specify the activities that may follow: those of `then_types` and `then_actor`."""
    return FeatureSpec("then", spec.family, "count", spec.then_types, spec.then_actor)


def answers(spec: FeatureSpec, counted: nw.Expr, wait: nw.Expr) -> list[cells.Cell]:
    """Give what is summed for a specification of `FOLLOWED`: the activities, and those that were followed in time.

    Args:
        spec: the specification; its window is applied here.
        counted: whether an activity passes the filters.
        wait: how long after it the next activity that may follow came, null where there is none.
    """
    if spec.window_days is not None:
        counted = counted & (nw.col("age") <= width(spec.window_days))
    answered = counted & (wait <= width(spec.within_days)).fill_null(value=False)
    return [
        cells.Cell(f"__all_{spec.name}", counted.cast(nw.Int8)),
        cells.Cell(f"__part_{spec.name}", answered.cast(nw.Int8)),
    ]


def followed_feature(spec: FeatureSpec) -> nw.Expr:
    """Compute a feature of `FOLLOWED` from the sums of `answers`."""
    number, part = (nw.col(f"__{name}_{spec.name}").cast(nw.Float64) for name in ("all", "part"))
    return part if spec.measure == "followed" else nw.when(number > 0).then(part / number)


def last_types(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Code the types of the last activities: specifications of `last_type` with the same filters."""
    rows = chosen(met, specs[0]).select(ROW, "type", "age", *_order(met))
    back = {f"__type_{spec.k}": neighbour(rows, "type", spec.k - 1) for spec in specs if spec.k > 1}
    rows = rows.with_columns(__type_1=nw.col("type"), __next=neighbour(rows, "age", -1), **back)
    newest = lazy(rows.filter(nw.col("__next").is_null()))
    return newest.select(ROW, *(coded(nw.col(f"__type_{spec.k}"), spec).alias(spec.name) for spec in specs))
