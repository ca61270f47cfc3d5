"""Which activities are set aside: duplicates, scanners, what lies in the future or long before the lead.

One principle: an activity is judged by what was known when it became known, never by what came later. So cleaning a
record and then looking at it as of an instant is the same as looking first and cleaning then, and a service that
cleans what it knows decides as training did. *Known at* is the later of occurred_at and received_at; *first* means
first known (then by occurred_at, then by id).

Every rule costs time in proportion to the rows. The rules about seconds look closely only at rows that have another
row of their lead near them; on Polars tables where every lead's activities lie together in the order of time those are
found by one comparison with the row before.
"""

import re
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final
from uuid import uuid4

import narwhals as nw

from features.hygiene_settings import Cause, HygieneSettings
from leadlight.schema import DAY, MICROSECONDS_PER_SECOND, MINUTE

# Before every instant: where nothing was sent or opened yet.
BEGINNING: Final = -(2**62)
KNOWN: Final = "__known"
SLOT: Final = "__slot"
SAME: Final = ("lead_id", "type", "actor", "content", "detail")


def settled(frame: Any) -> Any:
    """Compute a small frame now, so that what builds on it does not compute (or plan) it again and again."""
    native = nw.to_native(frame)
    if frame.implementation is nw.Implementation.POLARS:
        return nw.from_native(native.collect(engine="streaming").lazy())
    if frame.implementation is nw.Implementation.DUCKDB:
        name = f"leadlight_{uuid4().hex}"  # a table: what the engine builds on it is written down as SQL
        native.query("_settled", f"CREATE TEMP TABLE {name} AS FROM _settled")
        return nw.from_native(native.query("_settled", f"FROM {name}"))
    if frame.implementation is nw.Implementation.PYSPARK:
        return nw.from_native(native.localCheckpoint())
    return frame


def without_repeated_ids(activities: Any) -> tuple[Any, Any]:
    """Give the activities with the first known of every id, and the others."""
    ids = settled(activities.group_by("activity_id").agg(__n=nw.len()).filter(nw.col("__n") > 1).select("activity_id"))
    columns = activities.collect_schema().names()
    if ids.implementation is nw.Implementation.POLARS and not nw.to_native(ids).collect().height:
        return activities, activities.head(0)
    told = [KNOWN, "occurred_at", *(name for name in columns if name not in {"activity_id", "occurred_at"})]
    first = nw.col("occurred_at").shift(1).over("activity_id", order_by=told).is_null()
    repeated = with_known(activities.join(ids, on="activity_id", how="semi")).with_columns(__first=first)
    repeated = settled(repeated)
    rest = activities.join(ids, on="activity_id", how="anti").select(columns)
    kept = nw.concat([rest, repeated.filter(nw.col("__first")).select(columns)])
    return kept, repeated.filter(~nw.col("__first")).select(columns)


def judge(activities: Any, leads: Any, settings: HygieneSettings, observed_until: int) -> Any:
    """Give the activities to be set aside as (activity_id, cause); ids must be unique."""
    near = _Near(activities)
    alone = _first_cause(_by_themselves(activities, leads, settings, observed_until))
    found = [alone]
    if settings.duplicate_seconds is not None:
        width = round(settings.duplicate_seconds * MICROSECONDS_PER_SECOND)
        close = settled(without(near.rows(None, width), found))
        found.append(settled(_labelled(_duplicates(close, width), "duplicate")))
    clicks = []
    if settings.click_before_open_seconds is not None:
        clicks.append(_labelled(_before_open(near, found, settings), "click_before_open"))
    if settings.burst_seconds is not None:
        close = near.rows(settings.click_types, (settings.burst_seconds + 1) * MICROSECONDS_PER_SECOND)
        bursts = _bursts(settled(without(close, found)), settings.burst_seconds, settings.burst_contents)
        clicks.append(_labelled(bursts, "many_links"))
    if clicks:
        found.append(_first_cause(clicks))
    return settled(nw.concat(found))


def without(frame: Any, found: Sequence[Any]) -> Any:
    """Leave out activities that were set aside already."""
    return reduce(lambda rest, ids: rest.join(ids, on="activity_id", how="anti"), found, frame)


def left(activities: Any, found: Any) -> Any:
    """Give the activities that were not found; on Polars in the order they had, which its anti join does not keep."""
    if activities.implementation is not nw.Implementation.POLARS:
        return activities.join(found.select("activity_id"), on="activity_id", how="anti")
    import polars as pl  # noqa: PLC0415

    ids = nw.to_native(found).lazy().select("activity_id").collect()["activity_id"]
    return nw.from_native(nw.to_native(activities).filter(~pl.col("activity_id").is_in(ids.implode())))


def with_known(frame: Any) -> Any:
    """Add when each activity became known."""
    received, occurred = nw.col("received_at"), nw.col("occurred_at")
    late = ~received.is_null() & (received > occurred)
    return frame.with_columns(nw.when(late).then(received).otherwise(occurred).alias(KNOWN))


