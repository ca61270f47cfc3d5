"""The lead itself: age, clock of creation, and attributes with their recorded changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import narwhals as nw

from features.expressions.frame import ROW, Frame, bounded, coded, local_day, offset, width
from features.expressions.names import column_of
from features.expressions.texts import as_texts
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import NUMBER

_NUMBER: Final = rf"^{NUMBER}\z"  # a text that is none is null
# SQL compares a row with one category after the other; from so many on their codes are joined instead.
MANY_CODES: Final = 100
_DATE: Final = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
Bring = Callable[[Any], Frame]


@dataclass(frozen=True, slots=True)
class Attributes:
    """The leads, and what is recorded of their attributes.

    Attributes:
        leads: lead_id, created_at and attributes by `column_of`; an attribute that is not there is null.
        changes: lead_id, field, changed_at, old_value, value of attributes that are asked for, at most one an instant.
        moving: the attributes among these that have any.
    """

    leads: Frame
    changes: Frame
    moving: tuple[str, ...]

    @classmethod
    def of(cls, leads: Frame, changes: Frame, specs: Sequence[FeatureSpec], bring: Bring) -> Self:
        """Take what specifications read; what is told apart, or changes, as texts.

        Of several changes of one attribute at one instant the same one counts as in `features.tables.timelines`.

        Args:
            leads: the leads.
            changes: all recorded changes.
            specs: specifications of any measure.
            bring: brings a small Polars frame into the engine.
        """
        names = sorted({spec.attribute for spec in specs if spec.attribute is not None})
        if not names:
            return cls(leads, changes, ())
        own = changes.filter(nw.col("field").is_in(names))
        key = ["lead_id", "field", "changed_at"]
        each = own.group_by(key).agg(__times=nw.len()).group_by("field").agg(nw.col("__times").max())
        found = each.collect() if isinstance(each, nw.LazyFrame) else each
        times = dict(zip(found["field"].to_list(), found["__times"].to_list(), strict=True))
        if max(times.values(), default=0) > 1:
            before = nw.col("changed_at").shift(1).over(key, order_by=["value", "old_value"])
            own = own.with_columns(__before=before).filter(nw.col("__before").is_null()).drop("__before")
        told_apart = {spec.attribute for spec in specs if spec.measure in {"category", "roles"}}
        texts = [column_of(name) for name in names if name in told_apart or name in times]
        return cls(as_texts(leads, texts, bring), own, tuple(name for name in names if name in times))


def of_lead(rows: Frame, attributes: Attributes, specs: Sequence[FeatureSpec], bring: Bring) -> Frame:
    """Read age, clock and attributes: ROW and one column per specification.

    Args:
        rows: ROW, lead_id, as_of.
        attributes: those of `specs`.
        specs: specifications of the measures of the lead.
        bring: brings a small Polars frame into the engine.
    """
    valued = [spec for spec in specs if spec.attribute is not None and spec.measure != "changes"]
    still = [spec for spec in valued if spec.attribute not in attributes.moving]
    moving = [spec for spec in valued if spec.attribute in attributes.moving]
    # What is still is read once per lead, not per snapshot.
    fixed = replace(attributes, leads=_with_values(attributes.leads, still, bring))
    names = sorted({spec.attribute or "" for spec in moving})
    joined = with_attributes(rows, fixed, names, [spec.name for spec in still])
    joined = _with_values(joined, moving, bring)
    counted = [spec for spec in specs if spec.measure == "changes"]
    if counted:
        joined = joined.join(_changes(rows, attributes.changes, counted), on=ROW, how="left")
    return joined.select(ROW, *(_measure(spec).alias(spec.name) for spec in specs))


def _with_values(frame: Frame, specs: Sequence[FeatureSpec], bring: Bring) -> Frame:
    """Add what specifications read from their attribute, by their name: of a date the number of its day."""
    kinds = frame.collect_schema()
    there = {spec.name: kinds.get(column_of(spec.attribute or "")) for spec in specs}
    for spec in specs:
        if there[spec.name] is not None and _by_join(frame, spec):
            frame = _with_codes(frame, spec, bring)
    values = {spec.name: _value(spec, there[spec.name], _by_join(frame, spec)) for spec in specs}
    return frame.with_columns(**values) if values else frame


def _by_join(frame: Frame, spec: FeatureSpec) -> bool:
    """Tell whether codes are joined: many, and not in memory of this process, where they are looked up by hash."""
    in_memory = frame.implementation in {nw.Implementation.POLARS, nw.Implementation.PANDAS}
    return spec.measure == "category" and len(spec.categories) > MANY_CODES and not in_memory


def _with_codes(joined: Frame, spec: FeatureSpec, bring: Bring) -> Frame:
    """Add the codes of a category that has many, null where the value is none of them, under the feature's name."""
    codes = {value: code for value, code in spec.codes().items() if value is not None}
    table = nw.from_dict({"__text": list(codes), spec.name: list(codes.values())}, backend="polars")
    texts = joined.with_columns(__text=nw.col(column_of(spec.attribute or "")))
    return texts.join(bring(table.to_native()), on="__text", how="left").drop("__text")


def with_attributes(rows: Frame, attributes: Attributes, names: Sequence[str], others: Sequence[str] = ()) -> Frame:
    """Add `created_at` and the values of attributes at as_of, by `column_of`, to rows.

    Args:
        rows: ROW, lead_id, as_of.
        attributes: these attributes among them.
        names: attributes; one that neither the leads nor the changes have is left out.
        others: more columns of leads to add.
    """
    present = attributes.leads.collect_schema()
    columns = [column for column in map(column_of, names) if column in present]
    joined = rows.join(attributes.leads.select("lead_id", "created_at", *columns, *others), on="lead_id")
    for name in names:
        if name not in attributes.moving:
            continue
        if (column := column_of(name)) not in present:
            nothing = nw.when(nw.col("lead_id").is_null()).then(nw.col("lead_id")).cast(nw.String)
            joined = joined.with_columns(nothing.alias(column))
        joined = _changed(joined, attributes.changes, name)
    return joined


