"""All measures of a lead's own activities from one pass, for an engine that plans longer than it computes.

Where `own` filters and aggregates once per filter, a filter is here a condition on the values of one wide aggregation:
Spark plans, compiles and schedules every aggregation anew, which costs more than to look at all activities each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw

from features.expressions import cells, own
from features.expressions.frame import (
    NEVER,
    ORDER,
    ROW,
    Frame,
    alike,
    all_of,
    by_filter,
    coded,
    conditions,
    neighbour,
    width,
)
from leadlight.measures import Measure
from leadlight.spec import FeatureSpec

_DISTINCT: Final[Mapping[Measure, str]] = {"distinct_types": "type", "distinct_contents": "content"}


@dataclass(frozen=True, slots=True)
class _Group:
    """Specifications with the same filters, and the columns that belong to them.

    Attributes:
        place: of the group among all.
        specs: the specifications.
    """

    place: int
    specs: Sequence[FeatureSpec]

    @property
    def chosen(self) -> nw.Expr:
        """Whether an activity passes the filters, never null."""
        return nw.col(f"__chosen_{self.place}")

    @property
    def before(self) -> str:
        """Name the age of the chosen activity before."""
        return f"__before_{self.place}"

    @property
    def prefix(self) -> str:
        """Begin the names of the cells."""
        return f"__{self.place}"

    def of(self, measures: frozenset[Measure]) -> list[FeatureSpec]:
        """Give the specifications of some measures."""
        return [spec for spec in self.specs if spec.measure in measures]

    def cells(self) -> dict[str, tuple[nw.Expr, str]]:
        """Give what is aggregated: name -> value per activity, null where it is not chosen, and how."""
        found: dict[str, tuple[nw.Expr, str]] = {}
        for spec in self.of(cells.MEASURES - frozenset(_DISTINCT)):
            for cell in cells.cells(spec, self.before):
                if cell.how == "len":
                    found[self.prefix + cell.name] = self.chosen.cast(nw.Int8), "sum"
                else:
                    found[self.prefix + cell.name] = nw.when(self.chosen).then(cell.value), cell.how
        return found


@dataclass(frozen=True, slots=True)
class _Later:
    """Specifications of `followed` that wait for the same activities.

    Attributes:
        column: the instant of the next of these activities.
        specs: the specifications.
    """

    column: str
    specs: Sequence[FeatureSpec]

    @property
    def test(self) -> nw.Expr:
        """Whether an activity is one of those."""
        return _holds(own.answer(self.specs[0]))


def pays_for(met: Any) -> bool:
    """Tell whether the engine of a meeting is one that plans every part anew, however small the log."""
    return bool(met.implementation is nw.Implementation.PYSPARK)


def of_activities(met: Frame, specs: Sequence[FeatureSpec]) -> Iterator[Frame]:
    """Give the frames (ROW and features) of specifications of a lead's own activities.

    Args:
        met: the meeting, lazy.
        specs: specifications.
    """
    groups = [_Group(place, same) for place, same in enumerate(by_filter(specs))]
    rows = _with(met, {f"__chosen_{group.place}": _holds(group.specs[0]) for group in groups})
    if any(_is_summed(spec) for spec in specs):
        yield _summed(rows, groups)
    for measure, column in _DISTINCT.items():
        having = [group for group in groups if group.of(frozenset({measure}))]
        if having:
            yield _distinct(rows, having, measure, column)
    for group in groups:
        last = [spec for spec in group.of(frozenset({"last_type"})) if not _is_summed(spec)]
        if last:
            yield own.last_types(met, last)


def _holds(spec: FeatureSpec) -> nw.Expr:
    """Test the filters of a specification; false where it is not known."""
    test = all_of(conditions(spec))
    return nw.lit(value=True) if test is None else test.fill_null(value=False)


def _is_summed(spec: FeatureSpec) -> bool:
    """Whether a feature comes from the one aggregation: the last types are read at the last activity of all."""
    return spec.measure not in _DISTINCT and (spec.measure != "last_type" or not any(spec.filter_key))


def _summed(rows: Frame, groups: Sequence[_Group]) -> Frame:
    """Aggregate everything at once; neighbours in time are found before, all over the same order."""
    specs = [spec for group in groups for spec in group.specs]
    followed = alike((spec for spec in specs if spec.measure in own.FOLLOWED), "then_types", "then_actor")
    later = [_Later(f"__then_{place}", same) for place, same in enumerate(followed)]
    last = [spec for spec in specs if spec.measure == "last_type" and _is_summed(spec)]
    rows = _with_neighbours(rows, [group for group in groups if group.of(cells.RHYTHM)], later, last)
    wanted: dict[str, tuple[nw.Expr, str]] = {}
    for group in groups:
        wanted |= group.cells()
        for spec in group.of(own.FOLLOWED):
            (then,) = (one.column for one in later if spec in one.specs)
            wait = nw.col(then) - nw.col("occurred_at")
            wanted |= {cell.name: (cell.value, cell.how) for cell in own.answers(spec, group.chosen, wait)}
    for spec in last:
        newest = nw.when(nw.col("__next").is_null()).then(coded(nw.col(f"__type_{spec.k}"), spec))
        wanted[f"__last_{spec.name}"] = newest, "max"
    valued = rows.select(ROW, **{name: value for name, (value, _) in wanted.items()})
    totals = valued.group_by(ROW).agg(**{name: getattr(nw.col(name), how)() for name, (_, how) in wanted.items()})
    features = (_feature(spec, group).alias(spec.name) for group in groups for spec in group.specs if _is_summed(spec))
    return totals.select(ROW, *features)


def _feature(spec: FeatureSpec, group: _Group) -> nw.Expr:
    if spec.measure == "last_type":
        return nw.col(f"__last_{spec.name}")
    return own.followed_feature(spec) if spec.measure in own.FOLLOWED else cells.feature(spec, group.prefix)


def _with_neighbours(
    rows: Frame, rhythm: Sequence[_Group], later: Sequence[_Later], last: Sequence[FeatureSpec]
) -> Frame:
    """Add the ages before, the instants after, and the last types, in as few changes of order as there can be."""
    at, age, never = nw.col("occurred_at"), nw.col("age"), nw.lit(NEVER)
    marks = {one.column: nw.when(one.test).then(at).otherwise(never) for one in later}
    marks |= {group.before: nw.when(group.chosen).then(age).otherwise(never) for group in rhythm}
    rows = _with(rows, marks)
    first = {one.column: nw.col(one.column).cum_min(reverse=True) for one in later}
    newest = {group.before: nw.col(group.before).cum_min() for group in rhythm if any(group.specs[0].filter_key)}
    rows = _with(rows, {name: run.over(ROW, order_by=list(ORDER)) for name, run in (first | newest).items()})
    beside = {one.column: neighbour(rows, one.column, -1) for one in later}
    beside |= {group.before: neighbour(rows, group.before, 1) for group in rhythm}
    if last:
        beside |= {f"__type_{spec.k}": neighbour(rows, "type", spec.k - 1) for spec in last if spec.k > 1}
        beside |= {"__type_1": nw.col("type"), "__next": neighbour(rows, "occurred_at", -1)}
    rows = _with(rows, beside)
    return _with(rows, {name: nw.when(nw.col(name) < never).then(nw.col(name)) for name in marks})


def _with(rows: Frame, columns: Mapping[str, nw.Expr]) -> Frame:
    return rows.with_columns(**columns) if columns else rows


def _distinct(rows: Frame, groups: Sequence[_Group], measure: Measure, column: str) -> Frame:
    """Count different texts in windows: those whose newest chosen activity lies in the window."""
    ages = {f"__age_{group.place}": nw.when(group.chosen).then(nw.col("age")) for group in groups}
    there = rows.filter(~nw.col(column).is_null()).select(ROW, column, **ages)
    newest = there.group_by(ROW, column).agg(**{name: nw.col(name).min() for name in ages})
    found: dict[str, nw.Expr] = {}
    for group in groups:
        age = nw.col(f"__age_{group.place}")
        for spec in group.of(frozenset({measure})):
            inside = ~age.is_null() if spec.window_days is None else (age <= width(spec.window_days))
            found[spec.name] = inside.fill_null(value=False).cast(nw.Int64)
    each = newest.select(ROW, **found)
    return each.group_by(ROW).agg(**{name: nw.col(name).sum() for name in found})
