"""Which activities are set aside: duplicates, scanners, what lies in the future or long before the lead.

One principle: an activity is judged by what was known when it became known, never by what came later. So cleaning a
record and then looking at it as of an instant is the same as looking first and cleaning then, and a service that
cleans what it knows decides as training did. *Known at* is the later of occurred_at and received_at; *first* means
first known (then by occurred_at, then by id).

Every rule costs time in proportion to the rows, and looks closely only at few of them (`features.hygiene_rows`).
"""

import re
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import narwhals as nw

from features.hygiene_rows import SAME, AnyRows, OrderedRows, beside, duplicate_width, open_width, settled
from features.hygiene_settings import Cause, HygieneSettings
from leadlight.schema import DAY, MICROSECONDS_PER_SECOND, MINUTE

# Before every instant: where nothing was sent or opened yet.
BEGINNING: Final = -(2**62)
KNOWN: Final = "__known"
SLOT: Final = "__slot"


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


def judge(rows: AnyRows | OrderedRows, leads: Any, observed_until: int) -> Any:
    """Give the activities to be set aside as (activity_id, cause); ids must be unique."""
    settings = rows.settings
    found = [_first_cause(_by_themselves(rows, leads, observed_until))]
    if settings.duplicate_seconds is not None:
        close = settled(without(rows.repeats(), found))
        found.append(settled(_labelled(_duplicates(close, duplicate_width(settings)), "duplicate")))
    clicks = []
    if settings.click_before_open_seconds is not None:
        clicks.append(_labelled(_before_open(rows, found), "click_before_open"))
    if settings.burst_seconds is not None:
        bursts = _bursts(settled(without(rows.clicks(), found)), settings.burst_seconds, settings.burst_contents)
        clicks.append(_labelled(bursts, "many_links"))
    if clicks:
        found.append(_first_cause(clicks))
    return settled(nw.concat(found))


def without(frame: Any, found: Sequence[Any]) -> Any:
    """Leave out activities that were set aside already."""
    return reduce(lambda rest, ids: rest.join(ids, on="activity_id", how="anti"), found, frame)


def left(rows: Any, found: Any, on: str = "activity_id") -> Any:
    """Give the rows that were not found; on Polars in the order they had, which its anti join does not keep."""
    if rows.implementation is not nw.Implementation.POLARS:
        return rows.join(found.select(on), on=on, how="anti")
    import polars as pl  # noqa: PLC0415

    keys = nw.to_native(found).lazy().select(on).collect()[on]
    return nw.from_native(nw.to_native(rows).filter(~pl.col(on).is_in(keys.implode())))


def with_known(frame: Any) -> Any:
    """Add when each activity became known."""
    received, occurred = nw.col("received_at"), nw.col("occurred_at")
    late = ~received.is_null() & (received > occurred)
    return frame.with_columns(nw.when(late).then(received).otherwise(occurred).alias(KNOWN))


def _labelled(rows: Any, cause: Cause) -> Any:
    return rows.select("activity_id", cause=nw.lit(cause))


def _first_cause(found: Sequence[Any]) -> Any:
    """Give each activity the first of its causes, in the order of the frames."""
    numbered = [frame.with_columns(__order=nw.lit(order)) for order, frame in enumerate(found)]
    rows = beside(nw.concat(numbered), 1, ["activity_id"], ["__order"], ["cause"])
    return settled(rows.filter(nw.col("__cause").is_null()).select("activity_id", "cause"))


