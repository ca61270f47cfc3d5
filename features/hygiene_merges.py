"""Leads that are one: a merge map carries the history of the lead that was given up over to the one that stays.

The map (`merges.csv` or `merges.parquet`) has the columns `lead_id` (given up), `into_lead_id` and, if known,
`merged_at`. Chains are followed to their end; what was merged in several steps is known from the last of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import narwhals as nw

from features.tables import Tables
from leadlight.errors import InputError
from leadlight.schema import MICROSECONDS_PER_SECOND

if TYPE_CHECKING:
    import polars as pl

COLUMNS: Final = ("lead_id", "into_lead_id", "merged_at")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merge:
    """One lead given up for another; `merged_at` in µs UTC, None = they were always one."""

    lead_id: str
    into_lead_id: str
    merged_at: int | None = None


def read(path: Path) -> tuple[Merge, ...]:
    """Read a merge map.

    Raises:
        InputError: it cannot be read, lacks a column, has an unknown one, an empty id or an instant that is none.
    """
    frame = _frame(path)
    for column in frame.columns:
        if column not in COLUMNS:
            raise InputError.unknown_name(f"{path.name}: the column", column, COLUMNS)
    for column in COLUMNS[:2]:
        if column not in frame.columns:
            raise InputError(f"{path.name}: the column `{column}` is missing; it has to name a lead")
    merges = []
    for line, row in enumerate(frame.iter_rows(named=True), start=2):
        if not row["lead_id"] or not row["into_lead_id"]:
            raise InputError.in_file(path, line, "`lead_id` and `into_lead_id` must both name a lead")
        at = _instant(row.get("merged_at"), path, line)
        merges.append(Merge(str(row["lead_id"]), str(row["into_lead_id"]), at))
    return tuple(merges)


def _frame(path: Path) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415

    if not path.exists():
        raise InputError(f"{path} does not exist; check the path")
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as unreadable:
        told = " ".join(str(unreadable).split())
        raise InputError(f"{path.name} cannot be read ({told}); write it as .csv or .parquet") from unreadable


def _instant(value: object, path: Path, line: int) -> int | None:
    if value is None or value == "":
        return None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as unreadable:
        raise InputError.in_file(path, line, f"merged_at `{value}`: write 2026-03-01T09:00:00Z") from unreadable
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECONDS_PER_SECOND + since.microseconds


def resolve(merges: Iterable[Merge]) -> dict[str, Merge]:
    """Follow every chain to the lead that stays in the end.

    Raises:
        InputError: a lead is given up for two others, or leads are given up for each other in a circle.
    """
    step: dict[str, Merge] = {}
    for merge in merges:
        known = step.setdefault(merge.lead_id, merge)
        if known.into_lead_id != merge.into_lead_id:
            both = f"`{known.into_lead_id}` and into `{merge.into_lead_id}`"
            raise InputError(f"merges: `{merge.lead_id}` goes into {both}; leave one")
    return {lead: _end(lead, step) for lead in step}


def _end(lead: str, step: dict[str, Merge]) -> Merge:
    at, here, path = None, lead, [lead]
    while here in step:
        merge = step[here]
        here = merge.into_lead_id
        if merge.merged_at is not None:
            at = merge.merged_at if at is None else max(at, merge.merged_at)
        if here in path:
            circle = " -> ".join([*path[path.index(here) :], here])
            raise InputError(f"merges: {circle} is a circle; take one of its rows out")
        path.append(here)
    return Merge(lead, here, at)


def carry(tables: Tables, merges: Iterable[Merge]) -> tuple[Tables, Tables]:
    """Carry the history of leads that were given up over to those that stay.

    Activities keep their instant and become known at `merged_at` at the earliest; stages and changes have no such
    column and count from their own instants. A lead that stays begins with the earliest of those that were merged
    into it, as CRM systems do it, except where `merged_at` lies after its own beginning: what was learnt later does
    not move it. Of two changes of one field at one instant its own stays.

    Returns:
        The tables, and what was set aside with its `cause`: lead rows, and changes that met another.

    Raises:
        InputError: history would go to a lead that is not known.
    """
    ends = resolve(merges)
    known = set(nw.from_native(tables.leads).lazy().select("lead_id").collect()["lead_id"].to_list())
    ends = {lead: merge for lead, merge in ends.items() if lead in known}
    for lead, merge in ends.items():
        if merge.into_lead_id not in known:
            raise InputError.unknown_name(
                f"merges: `{lead}` goes into a lead that is not known:", merge.into_lead_id, known
            )
    parts = (tables.leads, tables.activities, tables.stages, tables.changes)
    leads, activities, stages, changes = (nw.from_native(part).lazy() for part in parts)
    into = _map(tables.leads, list(ends.values()))
    gone = leads.join(into.select("lead_id"), on="lead_id", how="semi").with_columns(cause=nw.lit("merged_lead"))
    kept = _with_beginning(leads.join(into.select("lead_id"), on="lead_id", how="anti"), leads, into)
    own, doubled = _one_per_key(_moved(changes, into, "changed_at"))
    none = activities.head(0).with_columns(cause=nw.lit("merged_lead"))
    without = stages.head(0).with_columns(cause=nw.lit("merged_lead"))
    carried = _moved(activities, into, "occurred_at")
    return _native(kept, carried.drop("__moved"), _moved(stages, into, None).drop("__moved"), own), _native(
        gone, none, without, doubled
    )


def _native(*frames: Any) -> Tables:
    return Tables(*(nw.to_native(frame) for frame in frames))


def _map(like: Any, ends: list[Merge]) -> Any:
    import polars as pl  # noqa: PLC0415

    frame = pl.DataFrame(
        {
            "lead_id": [merge.lead_id for merge in ends],
            "__into": [merge.into_lead_id for merge in ends],
            "__at": [merge.merged_at for merge in ends],
        },
        schema={"lead_id": pl.String, "__into": pl.String, "__at": pl.Int64},
    )
    return nw.from_native(of_engine(like, frame)).lazy()


def of_engine(like: Any, frame: "pl.DataFrame") -> Any:
    """Give a small frame as a native one of the engine that `like` belongs to."""
    name = nw.from_native(like).implementation.name
    if name == "DUCKDB":
        from features.engines import duckdb  # noqa: PLC0415  (only where its frames are)

        return duckdb.settled(like, frame.to_arrow())
    if name == "PYSPARK":
        return like.sparkSession.createDataFrame(frame.to_arrow())
    return frame.to_pandas() if name == "PANDAS" else frame.lazy()


def _moved(rows: Any, into: Any, at: str | None) -> Any:
    """Give rows their lead that stays; `__moved` tells which were carried."""
    columns = rows.collect_schema().names()
    stay = rows.join(into.select("lead_id"), on="lead_id", how="anti").with_columns(__moved=nw.lit(value=False))
    move = rows.join(into, on="lead_id")
    if at == "occurred_at":
        received, merged = nw.col("received_at"), nw.col("__at")
        later = received.is_null() | (received < merged)
        move = move.with_columns(received_at=nw.when(~merged.is_null() & later).then(merged).otherwise(received))
    move = move.with_columns(lead_id=nw.col("__into"), __moved=nw.lit(value=True))
    return nw.concat([stay, move.select(*columns, "__moved")])


def _one_per_key(changes: Any) -> tuple[Any, Any]:
    order = ["__moved", "value", "old_value"]
    first = nw.col("changed_at").shift(1).over("lead_id", "field", "changed_at", order_by=order).is_null()
    ranked = changes.with_columns(__first=first)
    kept, others = ranked.filter(nw.col("__first")), ranked.filter(~nw.col("__first"))
    return kept.drop("__first", "__moved"), others.drop("__first", "__moved").with_columns(
        cause=nw.lit("merged_change")
    )


def _with_beginning(kept: Any, leads: Any, into: Any) -> Any:
    given_up = leads.select("lead_id", "created_at").join(into, on="lead_id").select("__into", "__at", "created_at")
    pairs = given_up.rename({"__into": "lead_id", "created_at": "__begin"}).join(
        kept.select("lead_id", "created_at"), on="lead_id"
    )
    known = pairs.filter(nw.col("__at").is_null() | (nw.col("__at") <= nw.col("created_at")))
    begin = known.group_by("lead_id").agg(nw.col("__begin").min())
    joined = kept.join(begin, on="lead_id", how="left")
    earlier = ~nw.col("__begin").is_null() & (nw.col("__begin") < nw.col("created_at"))
    return joined.with_columns(
        created_at=nw.when(earlier).then(nw.col("__begin")).otherwise(nw.col("created_at"))
    ).drop("__begin")
