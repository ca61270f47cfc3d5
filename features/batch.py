"""Feature specifications over whole tables, as Narwhals expressions: one definition for every engine.

Stage one aggregates the join of snapshots and activities per snapshot and *kind* (type, actor, channel, matched
contents); stage two pivots the kinds into features. Conditions become columns before they are aggregated plainly.
Every column of the result is float64 with null for null; categories are codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.tables import Tables
from leadlight.schema import DAY, HOUR
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec, glob_to_regex

_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"  # a text that is none is null
ROW = "__row"  # position of a snapshot: a narrower key than (lead_id, as_of)
Frame = nw.LazyFrame[Any]
# Measures that add up over kinds; the others need the rows themselves.
ADDITIVE = frozenset({"count", "value_sum", "decayed_count", "momentum", "days_since_last", "days_since_first"})


def build(tables: Tables, snapshots: pl.DataFrame, specs: Sequence[FeatureSpec]) -> pl.DataFrame:
    """Compute features for snapshots.

    Args:
        tables: the tables; only what lies strictly before each as_of is used.
        snapshots: columns lead_id and as_of (int64 µs); other columns are ignored.
        specs: what to compute; names are unique.

    Returns:
        lead_id, as_of and one float64 column per spec, null = null, in the order of `snapshots`.
    """
    keyed = snapshots.select("lead_id", "as_of").with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    rows: Frame = nw.from_native(keyed.lazy())
    joined = _joined(tables, rows)
    parts = [
        _additive(joined, [spec for spec in specs if spec.measure in ADDITIVE]),
        *(_distinct(tables, rows, spec) for spec in specs if spec.measure.startswith("distinct")),
        _last_types(joined, [spec for spec in specs if spec.measure == "last_type"]),
        _stages(tables, rows, [spec for spec in specs if spec.stage is not None]),
        _leads(tables, rows, [spec for spec in specs if spec.measure not in ACTIVITY_MEASURES and spec.stage is None]),
    ]
    collected = pl.collect_all([part.to_native() for part in parts if part is not None])
    result = keyed
    for part in collected:
        result = result.join(part, on=ROW, how="left", maintain_order="left")
    return result.select("lead_id", "as_of", *(_filled(spec) for spec in specs))


def matrix(frame: pl.DataFrame, specs: Sequence[FeatureSpec]) -> NDArray[np.float64]:
    """Give the features as an array of shape (rows, len(specs)), NaN = null, columns in the order of `specs`."""
    if not specs:
        return np.empty((frame.height, 0))
    return frame.select(pl.col(spec.name).fill_null(float("nan")) for spec in specs).to_numpy(order="fortran")


def columns(frame: pl.DataFrame, specs: Sequence[FeatureSpec]) -> dict[str, NDArray[np.float64]]:
    """Give the features as one array per name, NaN = null."""
    return {spec.name: frame[spec.name].fill_null(float("nan")).to_numpy() for spec in specs}


def _filled(spec: FeatureSpec) -> pl.Expr:
    """Counts of a snapshot without activities are 0; everything else stays null."""
    column = pl.col(spec.name).cast(pl.Float64)
    null_is_null = {"days_since_last", "days_since_first", "days_since_stage", "last_type", "number", "category"}
    return column if spec.measure in null_is_null else column.fill_null(0.0)


def _joined(tables: Tables, rows: Frame) -> Frame:
    """Join each snapshot with the activities that count at it; adds `age` (µs) and `seq` (order within the lead)."""
    activities: Frame = nw.from_native(tables.activities)
    return (
        rows.join(activities, on="lead_id", how="inner")
        .filter(nw.col("occurred_at") < nw.col("as_of"))
        .filter(nw.col("received_at").is_null() | (nw.col("received_at") < nw.col("as_of")))
        .with_columns(age=nw.col("as_of") - nw.col("occurred_at"))
    )


@dataclass(frozen=True, slots=True)
class _Partial:
    """A stage-one column: its name and the per-activity value that is aggregated."""

    name: str
    value: nw.Expr
    how: str  # sum, min or max


def _width(days: float) -> int:
    return round(days * DAY)


def _partial(spec: FeatureSpec, window: float | None, *, previous: bool = False) -> _Partial:
    """Give the stage-one column that an additive spec needs."""
    age = nw.col("age")
    if window is None:
        inside = None
    elif previous:
        inside = (age > _width(window)) & (age <= 2 * _width(window))
    else:
        inside = age <= _width(window)
    suffix = "" if window is None else f"_{'previous_' if previous else ''}{window!r}"
    if spec.measure in {"count", "momentum"}:
        ones = nw.lit(1) if inside is None else inside.cast(nw.Int64)
        return _Partial(f"__count{suffix}", ones, "sum")
    if spec.measure == "value_sum":
        value = nw.col("value").fill_null(0.0)
        return _Partial(f"__value{suffix}", value if inside is None else value * inside.cast(nw.Float64), "sum")
    if spec.measure == "decayed_count":
        half_life = spec.half_life_days or 1.0
        weight = (age.cast(nw.Float64) * (-np.log(2.0) / (half_life * DAY))).exp()
        weighted = weight if inside is None else weight * inside.cast(nw.Float64)
        return _Partial(f"__decayed_{half_life!r}{suffix}", weighted, "sum")
    bounded = age if inside is None else nw.when(inside).then(age)
    return _Partial(f"__{'min' if spec.measure == 'days_since_last' else 'max'}{suffix}", bounded, spec.measure)


def _partials(spec: FeatureSpec) -> list[_Partial]:
    if spec.measure == "momentum":
        return [_partial(spec, spec.window_days), _partial(spec, spec.window_days, previous=True)]
    return [_partial(spec, spec.window_days)]


def _aggregate(column: str, how: str) -> nw.Expr:
    if how == "days_since_last":
        return nw.col(column).min()
    if how == "days_since_first":
        return nw.col(column).max()
    return nw.col(column).sum()


def _additive(joined: Frame, specs: list[FeatureSpec]) -> Frame | None:
    """Aggregate per snapshot and kind, then pivot."""
    if not specs:
        return None
    partials = {partial.name: partial for spec in specs for partial in _partials(spec)}
    globs = _globs(specs)
    kind = _kind(specs, globs)
    per_kind = (
        joined.with_columns(**_glob_columns(globs), **{partial.name: partial.value for partial in partials.values()})
        .group_by(ROW, *kind)
        .agg(**{partial.name: _aggregate(partial.name, partial.how) for partial in partials.values()})
    )
    wanted = [
        (f"{partial.name}|{spec.name}", partial, _of_kind(spec, globs)) for spec in specs for partial in _partials(spec)
    ]
    conditional = {
        name: nw.col(partial.name) if condition is None else nw.when(condition).then(nw.col(partial.name))
        for name, partial, condition in wanted
    }
    return (
        per_kind.with_columns(**conditional)
        .group_by(ROW)
        .agg(**{name: _aggregate(name, partial.how) for name, partial, _ in wanted})
        .select(ROW, *(_finished(spec) for spec in specs))
    )


def _globs(specs: list[FeatureSpec]) -> list[str]:
    return sorted({spec.content for spec in specs if spec.content is not None})


def _glob_columns(globs: list[str]) -> dict[str, nw.Expr]:
    return {f"__glob_{number}": _matches(glob) for number, glob in enumerate(globs)}


def _kind(specs: list[FeatureSpec], globs: list[str]) -> list[str]:
    """Name the columns that tell apart what the specifications select."""
    used = {
        "type": any(spec.types for spec in specs),
        "actor": any(spec.actor is not None for spec in specs),
        "channel": any(spec.channel is not None for spec in specs),
    }
    return [*(name for name, needed in used.items() if needed), *_glob_columns(globs)]


def _matches(glob: str) -> nw.Expr:
    pattern = "(?s)" + glob_to_regex(glob)
    return nw.col("content").str.contains(pattern).fill_null(value=False)


def _selection(spec: FeatureSpec) -> list[nw.Expr]:
    conditions: list[nw.Expr] = []
    if spec.types:
        conditions.append(nw.col("type").is_in(list(spec.types)))
    if spec.actor is not None:
        conditions.append(nw.col("actor") == spec.actor)
    if spec.channel is not None:
        conditions.append((nw.col("channel") == spec.channel).fill_null(value=False))
    return conditions


def _of_kind(spec: FeatureSpec, globs: list[str]) -> nw.Expr | None:
    conditions = _selection(spec)
    if spec.content is not None:
        conditions.append(nw.col(f"__glob_{globs.index(spec.content)}"))
    if not conditions:
        return None
    together: nw.Expr = nw.all_horizontal(*conditions, ignore_nulls=False)
    return together


def _finished(spec: FeatureSpec) -> nw.Expr:
    names = [f"{partial.name}|{spec.name}" for partial in _partials(spec)]
    if spec.measure == "momentum":
        recent, before = (nw.col(name).cast(nw.Float64).fill_null(0.0) + 1.0 for name in names)
        doublings: nw.Expr = (recent / before).log(base=2)
        return doublings.alias(spec.name)
    value = nw.col(names[0]).cast(nw.Float64)
    days = value / DAY if spec.measure in {"days_since_last", "days_since_first"} else value
    return days.alias(spec.name)


def _distinct(tables: Tables, rows: Frame, spec: FeatureSpec) -> Frame:
    """Count different days, types or contents.

    Without a window a value counts as soon as the first activity that has it is known, so the log is reduced to one
    row per lead and value before it meets the snapshots.
    """
    if spec.window_days is not None:
        return _distinct_in_window(_joined(tables, rows), spec)
    activities: Frame = nw.from_native(tables.activities)
    known_at = nw.max_horizontal("occurred_at", "received_at")
    first = (
        _chosen(activities, spec)
        .with_columns(__value=_distinct_value(spec), __known=known_at)
        .filter(~nw.col("__value").is_null())
        .group_by("lead_id", "__value")
        .agg(__known=nw.col("__known").min())
    )
    met = rows.join(first, on="lead_id").filter(nw.col("__known") < nw.col("as_of"))
    return met.group_by(ROW).agg(nw.len().alias(spec.name))


def _distinct_in_window(joined: Frame, spec: FeatureSpec) -> Frame:
    inside = _chosen(joined, spec).filter(nw.col("age") <= _width(spec.window_days or 0.0))
    values = inside.select(ROW, __value=_distinct_value(spec)).filter(~nw.col("__value").is_null())
    return values.unique([ROW, "__value"]).group_by(ROW).agg(nw.len().alias(spec.name))


def _distinct_value(spec: FeatureSpec) -> nw.Expr:
    return {
        "distinct_days": nw.col("occurred_at") // DAY,
        "distinct_types": nw.col("type"),
        "distinct_contents": nw.col("content"),
    }[spec.measure]


def _chosen(activities: Frame, spec: FeatureSpec) -> Frame:
    """Keep the activities that a specification selects."""
    conditions = [*_selection(spec), *([] if spec.content is None else [_matches(spec.content)])]
    return activities.filter(*conditions) if conditions else activities


def _last_types(joined: Frame, specs: list[FeatureSpec]) -> Frame | None:
    """Find the k-th last activity per snapshot by its order within the lead, and code its type.

    Specifications that look at the same activities share one pass.
    """
    if not specs:
        return None
    parts = [
        _last_of_kind(joined, [spec for spec in specs if spec.filter_key == key])
        for key in dict.fromkeys(spec.filter_key for spec in specs)
    ]
    return reduce(_outer, parts)


def _last_of_kind(joined: Frame, specs: list[FeatureSpec]) -> Frame:
    rows = _chosen(joined, specs[0]).select(ROW, "type", "occurred_at", "activity_id")
    deepest = max(spec.k for spec in specs)
    # Rows at or after the instant of the k-th last are few; only they are put into order.
    instant = nw.col("occurred_at").rank("min", descending=True).over(ROW)
    late = rows.with_columns(__late=instant).filter(nw.col("__late") <= deepest)
    order = nw.col("type").cum_count().over(ROW, order_by=["occurred_at", "activity_id"])
    placed = late.with_columns(__place=order)
    last = placed.group_by(ROW).agg(__last=nw.col("__place").max())
    back = (nw.col("__last") - nw.col("__place") + 1).alias("__k")
    known = placed.join(last, on=ROW).with_columns(back)
    coded = known.with_columns(
        **{spec.name: nw.when(nw.col("__k") == spec.k).then(_coded(nw.col("type"), spec)) for spec in specs}
    )
    return coded.group_by(ROW).agg(**{spec.name: nw.col(spec.name).max() for spec in specs})


def _outer(left: Frame, right: Frame) -> Frame:
    return (
        left.join(right, on=ROW, how="full", suffix="__r")
        .with_columns(nw.coalesce(nw.col(ROW), nw.col(f"{ROW}__r")).alias(ROW))
        .drop(f"{ROW}__r")
    )


def _coded(value: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    """Code a text by its place in the categories; others share the next code; null stays null."""
    others = len(spec.categories)
    code = nw.when(~value.is_null()).then(nw.lit(float(others)))
    shift = [(value == name).cast(nw.Float64) * float(place - others) for place, name in enumerate(spec.categories)]
    return reduce(lambda total, part: total + part, shift, code.otherwise(nw.lit(None, nw.Float64)))


def _stages(tables: Tables, rows: Frame, specs: list[FeatureSpec]) -> Frame | None:
    """Count entries into stages and days since the last one."""
    if not specs:
        return None
    stages: Frame = nw.from_native(tables.stages)
    entered = rows.join(stages.select("lead_id", "stage", "entered_at"), on="lead_id").filter(
        nw.col("entered_at") < nw.col("as_of")
    )
    age = (nw.col("as_of") - nw.col("entered_at")).cast(nw.Float64) / DAY
    marked = entered.with_columns(
        **{
            spec.name: (nw.col("stage") == spec.stage).cast(nw.Int64)
            if spec.measure == "stage_entries"
            else nw.when(nw.col("stage") == spec.stage).then(age)
            for spec in specs
        }
    )
    return marked.group_by(ROW).agg(
        **{
            spec.name: nw.col(spec.name).sum() if spec.measure == "stage_entries" else nw.col(spec.name).min()
            for spec in specs
        }
    )


def _leads(tables: Tables, rows: Frame, specs: list[FeatureSpec]) -> Frame | None:
    """Read age, clock and attributes."""
    if not specs:
        return None
    leads: Frame = nw.from_native(tables.leads)
    present = set(leads.collect_schema().names())
    names = sorted({spec.attribute for spec in specs if spec.attribute is not None})
    joined = rows.join(leads.select("lead_id", "created_at", *(n for n in names if n in present)), on="lead_id")
    missing = [name for name in names if name not in present]
    if missing:
        joined = joined.with_columns(**{name: nw.lit(None, nw.String) for name in missing})
    for name in _changing(tables, names):
        joined = _changed(joined, tables, name)
    return joined.select(ROW, *(_lead_measure(spec).alias(spec.name) for spec in specs))


def _changing(tables: Tables, names: list[str]) -> list[str]:
    changes: Frame = nw.from_native(tables.changes)
    fields = changes.select("field").unique().collect()["field"].to_list()
    return [name for name in names if name in fields]


def _changed(joined: Frame, tables: Tables, name: str) -> Frame:
    """Replace an attribute by its value at as_of where its changes are recorded."""
    changes: Frame = nw.from_native(tables.changes)
    own = changes.filter(nw.col("field") == name).select("lead_id", "changed_at", "old_value", "value")
    first_at = own.group_by("lead_id").agg(changed_at=nw.col("changed_at").min())
    first = own.join(first_at, on=["lead_id", "changed_at"]).select("lead_id", __old="old_value", __any=nw.lit(1))
    before = (
        joined.select(ROW, "lead_id", "as_of").join(own, on="lead_id").filter(nw.col("changed_at") < nw.col("as_of"))
    )
    last_at = before.group_by(ROW).agg(changed_at=nw.col("changed_at").max())
    last = before.join(last_at, on=[ROW, "changed_at"]).select(ROW, __new="value", __some=nw.lit(1))
    return (
        joined.join(first, on="lead_id", how="left")
        .join(last, on=ROW, how="left")
        .with_columns(
            nw.when(~nw.col("__some").is_null())
            .then(nw.col("__new"))
            .otherwise(
                nw.when(~nw.col("__any").is_null()).then(nw.col("__old")).otherwise(nw.col(name).cast(nw.String))
            )
            .alias(name)
        )
        .drop("__old", "__any", "__new", "__some")
    )


def _lead_measure(spec: FeatureSpec) -> nw.Expr:
    created = nw.col("created_at")
    if spec.measure == "age_days":
        return (nw.col("as_of") - created).cast(nw.Float64) / DAY
    if spec.measure == "created_hour":
        return (created // HOUR % 24).cast(nw.Float64)
    if spec.measure == "created_weekday":
        return ((created // DAY + 3) % 7).cast(nw.Float64)  # 1970-01-01 was a Thursday
    if spec.measure == "category":
        return _coded(nw.col(spec.attribute or "").cast(nw.String), spec)
    text = nw.col(spec.attribute or "").cast(nw.String)
    number = nw.when(text.str.contains(_NUMBER)).then(text).cast(nw.Float64)
    return nw.when(number.is_finite()).then(number)