class _Near:
    """Finds the rows that have another row of their lead near them."""

    def __init__(self, activities: Any) -> None:
        self.activities = activities
        self.sorted = activities.implementation is nw.Implementation.POLARS and _is_sorted(nw.to_native(activities))

    def rows(self, types: Sequence[str] | None, width: int) -> Any:
        """Give the rows (of some types) with another one of the lead (and of these types) at most `width` µs away."""
        rows = self.activities if types is None else self.activities.filter(nw.col("type").is_in(list(types)))
        slim = rows.select("activity_id", "lead_id", "occurred_at")
        near = _near_sorted(nw.to_native(slim), width) if self.sorted else _near(slim, width)
        return rows.join(settled(near), on="activity_id", how="semi")


def _is_sorted(activities: Any) -> bool:
    """Whether every lead's activities lie together, and in the order of time."""
    import polars as pl  # noqa: PLC0415

    lead, at = pl.col("lead_id"), pl.col("occurred_at")
    new = (lead != lead.shift(1)).fill_null(value=True)
    found = activities.select(
        falls=(~new & (at < at.shift(1))).any(), runs=new.sum(), leads=lead.filter(new).n_unique()
    ).collect(engine="streaming")
    falls, runs, leads = found.row(0)
    return not falls and runs == leads


def _near_sorted(rows: Any, width: int) -> Any:
    import polars as pl  # noqa: PLC0415

    lead, at = pl.col("lead_id"), pl.col("occurred_at")
    before = (lead == lead.shift(1)) & (at - at.shift(1) <= width)
    after = (lead == lead.shift(-1)) & (at.shift(-1) - at <= width)
    return nw.from_native(rows.filter(before | after).select("activity_id"))


def _near(rows: Any, width: int) -> Any:
    at = nw.col("occurred_at")
    order = ["occurred_at", "activity_id"]
    before = at.shift(1).over("lead_id", order_by=order)
    after = at.shift(-1).over("lead_id", order_by=order)
    gaps = rows.with_columns(__before=before, __after=after)
    near = (~nw.col("__before").is_null() & (at - nw.col("__before") <= width)) | (
        ~nw.col("__after").is_null() & (nw.col("__after") - at <= width)
    )
    return gaps.filter(near).select("activity_id")


def _labelled(rows: Any, cause: Cause) -> Any:
    return rows.select("activity_id", cause=nw.lit(cause))


def _first_cause(found: Sequence[Any]) -> Any:
    """Give each activity the first of its causes, in the order of the frames."""
    numbered = [frame.with_columns(__order=nw.lit(order)) for order, frame in enumerate(found)]
    rows = nw.concat(numbered)
    first = nw.col("__order").min().over("activity_id")
    return settled(
        rows.with_columns(__first=first).filter(nw.col("__order") == nw.col("__first")).select("activity_id", "cause")
    )


