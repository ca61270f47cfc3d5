"""What is aggregated per snapshot for a measure, and how the aggregates become the feature.

A *cell* is a value per activity with its way of putting values together. Conditions are part of the value, so that all
cells of the activities that a filter chooses come from one plain aggregation.
"""

from dataclasses import dataclass
from typing import Final, Literal

import narwhals as nw
import numpy as np

from features.expressions.frame import clock_name, midnight_name, plain, width
from leadlight.measures import Measure
from leadlight.schema import DAY, MINUTE
from leadlight.spec import FeatureSpec

# Measures that need the activity before: its age is in the column `__before`.
RHYTHM: Final[frozenset[Measure]] = frozenset({"distinct_days", "gap_mean", "gap_spread", "sessions"})
MEASURES: Final[frozenset[Measure]] = RHYTHM | {
    "count",
    "value_sum",
    "decayed_count",
    "momentum",
    "trend",
    "share",
    "days_since_last",
    "days_since_first",
    "distinct_types",
    "distinct_contents",
}
How = Literal["sum", "min", "max", "n_unique", "len"]
Ages = tuple[int, int | None]  # µs: older than the first, at most the second (None = however old)


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of the aggregation.

    Attributes:
        name: the column.
        value: per activity.
        how: how values are put together.
        ages: where the cell is the number of activities of these ages, or the least or greatest such age: then it can
            be found without its values.
    """

    name: str
    value: nw.Expr
    how: How = "sum"
    ages: Ages | None = None

    def aggregated(self) -> nw.Expr:
        """Put the values together."""
        if self.how == "len":
            return nw.len()
        together: nw.Expr = getattr(nw.col(self.name), self.how)()
        return together


def cells(spec: FeatureSpec, previous: str = "__before") -> list[Cell]:
    """Give the cells of a specification; the same cell of two specifications has the same name.

    Args:
        spec: the specification.
        previous: the column that `RHYTHM` needs.
    """
    age, days = nw.col("age"), spec.window_days
    until = None if days is None else width(days)
    inside = None if until is None else age <= until
    window = "" if days is None else f"_{plain(repr(days))}"
    counted = _count(f"__count{window}", inside, (0, until))
    match spec.measure:
        case "momentum":
            span = width(days)
            before = (age > span) & (age <= 2 * span)
            return [counted, _count(f"__count_before{window}", before, (span, 2 * span))]
        case "trend":
            place = 1.0 - age.cast(nw.Float64) * (2.0 / width(days))
            return [Cell(f"__place{window}", _where(place, inside)), counted]
        case "share":
            at_hours = nw.col(clock_name(spec))
            there = at_hours if inside is None else inside & at_hours
            return [_flag(f"__share{window}{clock_name(spec)}", there), counted]
        case "value_sum":
            return [Cell(f"__value{window}", _where(nw.col("value"), inside))]
        case "decayed_count":
            half_life = spec.half_life_days or 1.0
            weight = (age.cast(nw.Float64) * (-np.log(2.0) / (half_life * DAY))).exp()
            return [Cell(f"__decayed_{plain(repr(half_life))}{window}", _where(weight, inside))]
        case "days_since_last" | "days_since_first":
            how: How = "min" if spec.measure == "days_since_last" else "max"
            return [Cell(f"__{how}{window}", age if inside is None else nw.when(inside).then(age), how, (0, until))]
        case "distinct_types" | "distinct_contents":
            return _distinct(spec.measure.removeprefix("distinct_").removesuffix("s"), inside, window)
        case "distinct_days" | "gap_mean" | "gap_spread" | "sessions":
            return _rhythm(spec, window, nw.col(previous))
    return [counted]


def feature(spec: FeatureSpec, prefix: str = "") -> nw.Expr:
    """Compute a feature from its aggregated cells, whose names begin with `prefix`."""
    values = [nw.col(prefix + cell.name).cast(nw.Float64) for cell in cells(spec)]
    match spec.measure:
        case "momentum":
            recent, before = (value + 1.0 for value in values)
            doublings: nw.Expr = (recent / before).log(base=2)
            return doublings
        case "trend" | "share" | "gap_mean":
            part, whole = values
            return nw.when(whole > 0).then(part / whole)
        case "gap_spread":
            gaps, links, squares = values
            return nw.when(gaps > 0).then((squares * links).sqrt() / gaps)
        case "days_since_last" | "days_since_first":
            return values[0] / DAY
        case "distinct_types" | "distinct_contents":
            return values[0] - values[1]
    return values[0]


def _count(name: str, inside: nw.Expr | None, ages: Ages | None = None) -> Cell:
    return Cell(name, nw.col("age"), "len", ages) if inside is None else _flag(name, inside, ages=ages)


def _flag(name: str, holds: nw.Expr, how: How = "sum", ages: Ages | None = None) -> Cell:
    """Count where a test holds, as narrow numbers: not every engine sums booleans."""
    return Cell(name, holds.cast(nw.Int8), how, ages)


def _where(value: nw.Expr, inside: nw.Expr | None) -> nw.Expr:
    return value if inside is None else value * inside.cast(nw.Float64)


def _distinct(column: str, inside: nw.Expr | None, window: str) -> list[Cell]:
    """Count different texts; engines count null, which stands for what is outside, as one more."""
    text = nw.col(column)
    value = text if inside is None else nw.when(inside).then(text)
    outside = text.is_null() if inside is None else text.is_null() | ~inside
    return [
        Cell(f"__{column}s{window}", value, "n_unique"),
        _flag(f"__no_{column}{window}", outside, "max"),
    ]


def _rhythm(spec: FeatureSpec, window: str, before: nw.Expr) -> list[Cell]:
    age = nw.col("age")
    inside, linked = None, ~before.is_null()
    if spec.window_days is not None:
        inside = age <= width(spec.window_days)
        linked = linked & (before <= width(spec.window_days)).fill_null(value=False)
    gap = (before - age).fill_null(0)
    if spec.measure in {"gap_mean", "gap_spread"}:
        days = nw.when(linked).then(gap.cast(nw.Float64) / DAY).otherwise(nw.lit(0.0))
        both = [Cell(f"__gaps{window}", days), _flag(f"__links{window}", linked)]
        return both if spec.measure == "gap_mean" else [*both, Cell(f"__squares{window}", days * days)]
    if spec.measure == "sessions":
        near = linked & (gap <= round((spec.gap_minutes or 0.0) * MINUTE))
        name = f"__sessions{window}_{plain(repr(spec.gap_minutes))}"
    else:
        near = linked & (gap <= nw.col(midnight_name(spec)))
        name = f"__days{window}_{plain(repr(spec.utc_offset_hours))}"
    return [_flag(name, ~near if inside is None else inside & ~near)]
