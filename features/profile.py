"""What the data has before an instant: the ground on which families propose their features."""

from dataclasses import dataclass

import polars as pl

from features.tables import Tables
from leadlight.workspace import TablesInfo


@dataclass(frozen=True, slots=True)
class Profile:
    """The types, actors and attributes seen before an instant.

    Attributes:
        types: activity types, the one that most leads have first.
        actors: actors seen.
        stages: stages that leads entered; `lead` too where the data tells (a rejected MQL goes back to it).
        has_values: whether activities carry values.
        has_contents: whether activities carry contents.
        numbers: usable numeric attributes that vary.
        categories: usable categorical attributes that vary, each with its values by frequency (rare ones left out).
        timed: False where the data has no clock (then ages and hours mean nothing).
    """

    types: tuple[str, ...]
    actors: tuple[str, ...]
    stages: tuple[str, ...]
    has_values: bool
    has_contents: bool
    numbers: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    timed: bool


def profile(
    tables: Tables, info: TablesInfo, before: int, *, min_leads: int = 20, most_categories: int = 60
) -> Profile:
    """Profile the leads created, and the activities that were known, before an instant.

    Args:
        tables: the tables.
        info: says which attributes exist and when they were known; only those known at creation, or by their
            recorded changes, are used.
        before: µs UTC; nothing at or after it is read.
        min_leads: a type or category carried by fewer leads is left out (its rows still count in totals and as
            `other`).
        most_categories: how many values of one attribute keep a code of their own.
    """
    leads = tables.leads.filter(pl.col("created_at") < before)
    known = tables.activities.filter(pl.max_horizontal("occurred_at", "received_at") < before)
    types = (
        known.group_by("type")
        .agg(leads=pl.col("lead_id").n_unique())
        .filter(pl.col("leads") >= min_leads)
        .sort(["leads", "type"], descending=[True, False])
        .collect()["type"]
    )
    facts = known.select(
        actors=pl.col("actor").unique().sort().implode(),
        values=pl.col("value").is_not_null().any(),
        contents=pl.col("content").is_not_null().any(),
    ).collect()
    stages = tables.stages.filter(pl.col("entered_at") < before).select("stage").unique().sort("stage").collect()
    numbers, categories = _attributes(leads, info, min_leads, most_categories)
    return Profile(
        types=tuple(types),
        actors=tuple(facts["actors"][0]),
        stages=tuple(stages["stage"]),
        has_values=bool(facts["values"][0]),
        has_contents=bool(facts["contents"][0]),
        numbers=numbers,
        categories=categories,
        timed=info.clock == "time",
    )


def _attributes(
    leads: pl.LazyFrame, info: TablesInfo, min_leads: int, most_categories: int
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    usable = [attribute for attribute in info.attributes if attribute.known_at != "unknown"]
    numbers = tuple(attribute.name for attribute in usable if attribute.kind == "number")
    if numbers:
        counts = leads.select(pl.col(numbers).drop_nulls().n_unique()).collect().row(0)
        numbers = tuple(name for name, count in zip(numbers, counts, strict=True) if count > 1)
    categories: dict[str, tuple[str, ...]] = {}
    for attribute in usable:
        if attribute.kind != "category":
            continue
        name = attribute.name
        counted = (
            leads.group_by(value=pl.col(name)).len().sort(["len", "value"], descending=[True, False], nulls_last=True)
        ).collect()
        frequent = counted.filter(pl.col("value").is_not_null(), pl.col("len") >= min_leads)["value"]
        if counted.height > 1 and len(frequent):
            categories[name] = tuple(frequent[:most_categories])
    return numbers, categories
