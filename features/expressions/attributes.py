"""The lead itself: age, clock of creation, and attributes with their recorded changes."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import narwhals as nw

from features.expressions.frame import ROW, Frame, coded, local_day, offset, width
from features.expressions.names import column_of
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import NUMBER

_NUMBER: Final = rf"^{NUMBER}\z"  # a text that is none is null
# SQL compares a row with one category after the other; from so many on their codes are joined instead.
MANY_CODES: Final = 100
_DATE: Final = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"


def of_lead(
    rows: Frame, leads: Frame, changes: Frame, specs: Sequence[FeatureSpec], bring: Callable[[Any], Frame]
) -> Frame:
    """Read age, clock and attributes: ROW and one column per specification.

    Args:
        rows: ROW, lead_id, as_of.
        leads: lead_id, created_at and attributes by `column_of`; an attribute that is not there is null.
        changes: lead_id, field, changed_at, old_value, value.
        specs: specifications of the measures of the lead.
        bring: brings a small Polars frame into the engine.
    """
    valued = [spec for spec in specs if spec.attribute is not None and spec.measure != "changes"]
    moving = moving_of(changes, sorted({spec.attribute or "" for spec in valued}))
    still = [spec for spec in valued if spec.attribute not in moving]
    leads = _with_values(leads, still, bring)  # once per lead, not per snapshot
    joined = with_attributes(
        rows, leads, changes, moving, moving=moving, keys=[ROW], others=[spec.name for spec in still]
    )
    joined = _with_values(joined, [spec for spec in valued if spec.attribute in moving], bring)
    counted = [spec for spec in specs if spec.measure == "changes"]
    if counted:
        joined = joined.join(_changes(rows, changes, counted), on=ROW, how="left")
    return joined.select(ROW, *(_measure(spec).alias(spec.name) for spec in specs))


def moving_of(changes: Frame, names: Sequence[str]) -> list[str]:
    """Name those of some attributes whose changes are recorded."""
    if not names:
        return []
    found = changes.filter(nw.col("field").is_in(list(names))).select("field").unique()
    fields = (found.collect() if isinstance(found, nw.LazyFrame) else found)["field"].to_list()
    return [name for name in names if name in fields]


def _with_values(frame: Frame, specs: Sequence[FeatureSpec], bring: Callable[[Any], Frame]) -> Frame:
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


def _with_codes(joined: Frame, spec: FeatureSpec, bring: Callable[[Any], Frame]) -> Frame:
    """Add the codes of a category that has many, null where the value is none of them, under the feature's name."""
    codes = {value: code for value, code in spec.codes().items() if value is not None}
    table = nw.from_dict({"__text": list(codes), spec.name: list(codes.values())}, backend="polars")
    texts = joined.with_columns(__text=nw.col(column_of(spec.attribute or "")).cast(nw.String))
    return texts.join(bring(table.to_native()), on="__text", how="left").drop("__text")


def with_attributes(
    rows: Frame,
    leads: Frame,
    changes: Frame,
    names: Sequence[str],
    *,
    moving: Sequence[str],
    keys: list[str],
    others: Sequence[str] = (),
) -> Frame:
    """Add `created_at` and the values of attributes at as_of, by `column_of`, to rows.

    Args:
        rows: keys, lead_id, as_of.
        leads: the leads, their attributes by `column_of`.
        changes: the recorded changes.
        names: attributes; one that neither `leads` nor the changes have is left out.
        moving: those of them whose changes are recorded.
        keys: columns that tell the rows apart.
        others: more columns of leads to add.
    """
    present = leads.collect_schema()
    columns = [column for column in map(column_of, names) if column in present]
    known = [_no_nan(column, present[column]).alias(column) for column in columns]
    joined = rows.join(leads.select("lead_id", "created_at", *known, *others), on="lead_id")
    for name in moving:
        if (column := column_of(name)) not in present:  # a null text, typed as the engine types texts
            joined = joined.with_columns(nw.when(nw.col("lead_id").is_null()).then(nw.col("lead_id")).alias(column))
        joined = _changed(joined, changes, name, keys)
    return joined


def _no_nan(column: str, kind: Any) -> nw.Expr:
    return nw.when(~nw.col(column).is_nan()).then(nw.col(column)) if kind.is_float() else nw.col(column)


def _changed(joined: Frame, changes: Frame, name: str, keys: list[str]) -> Frame:
    """Replace an attribute by its value at as_of where its changes are recorded."""
    own = changes.filter(nw.col("field") == name).select("lead_id", "changed_at", "old_value", "value")
    first_at = own.group_by("lead_id").agg(changed_at=nw.col("changed_at").min())
    marked = own.with_columns(__one=nw.lit(1))
    first = marked.join(first_at, on=["lead_id", "changed_at"]).select("lead_id", __old="old_value", __any="__one")
    moved = joined.select(*dict.fromkeys([*keys, "lead_id", "as_of"])).join(first, on="lead_id")
    before = (
        moved.select(*dict.fromkeys([*keys, "lead_id", "as_of"]))
        .join(marked, on="lead_id")
        .filter(nw.col("changed_at") < nw.col("as_of"))
        .select(*keys, "changed_at", "value", "__one")
    )
    last_at = before.group_by(*keys).agg(changed_at=nw.col("changed_at").max())
    last = before.join(last_at, on=[*keys, "changed_at"]).select(*keys, __new="value", __some="__one")
    recorded = nw.when(~nw.col("__some").is_null()).then(nw.col("__new")).otherwise(nw.col("__old"))
    moved = moved.join(last, on=keys, how="left").select(*keys, "__any", __value=recorded)
    column = column_of(name)
    value = nw.when(~nw.col("__any").is_null()).then(nw.col("__value")).otherwise(nw.col(column).cast(nw.String))
    return joined.join(moved, on=keys, how="left").with_columns(value.alias(column)).drop("__value", "__any")


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
    value = _no_nan(column_of(spec.attribute or ""), kind)
    text = value.cast(nw.String)
    match spec.measure:
        case "category":
            return _joined_code(value, spec) if joined else coded(text, spec)
        case "missing":
            return value.is_null().cast(nw.Float64)
        case "days_since_date":
            return day_number(text)
    if kind.is_numeric():
        number = value.cast(nw.Float64)
    else:
        number = nw.when(text.str.contains(_NUMBER)).then(text).cast(nw.Float64)
    return nw.when(number.is_finite()).then(number)


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