def _by_themselves(rows: AnyRows | OrderedRows, leads: Any, observed_until: int) -> list[Any]:
    """Give what one activity (and its lead) alone tells."""
    settings, found = rows.settings, [_labelled(rows.none(), "future")]
    if settings.future:
        found.append(_labelled(rows.where(nw.col("occurred_at") > observed_until), "future"))
    if settings.too_early_days is not None:
        found.append(_labelled(rows.too_early(leads, round(settings.too_early_days * DAY)), "too_early"))
    if settings.scanner_agents:
        pieces = "|".join(re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", piece) for piece in settings.scanner_agents)
        named = nw.col("detail").str.to_lowercase().str.contains(pieces)
        machine = (nw.col("actor") == "lead") & ~nw.col("type").is_in(list(settings.free_text_types))
        found.append(_labelled(rows.where_text(machine, "detail", named), "scanner_agent"))
    return found


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
    rows = settled(beside(rows, 1, [*SAME, SLOT], order, ["occurred_at"]))
    firsts = rows.filter(nw.col("__occurred_at").is_null()).drop("__occurred_at")
    repeats = []
    for side in (1, -1):
        gap = (nw.col("occurred_at") - nw.col("__occurred_at")) * side
        near = beside(firsts, side, SAME, [SLOT], order).filter((gap <= width) & _earlier())
        repeats.append(near.select("activity_id"))
    return nw.concat([rows.filter(~nw.col("__occurred_at").is_null()).select("activity_id"), *repeats]).unique()


def _earlier() -> Any:
    """Whether the row beside was known before this one (never true where there is none)."""
    known, at, key = (nw.col(f"__{name}") for name in (KNOWN, "occurred_at", "activity_id"))
    tie = (known == nw.col(KNOWN)) & (at == nw.col("occurred_at")) & (key < nw.col("activity_id"))
    return (known < nw.col(KNOWN)) | ((known == nw.col(KNOWN)) & (at < nw.col("occurred_at"))) | tie


def _before_open(rows: AnyRows | OrderedRows, found: Sequence[Any]) -> Any:
    """Give the clicks that follow the sending of their mail within seconds, with no open known by then.

    An open at the very instant of the click counts as before it. Two instants that both lie on a whole minute say
    nothing of seconds and accuse nobody.
    """
    settings, width = rows.settings, open_width(rows.settings)
    mails = settled(_suspect(_of_kinds(rows.mails(), settings), width))
    own = settled(_of_kinds(with_known(without(rows.of_mails(mails), found)), settings))
    last = _last_of_kinds(own, [KNOWN, "occurred_at", "__kind", "activity_id"])
    seconds = _off_minute(nw.col("occurred_at")) | _off_minute(nw.col("__sent"))
    unopened = (nw.col("__sent") > BEGINNING) & (nw.col("__opened") < nw.col("__sent"))
    return last.filter(_soon(width) & unopened & seconds)


def _suspect(rows: Any, width: int) -> Any:
    """Give the mails (lead_id, content) of which a click came soon after a sending, whatever was known then."""
    last = _last_of_kinds(settled(rows), ["occurred_at", "__kind", "activity_id"])
    return last.filter(_soon(width)).select("lead_id", "content").unique()


def _of_kinds(rows: Any, settings: HygieneSettings) -> Any:
    """Say of rows about a mail whether it was sent (0), opened (1) or followed (2)."""
    sent, opened = nw.col("type").is_in(list(settings.sent_types)), nw.col("type").is_in(list(settings.open_types))
    kind = nw.when(sent).then(0).when(opened).then(1).otherwise(2)
    return rows.filter(~nw.col("content").is_null()).with_columns(__kind=kind)


def _last_of_kinds(rows: Any, order: list[str]) -> Any:
    """Add when its mail was last sent and last opened, of what stands before a row or is that row."""

    def of_kind(kind: int) -> Any:
        return nw.when(nw.col("__kind") == kind).then(nw.col("occurred_at")).otherwise(BEGINNING)

    def last(column: str) -> Any:  # a column of its own: on pandas an expression would take the place of its sort key
        return nw.col(column).cum_max().over("lead_id", "content", order_by=order)

    rows = rows.with_columns(__sent=of_kind(0), __opened=of_kind(1))
    return rows.with_columns(__sent=last("__sent"), __opened=last("__opened"))


def _soon(width: int) -> Any:
    """Whether a row is a click at most `width` after its mail was sent (never true where it was not)."""
    after = nw.col("occurred_at") - nw.col("__sent")
    return (nw.col("__kind") == 2) & (after >= 0) & (after <= width)


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
    enough = beside(firsts, contents - 1, stretch, [KNOWN, "content"], [KNOWN])
    enough = enough.filter(~nw.col(f"__{KNOWN}").is_null())
    enough = enough.group_by(*stretch).agg(__enough=nw.col(KNOWN).min())
    fine = rows.filter(_off_minute(nw.col("occurred_at"))).group_by(*stretch).agg(__fine=nw.col(KNOWN).min())
    judged = rows.join(enough, on=stretch).join(fine, on=stretch)
    known = nw.col(KNOWN)
    return judged.filter((nw.col("__enough") <= known) & (nw.col("__fine") <= known)).select("activity_id")
