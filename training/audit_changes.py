"""Recorded changes of an attribute: were its values there before the outcome, or written by it?

A value was *written* at the outcome only where there was none before: the first change has no old value. Where another
value stood there already it was *changed*: that says that the value of today is not the one that was known beforehand,
but not that the one before knew anything. What has a value and no recorded change was written nobody knows when.

Where a lead is decided soon after its creation, the hour before the outcome is that of the creation too, and a value
written then may be an honest one: such leads are left out, as they are for times and activity types.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from features.tables import Tables
from leadlight.schema import HOUR
from training.audit_known import Known
from training.audit_share import least
from training.audit_times import SOON


@dataclass(frozen=True, slots=True)
class Written:
    """When the values that closed leads had at the cut were written; those decided within three days are left out.

    Attributes:
        leads: closed leads with a value at the cut; an empty text is none, nor is one among numbers that is no number.
        after: the share of them that had none until an hour before the outcome: it was written then, or later.
        after_least: lower end of its interval.
        changed: the share of them whose value was last written or changed an hour before the outcome or later.
        changed_least: lower end of its interval.
    """

    leads: int
    after: float
    after_least: float
    changed: float
    changed_least: float


def recorded(tables: Tables, cut: int) -> frozenset[str]:
    """Name the attributes of which a change was recorded before the cut (µs UTC)."""
    names = tables.changes.filter(pl.col("changed_at") < cut).select("field").unique().collect()
    return frozenset(names["field"])


def written(tables: Tables, known: Known) -> Mapping[str, Written]:
    """Measure every attribute of which changes were recorded before the cut."""
    fields = sorted(recorded(tables, known.cut).intersection(known.frame.columns))
    closed = known.frame.select("lead_id", *fields).with_columns(outcome_at=pl.Series(known.outcome_at))
    closed = closed.filter(pl.Series(known.closed & (known.outcome_at - known.created > SOON)))
    histories = _histories(tables, fields, closed, known.cut)
    return {field: _measured(closed, field, histories.filter(pl.col("field") == field)) for field in fields}


def _measured(closed: pl.DataFrame, field: str, history: pl.DataFrame) -> Written:
    own = closed.select("lead_id", "outcome_at", own=_read(field, number=closed[field].dtype.is_numeric()))
    joined = own.join(history, on="lead_id", how="left")
    held = joined.filter(pl.coalesce("held", pl.col("own").is_not_null()))
    since = held["outcome_at"] - HOUR
    after, changed = (int((held[at] >= since).sum()) for at in ("written_at", "changed_at"))
    leads = max(held.height, 1)
    return Written(held.height, after / leads, least(after, held.height), changed / leads, least(changed, held.height))


def _histories(tables: Tables, fields: Iterable[str], closed: pl.DataFrame, cut: int) -> pl.DataFrame:
    """Tell the history of each closed lead and field with changes, as it was at the cut (µs UTC).

    Returns:
        lead_id, field, held (whether it had a value), written_at (its first one; null where one stood before) and
        changed_at (to another value, or to its first; null where it never was). Of a change at or after the cut only
        the old value counts: it was there before. Changes at one instant follow each other as their rows do.
    """
    numbers = [field for field in fields if closed[field].dtype.is_numeric()]
    texts = {column: _either(column, pl.col("field").is_in(numbers)) for column in ("old_value", "value")}
    early = pl.col("changed_at") < cut
    before = pl.when(pl.int_range(pl.len()) == 0).then("old_value").otherwise(pl.col("value").shift(1))
    filled, another = pl.col("value").is_not_null(), pl.col("value").ne_missing(before)
    stood = pl.col("old_value").first()
    told: pl.DataFrame = (
        tables.changes.filter(pl.col("field").is_in(list(fields)))
        .with_row_index("place")
        .join(closed.lazy().select("lead_id"), on="lead_id", how="semi")
        .sort("changed_at", "place")
        .with_columns(**texts)
        .group_by("lead_id", "field")
        .agg(
            held=pl.when(early.any()).then(filled.filter(early).last()).otherwise(stood.is_not_null()),
            written_at=pl.when(stood.is_null()).then(pl.col("changed_at").filter(early & filled).first()),
            changed_at=pl.col("changed_at").filter(early & another).last(),
        )
        .collect()
    )
    return told


def _either(column: str, numeric: pl.Expr) -> pl.Expr:
    return pl.when(numeric).then(_read(column, number=True)).otherwise(_read(column, number=False))


def _read(column: str, *, number: bool) -> pl.Expr:
    """Read a value as features read it, as text: one that is no number is null among numbers, as is an empty text."""
    if number:
        return pl.col(column).cast(pl.Float64, strict=False).fill_nan(None).cast(pl.String)
    text = pl.col(column).cast(pl.String)
    return pl.when(text != "").then(text)
