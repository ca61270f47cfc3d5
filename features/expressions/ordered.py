"""Measures that look at neighbours in time: distinct days, rhythm, what followed what, and the last types.

Specifications with the same filters share one pass over the activities that these filters choose.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final

import narwhals as nw

from features.expressions.frame import (
    ROW,
    Frame,
    chosen,
    coded,
    conditions,
    glob_columns,
    lazy,
    local_day,
    neighbour,
    width,
    with_next,
)
from leadlight.measures import Measure
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec

RHYTHM: Final[frozenset[Measure]] = frozenset({"distinct_days", "gap_mean", "gap_spread", "sessions"})
FOLLOWED: Final[frozenset[Measure]] = frozenset({"followed", "followed_share"})
_MINUTE: Final = DAY // 1_440


def rhythm(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Measure what depends on the activity before: specifications of `RHYTHM` with the same filters."""
    rows = chosen(met, specs[0]).select(ROW, "age", "occurred_at", *_order(met))
    rows = lazy(rows.with_columns(__before=neighbour(rows, "age", 1)))
    sums = {name: value for spec in specs for name, value in _rhythm_parts(spec).items()}
    return (
        rows.with_columns(**sums)
        .group_by(ROW)
        .agg(**{name: nw.col(name).sum() for name in sums})
        .select(ROW, *(_rhythm(spec).alias(spec.name) for spec in specs))
    )


def _order(met: Frame) -> list[str]:
    """An eager frame is in order already; a lazy one needs the last column of the order."""
    return [] if isinstance(met, nw.DataFrame) else ["activity_id"]


def _rhythm_parts(spec: FeatureSpec) -> dict[str, nw.Expr]:
    """Give the value per activity of each sum that a specification needs."""
    age, before = nw.col("age"), nw.col("__before")
    inside, linked = nw.lit(value=True), ~before.is_null()
    if spec.window_days is not None:
        inside = age <= width(spec.window_days)
        linked = linked & (before <= width(spec.window_days)).fill_null(value=False)
    gap = (before - age).fill_null(0)
    if spec.measure in {"gap_mean", "gap_spread"}:
        days = nw.when(linked).then(gap.cast(nw.Float64) / DAY).otherwise(nw.lit(0.0))
        return {
            f"__links__{spec.name}": linked.cast(nw.Int64),
            f"__gaps__{spec.name}": days,
            f"__squares__{spec.name}": days * days,
        }
    if spec.measure == "sessions":
        near = linked & (gap <= round((spec.gap_minutes or 0.0) * _MINUTE))
    else:
        at = nw.col("occurred_at")
        near = linked & (local_day(at, spec) == local_day(at - gap, spec))
    return {f"__new__{spec.name}": (inside & ~near).cast(nw.Int64)}


def _rhythm(spec: FeatureSpec) -> nw.Expr:
    if spec.measure in {"sessions", "distinct_days"}:
        return nw.col(f"__new__{spec.name}").cast(nw.Float64)
    links = nw.col(f"__links__{spec.name}").cast(nw.Float64)
    gaps = nw.col(f"__gaps__{spec.name}")
    if spec.measure == "gap_mean":
        return nw.when(links > 0).then(gaps / links)
    squares = nw.col(f"__squares__{spec.name}")
    return nw.when(gaps > 0).then((squares * links).sqrt() / gaps)


def followed(met: Frame, spec: FeatureSpec) -> Frame:
    """Count the activities after which another came in time, or give their share."""
    then = FeatureSpec("then", spec.family, "count", spec.then_types, spec.then_actor)
    first, later = conditions(spec), conditions(then)
    marks = {
        "__first": reduce(lambda one, other: one & other, first, nw.lit(value=True)),
        "__later": reduce(lambda one, other: one & other, later, nw.lit(value=True)),
    }
    globs = glob_columns([spec])
    rows = (met.with_columns(**globs) if globs else met).with_columns(**marks)
    rows = rows.filter(nw.col("__first") | nw.col("__later")).select(
        ROW, "age", "occurred_at", "__first", "__later", *_order(met)
    )
    rows = lazy(with_next(rows, "__later"))
    counted = nw.col("__first")
    if spec.window_days is not None:
        counted = counted & (nw.col("age") <= width(spec.window_days))
    wait = nw.col("__then") - nw.col("occurred_at")
    answered = counted & (wait <= width(spec.within_days)).fill_null(value=False)
    totals = rows.with_columns(__all=counted.cast(nw.Int64), __answered=answered.cast(nw.Int64))
    sums = totals.group_by(ROW).agg(__all=nw.col("__all").sum(), __answered=nw.col("__answered").sum())
    number, part = nw.col("__all").cast(nw.Float64), nw.col("__answered").cast(nw.Float64)
    value = part if spec.measure == "followed" else nw.when(number > 0).then(part / number)
    return sums.select(ROW, value.alias(spec.name))


def last_types(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Code the types of the last activities: specifications of `last_type` with the same filters."""
    rows = chosen(met, specs[0]).select(ROW, "type", "occurred_at", *_order(met))
    back = {f"__type_{spec.k}": neighbour(rows, "type", spec.k - 1) for spec in specs if spec.k > 1}
    rows = rows.with_columns(__type_1=nw.col("type"), __next=neighbour(rows, "occurred_at", -1), **back)
    newest = lazy(rows.filter(nw.col("__next").is_null()))
    return newest.select(ROW, *(coded(nw.col(f"__type_{spec.k}"), spec).alias(spec.name) for spec in specs))
