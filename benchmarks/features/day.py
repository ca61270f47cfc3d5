"""A day on which 1 % of the leads had new activity: a log as it was known at a midnight, and as it is a day later.

What is new of that day is what these leads did, and the leads and stages that came; which leads that touches is found
by the same function as at every ingest. The day lies late in the log, as the days do on which tables are updated.
"""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from features import tables
from features.tables import Tables
from leadlight.ingest import touched
from leadlight.ingest.store import ROW_GROUP
from leadlight.schema import DAY, TABLES, TableName
from leadlight.workspace import TablesInfo, Workspace

SEED: Final = 7
LATE: Final = 0.9  # quantile of the activities at which the day lies
SHARE: Final = 0.01
GENERATIONS: Final = ("the-day-before", "the-day-after", "the-attributes-after")


@dataclass(frozen=True, slots=True)
class Days:
    """A log at the ends of two days.

    Attributes:
        before: as it was known at the midnight with which the day begins.
        after: as it is known at the midnight that ends it.
        told: the same again, and 1 % of the leads have another attribute: all their rows have to be computed.
    """

    before: Workspace
    after: Workspace
    told: Workspace


def of(whole: Workspace, root: Path) -> Days:
    """Give the logs of a day; what the folder holds is not made again.

    Args:
        whole: the log.
        root: folder of the workspaces; made.
    """
    found = Days(*(Workspace.at(root / name) for name in ("before", "after", "told")))
    if found.told.has_tables():
        return found
    raw = tables.read(whole)
    midnight = _midnight(raw)
    chosen, known = active(raw, midnight), pl.max_horizontal("occurred_at", "received_at")
    of_day = known.is_between(midnight, midnight + DAY, closed="left") & pl.col("lead_id").is_in(chosen.implode())
    old = _until(raw, midnight, known < midnight)
    new = _until(raw, midnight + DAY, (known < midnight) | of_day)
    info = whole.tables_info()
    infos = [replace(info, generation=name, observed_until=midnight + DAY) for name in GENERATIONS]
    changed: dict[TableName, pl.LazyFrame] = {
        "activities": new.activities.filter(of_day),
        "stages": new.stages.filter(pl.col("entered_at") >= midnight),
        "attribute_changes": new.changes.filter(pl.col("changed_at") >= midnight),
    }
    of_whom = touched.leads(old.leads.collect(), new.leads.collect(), changed)
    _write(found.before, old, replace(infos[0], observed_until=midnight))
    _write(found.after, new, infos[1], of_whom)
    always = pl.when(~pl.col("lead_id").is_in(chosen.implode())).then("since")
    _link(found.after, found.told, infos[2], of_whom.with_columns(since=always))
    return found


def active(raw: Tables, midnight: int) -> pl.Series:
    """Choose 1 % of the leads that are known at a midnight among those of which an activity becomes known that day."""
    number = raw.leads.filter(pl.col("created_at") < midnight).select(pl.len()).collect().item()
    known = pl.max_horizontal("occurred_at", "received_at")
    that_day = raw.activities.filter(known.is_between(midnight, midnight + DAY, closed="left"))
    there = raw.leads.filter(pl.col("created_at") < midnight).select("lead_id")
    leads: pl.Series = that_day.select("lead_id").unique().join(there, on="lead_id").collect()["lead_id"]
    return leads.sort().sample(min(len(leads), max(round(number * SHARE), 1)), seed=SEED)


def _midnight(raw: Tables) -> int:
    at = raw.activities.select(pl.col("occurred_at").quantile(LATE, "lower")).collect().item()
    return int(at) // DAY * DAY


def _until(raw: Tables, until: int, activities: pl.Expr) -> Tables:
    leads = raw.leads.filter(pl.col("created_at") < until)
    log, stages, changes = (
        part.join(leads.select("lead_id"), on="lead_id", how="semi", maintain_order="left")
        for part in (
            raw.activities.filter(activities),
            raw.stages.filter(pl.col("entered_at") < until),
            raw.changes.filter(pl.col("changed_at") < until),
        )
    )
    return Tables(leads, log, stages, changes, in_order=raw.in_order)


def _write(room: Workspace, data: Tables, info: TablesInfo, of_whom: pl.DataFrame | None = None) -> None:
    frames: dict[TableName, pl.LazyFrame] = {
        "leads": data.leads,
        "activities": data.activities,
        "stages": data.stages,
        "attribute_changes": data.changes,
    }
    rows = dict(info.rows)
    for name, frame in frames.items():
        path = room.table_path(name, info.generation)
        path.parent.mkdir(parents=True, exist_ok=True)
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        stamped = frame.with_columns(pl.col(instants).cast(pl.Datetime("us", "UTC")))
        stamped.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        rows[name] = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    _publish(room, replace(info, rows=rows), of_whom)


def _link(room: Workspace, other: Workspace, info: TablesInfo, of_whom: pl.DataFrame) -> None:
    """Make the same tables another generation."""
    here = room.tables_info()
    folder, theirs = (one.table_path("leads", name.generation).parent for one, name in ((room, here), (other, info)))
    shutil.copytree(folder, theirs, copy_function=os.link)
    _publish(other, replace(info, rows=here.rows), of_whom)


def _publish(room: Workspace, info: TablesInfo, of_whom: pl.DataFrame | None) -> None:
    if of_whom is not None:
        touched.write(room, GENERATIONS[0], info.generation, of_whom)
    room.publish_tables(info)