def _by_themselves(activities: Any, leads: Any, settings: HygieneSettings, observed_until: int) -> list[Any]:
    """Give what one activity (and its lead) alone tells."""
    nothing = activities.head(0)
    found = [_labelled(nothing, "future")]
    if settings.future:
        found.append(_labelled(activities.filter(nw.col("occurred_at") > observed_until), "future"))
    if settings.too_early_days is not None:
        found.append(_labelled(_too_early(activities, leads, round(settings.too_early_days * DAY)), "too_early"))
    if settings.scanner_agents:
        pieces = "|".join(re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", piece) for piece in settings.scanner_agents)
        named = nw.col("detail").str.to_lowercase().str.contains(pieces)
        machine = (nw.col("actor") == "lead") & ~nw.col("type").is_in(list(settings.free_text_types)) & named
        found.append(_labelled(activities.filter(machine), "scanner_agent"))
    return found


def _too_early(activities: Any, leads: Any, margin: int) -> Any:
    newest = leads.select(nw.col("created_at").max()).collect()["created_at"].to_list()[0]
    if newest is None:
        return activities.head(0)
    old = activities.filter(nw.col("occurred_at") < newest - margin).select("activity_id", "lead_id", "occurred_at")
    created = leads.select("lead_id", "created_at")
    return old.join(created, on="lead_id").filter(nw.col("occurred_at") < nw.col("created_at") - margin)


def _off_minute(at: Any) -> Any:
    """Whether an instant does not lie on a whole minute (Arrow-backed pandas has no `%`)."""
    return at // MINUTE * MINUTE != at


def _duplicates(rows: Any, width: int) -> Any:
    """Give the rows that repeat one that was known before them.

    In every slot of `width` the first known of equal rows stays; it too goes where the one that stayed in the slot
    before or after lies within `width` and was known earlier. So two rows within `width` are always found, in one
    pass, however many there are.
    """
    order = [KNOWN, "occurred_at", "activity_id"]
    rows = with_known(rows).select(*SAME, *order).with_columns((nw.col("occurred_at") // width).alias(SLOT))
    before = nw.col("occurred_at").shift(1).over(*SAME, SLOT, order_by=order)
    rows = settled(rows.with_columns(__first=before.is_null()))
    firsts = rows.filter(nw.col("__first"))
    repeats = []
    for side in (1, -1):
        beside = {
            f"__{name}": nw.col(name).shift(side).over(*SAME, order_by=[SLOT])
            for name in ("occurred_at", KNOWN, "activity_id")
        }
        gap = (nw.col("occurred_at") - nw.col("__occurred_at")) * side
        repeats.append(firsts.with_columns(**beside).filter((gap <= width) & _earlier()).select("activity_id"))
    return nw.concat([rows.filter(~nw.col("__first")).select("activity_id"), *repeats]).unique()


def _earlier() -> Any:
    """Whether the row beside was known before this one (never true where there is none)."""
    known, at, key = (nw.col(f"__{name}") for name in (KNOWN, "occurred_at", "activity_id"))
    tie = (known == nw.col(KNOWN)) & (at == nw.col("occurred_at")) & (key < nw.col("activity_id"))
    return (known < nw.col(KNOWN)) | ((known == nw.col(KNOWN)) & (at < nw.col("occurred_at"))) | tie


def _before_open(near: _Near, found: Sequence[Any], settings: HygieneSettings) -> Any:
    """Give the clicks that follow the sending of their mail within seconds, with no open known by then.

    An open at the very instant of the click counts as before it. Two instants that both lie on a whole minute say
    nothing of seconds and accuse nobody.
    """
    width = round((settings.click_before_open_seconds or 0.0) * MICROSECONDS_PER_SECOND)
    sent, opened, clicked = (list(types) for types in (settings.sent_types, settings.open_types, settings.click_types))
    types = sorted({*sent, *opened, *clicked})
    suspects = near.rows(types, width).filter(nw.col("type").is_in(clicked), ~nw.col("content").is_null())
    mails = settled(suspects.select("lead_id", "content").unique())
    rows = near.activities.filter(nw.col("type").is_in(types)).join(mails, on=["lead_id", "content"], how="semi")
    rows = with_known(without(rows, found))
    kind = nw.when(nw.col("type").is_in(sent)).then(0).when(nw.col("type").is_in(opened)).then(1).otherwise(2)
    rows = settled(rows.select("activity_id", "lead_id", "content", "occurred_at", KNOWN, "type", __kind=kind))
    order = [KNOWN, "occurred_at", "__kind", "activity_id"]

    def of_kind(kind: int) -> Any:
        return nw.when(nw.col("__kind") == kind).then(nw.col("occurred_at")).otherwise(BEGINNING)

    def last(column: str) -> Any:  # a column of its own: on pandas an expression would take the place of its sort key
        return nw.col(column).cum_max().over("lead_id", "content", order_by=order)

    after = nw.col("occurred_at") - nw.col("__sent")
    seconds = _off_minute(nw.col("occurred_at")) | _off_minute(nw.col("__sent"))
    unopened = (nw.col("__sent") > BEGINNING) & (nw.col("__opened") < nw.col("__sent"))
    soon = (nw.col("__kind") == 2) & (after >= 0) & (after <= width)
    rows = rows.with_columns(__sent=of_kind(0), __opened=of_kind(1))
    return rows.with_columns(__sent=last("__sent"), __opened=last("__opened")).filter(soon & unopened & seconds)


def _bursts(rows: Any, seconds: int, contents: int) -> Any:
    """Give the clicks in a stretch of whole seconds in which so many different contents had been clicked by then.

    At least one click of the stretch must not lie on a whole minute, else its instants say nothing of seconds.
    """
    rows = with_known(rows.filter(~nw.col("content").is_null())).select(
        "activity_id", "lead_id", "content", "occurred_at", KNOWN
    )
    rows, width = rows.with_columns(__second=nw.col("occurred_at") // MICROSECONDS_PER_SECOND), seconds + 1
    offsets = [
        rows.with_columns(((nw.col("__second") + offset) // width).alias(SLOT), __offset=nw.lit(offset))
        for offset in range(width)
    ]
    return _bursts_of_stretches(settled(nw.concat(offsets)), contents).unique()


def _bursts_of_stretches(rows: Any, contents: int) -> Any:
    stretch = ["lead_id", "__offset", SLOT]
    firsts = rows.group_by(*stretch, "content").agg(nw.col(KNOWN).min())
    earlier = nw.col(KNOWN).shift(contents - 1).over(*stretch, order_by=[KNOWN, "content"])
    enough = firsts.with_columns(__earlier=earlier).filter(~nw.col("__earlier").is_null())
    enough = enough.group_by(*stretch).agg(__enough=nw.col(KNOWN).min())
    fine = rows.filter(_off_minute(nw.col("occurred_at"))).group_by(*stretch).agg(__fine=nw.col(KNOWN).min())
    judged = rows.join(enough, on=stretch).join(fine, on=stretch)
    known = nw.col(KNOWN)
    return judged.filter((nw.col("__enough") <= known) & (nw.col("__fine") <= known)).select("activity_id")