def _changed(joined: Frame, changes: Frame, name: str) -> Frame:
    """Replace an attribute by its value at as_of where its changes are recorded."""
    own = changes.filter(nw.col("field") == name).select("lead_id", "changed_at", "old_value", "value")
    first_at = own.group_by("lead_id").agg(changed_at=nw.col("changed_at").min())
    marked = own.with_columns(__one=nw.lit(1))
    first = marked.join(first_at, on=["lead_id", "changed_at"]).select("lead_id", __old="old_value", __any="__one")
    moved = joined.select(ROW, "lead_id", "as_of").join(first, on="lead_id")
    before = (
        moved.select(ROW, "lead_id", "as_of")
        .join(marked, on="lead_id")
        .filter(nw.col("changed_at") < nw.col("as_of"))
        .select(ROW, "changed_at", "value", "__one")
    )
    last_at = before.group_by(ROW).agg(changed_at=nw.col("changed_at").max())
    last = before.join(last_at, on=[ROW, "changed_at"]).select(ROW, __new="value", __some="__one")
    recorded = nw.when(~nw.col("__some").is_null()).then(nw.col("__new")).otherwise(nw.col("__old"))
    moved = moved.join(last, on=ROW, how="left").select(ROW, "__any", __value=recorded)
    column = column_of(name)
    value = nw.when(~nw.col("__any").is_null()).then(nw.col("__value")).otherwise(nw.col(column))
    return joined.join(moved, on=ROW, how="left").with_columns(value.alias(column)).drop("__value", "__any")


def _changes(rows: Frame, changes: Frame, specs: Sequence[FeatureSpec]) -> Frame:
    met = (
        rows.join(changes.select("lead_id", "field", "changed_at"), on="lead_id")
        .filter(nw.col("changed_at") < nw.col("as_of"))
        .with_columns(age=nw.col("as_of") - nw.col("changed_at"))
    )
    cells: dict[str, nw.Expr] = {}
    for spec in specs:
        counts = nw.col("field") == spec.attribute
        if spec.window_days is not None:
            counts = counts & (nw.col("age") <= width(spec.window_days))
        cells[spec.name] = counts.cast(nw.Int64)
    return met.with_columns(**cells).group_by(ROW).agg(**{name: nw.col(name).sum() for name in cells})


def _measure(spec: FeatureSpec) -> nw.Expr:
    created = nw.col("created_at")
    match spec.measure:
        case "age_days":
            return (nw.col("as_of") - created).cast(nw.Float64) / DAY
        case "created_hour":
            return ((created + offset(spec) - local_day(created, spec) * DAY) // HOUR).cast(nw.Float64)
        case "created_weekday":
            day = local_day(created, spec)
            return (day + 3 - (day + 3) // 7 * 7).cast(nw.Float64)  # 1970-01-01 was a Thursday
        case "days_since_date":
            today = local_day(nw.col("as_of"), spec)
            since_midnight = nw.col("as_of") + offset(spec) - today * DAY
            return today.cast(nw.Float64) - nw.col(spec.name) + since_midnight.cast(nw.Float64) / DAY
    return nw.col(spec.name).cast(nw.Float64)


def _value(spec: FeatureSpec, kind: Any, joined: bool) -> nw.Expr:
    """Read a value; null where the attribute is not there or says nothing.

    Args:
        spec: the specification.
        kind: of the attribute's column; None where there is no such column.
        joined: whether codes of categories were joined.
    """
    if kind is None:
        return nw.lit(1.0 if spec.measure == "missing" else None, nw.Float64)
    value = nw.col(column_of(spec.attribute or ""))
    if spec.measure == "category":
        return _joined_code(value, spec) if joined else coded(value, spec)
    value = nw.when(~value.is_nan()).then(value) if kind.is_float() else value
    text = value.cast(nw.String)
    match spec.measure:
        case "missing":
            return value.is_null().cast(nw.Float64)
        case "days_since_date":
            return day_number(text)
    if kind.is_numeric():
        number = value.cast(nw.Float64)
    else:
        number = nw.when(text.str.contains(_NUMBER)).then(text).cast(nw.Float64)
    return bounded(number)


def _joined_code(value: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    """Give the code that was joined, that of others where a value had none; null stays null."""
    return nw.when(~value.is_null()).then(nw.col(spec.name).fill_null(float(len(spec.categories))))


def day_number(text: nw.Expr) -> nw.Expr:
    """Number the day of a text that begins with a date, from 1970-01-01 on, by integer arithmetic; null for others.

    Days from civil: the year is taken to begin in March, so that the leap day is its last
    (Hinnant, chrono-compatible low-level date algorithms, 2013).
    """
    date = nw.when(text.str.contains(_DATE)).then(text)
    year, month, day = (date.str.slice(start, length).cast(nw.Int64) for start, length in ((0, 4), (5, 2), (8, 2)))
    year = year - (month <= 2).cast(nw.Int64)
    from_march = month + 9 - (month > 2).cast(nw.Int64) * 12
    day_of_year = (from_march * 153 + 2) // 5 + day - 1
    era_years = year + 400  # never negative, also for year 0
    days = era_years * 365 + era_years // 4 - era_years // 100 + era_years // 400 + day_of_year
    return (days - (719_468 + 146_097)).cast(nw.Float64)
