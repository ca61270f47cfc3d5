"""Measures that add up: partial sums per snapshot and kind first, pivoted into features after.

A *kind* is a combination of type, actor, channel and matched globs. Aggregating the meeting once per kind and
combining the few kinds per feature costs a fraction of one conditional sum per feature over all activities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import narwhals as nw
import numpy as np

from features.expressions.frame import (
    ROW,
    TEXT_FILTERS,
    Frame,
    all_of,
    conditions,
    glob_columns,
    glob_name,
    lazy,
    local_day,
    offset,
    plain,
    width,
)
from leadlight.measures import Measure
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec

MEASURES: Final[frozenset[Measure]] = frozenset(
    {
        "count",
        "value_sum",
        "decayed_count",
        "momentum",
        "trend",
        "share",
        "days_since_last",
        "days_since_first",
        "distinct_types",
    }
)
How = Literal["sum", "min", "max"]


@dataclass(frozen=True, slots=True)
class Partial:
    """A column of the first stage: its name, the value per activity, and how values are put together."""

    name: str
    value: nw.Expr
    how: How = "sum"

    def aggregated(self, column: str) -> nw.Expr:
        """Put together the values of a column."""
        values = nw.col(column)
        if self.how == "sum":
            return values.sum()
        return values.min() if self.how == "min" else values.max()


def per_kind(met: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Aggregate the meeting per snapshot and kind: one column per partial that some specification needs."""
    partials = {partial.name: partial for spec in specs for partial in _partials(spec)}
    values = {partial.name: partial.value for partial in partials.values()}
    return (
        lazy(met)
        .with_columns(**glob_columns(specs), **values)
        .group_by(ROW, *_kind(specs))
        .agg(**{partial.name: partial.aggregated(partial.name) for partial in partials.values()})
    )


def pivot(kinds: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Combine kinds into features: ROW and one column per specification."""
    wanted = {_cell(partial, spec): (partial, spec) for spec in specs for partial in _partials(spec)}
    cells = {name: _of_kind(nw.col(partial.name), spec) for name, (partial, spec) in wanted.items()}
    return (
        kinds.with_columns(**cells)
        .group_by(ROW)
        .agg(**{name: partial.aggregated(name) for name, (partial, _) in wanted.items()})
        .select(ROW, *(_finished(spec).alias(spec.name) for spec in specs))
    )


def breadth(kinds: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    """Count the types of which a kind has activities: ROW and one column per specification."""
    names = {spec.name: _of_kind(nw.col(_partials(spec)[0].name), spec) for spec in specs}
    per_type = kinds.with_columns(**names).group_by(ROW, "type").agg(**{name: nw.col(name).sum() for name in names})
    present = {name: (nw.col(name) > 0).fill_null(value=False).cast(nw.Int64) for name in names}
    return per_type.with_columns(**present).group_by(ROW).agg(**{name: nw.col(name).sum() for name in names})


def _cell(partial: Partial, spec: FeatureSpec) -> str:
    return f"{partial.name}__{spec.name}"


def _of_kind(value: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    condition = all_of(conditions(spec))
    return value if condition is None else nw.when(condition).then(value)


def _kind(specs: Sequence[FeatureSpec]) -> list[str]:
    """Name the columns that tell apart what the specifications select."""
    used = {
        "type": any(spec.types or spec.measure == "distinct_types" for spec in specs),
        "actor": any(spec.actor is not None for spec in specs),
        "channel": any(spec.channel is not None for spec in specs),
    }
    globs = {glob_name(column, glob) for spec in specs for column in TEXT_FILTERS if (glob := getattr(spec, column))}
    return [*(name for name, needed in used.items() if needed), *sorted(globs)]


def _inside(days: float | None) -> nw.Expr | None:
    return None if days is None else nw.col("age") <= width(days)


def _where(value: nw.Expr, inside: nw.Expr | None) -> nw.Expr:
    return value if inside is None else value * inside.cast(nw.Float64)


def _count(name: str, inside: nw.Expr | None) -> Partial:
    return Partial(name, nw.lit(1, nw.Int64) if inside is None else inside.cast(nw.Int64))


def _partials(spec: FeatureSpec) -> list[Partial]:  # one case per measure
    age, days = nw.col("age"), spec.window_days
    inside = _inside(days)
    window = "" if days is None else f"_{plain(repr(days))}"
    counted = _count(f"__count{window}", inside)
    match spec.measure:
        case "momentum":
            span = width(days)
            before = (age > span) & (age <= 2 * span)
            return [counted, _count(f"__count_before{window}", before)]
        case "trend":
            place = 1.0 - age.cast(nw.Float64) * (2.0 / width(days))
            return [Partial(f"__place{window}", _where(place, inside)), counted]
        case "share":
            tests = [*([] if inside is None else [inside]), *_clock(spec)]
            clock = plain(f"{spec.hours}{spec.weekdays}{spec.utc_offset_hours!r}")
            return [_count(f"__share{window}_{clock}", all_of(tests)), counted]
        case "value_sum":
            return [Partial(f"__value{window}", _where(nw.col("value").fill_null(0.0), inside))]
        case "decayed_count":
            half_life = spec.half_life_days or 1.0
            weight = (age.cast(nw.Float64) * (-np.log(2.0) / (half_life * DAY))).exp()
            return [Partial(f"__decayed_{plain(repr(half_life))}{window}", _where(weight, inside))]
        case "days_since_last" | "days_since_first":
            bounded = age if inside is None else nw.when(inside).then(age)
            how: How = "min" if spec.measure == "days_since_last" else "max"
            return [Partial(f"__{how}{window}", bounded, how)]
    return [counted]


def _clock(spec: FeatureSpec) -> list[nw.Expr]:
    """Test the local hour and weekday of an activity."""
    tests: list[nw.Expr] = []
    day = local_day(nw.col("occurred_at"), spec)
    if spec.hours:
        since_midnight = nw.col("occurred_at") + offset(spec) - day * DAY
        low, high = (round(hour * HOUR) for hour in spec.hours)
        tests += [since_midnight >= low, since_midnight < high]
    if spec.weekdays:
        weekday = day + 3 - (day + 3) // 7 * 7  # 1970-01-01 was a Thursday
        tests.append(weekday.is_in(list(spec.weekdays)))
    return tests


def _finished(spec: FeatureSpec) -> nw.Expr:
    cells = [nw.col(_cell(partial, spec)).cast(nw.Float64) for partial in _partials(spec)]
    match spec.measure:
        case "momentum":
            recent, before = (cell.fill_null(0.0) + 1.0 for cell in cells)
            doublings: nw.Expr = (recent / before).log(base=2)
            return doublings
        case "trend" | "share":
            part, whole = cells
            return nw.when(whole > 0).then(part / whole)
        case "days_since_last" | "days_since_first":
            return cells[0] / DAY
    return cells[0]
