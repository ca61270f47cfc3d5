"""The tables as the feature engines read them: native lazy frames in which every instant is an int64 of µs (UTC)."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadlight.schema import TABLES, TableName
from leadlight.timeline import KNOWN_AT_ONCE, Activities, AttributeChange, StageEntry, Timeline
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

    from features.sifted import Sifted


@dataclass(frozen=True, slots=True)
class Tables:
    """Native frames of one engine, columns as in `leadlight.schema`, instants as int64 µs.

    The frames are Polars lazy frames nearly everywhere; `features.batch` takes those of its other engines too
    (DuckDB relations, PySpark or pandas frames).

    Attributes:
        leads: one row per lead.
        activities: the log.
        stages: entries into stages.
        changes: recorded changes of attributes.
        in_order: every lead's activities are known to stand together, by occurred_at and activity_id.
        sifted: how `activities` came out of a larger log, where they did; of no meaning for any other frame.
    """

    leads: Any
    activities: Any
    stages: Any
    changes: Any
    in_order: bool = False
    sifted: "Sifted | None" = None


def read(workspace: Workspace) -> Tables:
    """Scan a workspace's current tables.

    Raises:
        WorkspaceError: nothing was ingested.
    """
    return Tables(
        leads=instants_as_integers(workspace.scan("leads"), "leads"),
        activities=instants_as_integers(workspace.scan("activities"), "activities"),
        stages=instants_as_integers(workspace.scan("stages"), "stages"),
        changes=instants_as_integers(workspace.scan("attribute_changes"), "attribute_changes"),
        in_order=workspace.tables_info().in_order,
    )


def before(tables: Tables, until: int) -> Tables:
    """Restrict the tables to what was known before an instant, stage entries at that very instant included."""
    import polars as pl  # noqa: PLC0415

    known = (pl.col("occurred_at") < until) & (pl.col("received_at").is_null() | (pl.col("received_at") < until))
    return Tables(
        leads=tables.leads.filter(pl.col("created_at") < until),
        activities=tables.activities.filter(known),
        stages=tables.stages.filter(pl.col("entered_at") <= until),
        changes=tables.changes.filter(pl.col("changed_at") < until),
    )


def instants_as_integers(frame: "pl.LazyFrame", name: TableName) -> "pl.LazyFrame":
    """Turn the instants of a table into int64 µs."""
    import polars as pl  # noqa: PLC0415  (the service imports this package's online half only)

    instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
    return frame.with_columns(pl.col(column).dt.cast_time_unit("us").cast(pl.Int64) for column in instants)


def timelines(tables: Tables, lead_ids: Collection[str] | None = None) -> dict[str, Timeline]:
    """Gather the timelines of some leads (all where None); an id that is not in `leads` is left out.

    Of several changes of one attribute at one instant that with the least value counts (then with the least old_value;
    null before any), in every engine; ingestion keeps one, and so does a merge of leads.
    """
    import polars as pl  # noqa: PLC0415

    def rows(frame: "pl.LazyFrame") -> "pl.DataFrame":
        return (frame if lead_ids is None else frame.filter(pl.col("lead_id").is_in(list(lead_ids)))).collect()

    activities = {
        lead: _activities(part)
        for (lead,), part in rows(tables.activities)
        .sort("lead_id", "occurred_at", "activity_id")
        .partition_by("lead_id", as_dict=True, maintain_order=True)
        .items()
    }
    stages: dict[str, list[StageEntry]] = defaultdict(list)
    for row in rows(tables.stages).sort("entered_at", "stage").iter_rows(named=True):
        stages[row["lead_id"]].append(StageEntry(row["stage"], row["entered_at"], row["reason"]))
    changes: dict[str, list[AttributeChange]] = defaultdict(list)
    ordered = rows(tables.changes).sort("changed_at", "field", "value", "old_value")
    once = ordered.unique(["lead_id", "field", "changed_at"], keep="first", maintain_order=True)
    for row in once.iter_rows(named=True):
        change = AttributeChange(row["field"], row["changed_at"], row["old_value"], row["value"])
        changes[row["lead_id"]].append(change)
    none = Activities.from_rows([])
    return {
        lead["lead_id"]: Timeline(
            lead_id=lead["lead_id"],
            created_at=lead["created_at"],
            attributes={name: value for name, value in lead.items() if name not in TABLES["leads"]},
            activities=activities.get(lead["lead_id"], none),
            stages=tuple(stages[lead["lead_id"]]),
            changes=tuple(changes[lead["lead_id"]]),
        )
        for lead in rows(_plain(tables.leads.lazy())).iter_rows(named=True)
    }


def _plain(leads: "pl.LazyFrame") -> "pl.LazyFrame":
    """Give the attributes the types of `Timeline`: a decimal is a number, and what else is no number is a text."""
    import polars as pl  # noqa: PLC0415

    kinds = leads.collect_schema()
    others = [name for name in kinds if name not in TABLES["leads"] and not isinstance(kinds[name], pl.Boolean)]
    return leads.with_columns(
        pl.col(name).cast(pl.Float64 if kinds[name].is_decimal() else pl.String)
        for name in others
        if kinds[name].is_decimal() or not kinds[name].is_numeric()
    )


def _activities(part: "pl.DataFrame") -> Activities:
    def texts(column: str) -> Any:
        out = np.empty(part.height, dtype=object)
        out[:] = part[column].to_list()
        return out

    return Activities(
        activity_id=texts("activity_id"),
        type=texts("type"),
        occurred_at=part["occurred_at"].to_numpy(),
        received_at=part["received_at"].fill_null(KNOWN_AT_ONCE).to_numpy(),
        actor=texts("actor"),
        channel=texts("channel"),
        content=texts("content"),
        detail=texts("detail"),
        value=part["value"].fill_null(float("nan")).to_numpy(),
    )
