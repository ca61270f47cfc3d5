"""What the data has before an instant: the ground on which families propose their features.

Two lazy scans of the activities (which types, actors and channels there are; which leads have them) and a few of the
small tables: memory grows with the number of leads, not of activities.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from features.tables import Tables
from leadlight.workspace import Attribute, TablesInfo

MOST_NAMES: Final = 200  # types (and channels) beyond the 200 with the most activities are counted in totals only
# A value of an attribute needs 20 leads for a code of its own, as a type does. Where that would leave more than a tenth
# of the leads to `other`, five are enough: target encoding holds rare values back, and together they may tell much. Not
# so where fewer than 20 values have five, or most leads have rarer ones: those are identifiers.
FEW_LEADS: Final = 5
MANY_VALUES: Final = 20
OTHERS: Final = 0.1
HELD: Final = 0.5
MOST_CATEGORIES: Final = 10_000  # values of an attribute beyond so many share one code, however many leads have them
DATE: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
ROLE_WORDS: Final = ("title", "role", "department", "position", "function", "seniority", "division")


@dataclass(frozen=True, slots=True)
class Profile:
    """The types, actors and attributes seen before an instant; a share is one of the leads created before it.

    Attributes:
        types: activity types, the one that most leads have first.
        actors: actors seen.
        stages: stages that leads entered; `lead` too where the data tells (a rejected MQL goes back to it).
        has_values: whether activities carry values.
        has_contents: whether activities carry contents.
        numbers: usable numeric attributes that vary.
        categories: usable categorical attributes that vary, each with its values by frequency (rare ones left out).
        timed: False where the data has no clock (then ages and hours mean nothing).
        leads: how many leads there were.
        dates: usable attributes that hold dates (YYYY-MM-DD first) and vary.
        channels: channels, the one that most leads have first.
        repeated: stages that leads entered more than once.
        type_share: share of leads with an activity of the type.
        actor_share: share of leads with an activity of the actor.
        channel_share: share of leads with an activity in the channel.
        own_types: types that the lead itself acts in, by share.
        missing: share of leads for which the usable attribute is null.
        changed: share of leads for which a change of the usable attribute was recorded.
        company: share of leads of an account that has other leads too.
        role_like: categorical attributes that tell the role of a person in a company.
    """

    types: tuple[str, ...]
    actors: tuple[str, ...]
    stages: tuple[str, ...]
    has_values: bool
    has_contents: bool
    numbers: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    timed: bool
    leads: int = 0
    dates: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    type_share: Mapping[str, float] = field(default_factory=dict)
    actor_share: Mapping[str, float] = field(default_factory=dict)
    channel_share: Mapping[str, float] = field(default_factory=dict)
    own_types: tuple[str, ...] = ()
    missing: Mapping[str, float] = field(default_factory=dict)
    changed: Mapping[str, float] = field(default_factory=dict)
    company: float = 0.0
    role_like: tuple[str, ...] = ()

    @property
    def own(self) -> str | None:
        """The actor `lead` where others act too: what tells the lead's own activity from contacts with it."""
        return "lead" if "lead" in self.actors and len(self.actors) > 1 else None


def profile(
    tables: Tables, info: TablesInfo, before: int, *, min_leads: int = 20, most_categories: int = MOST_CATEGORIES
) -> Profile:
    """Profile the leads created, and the activities that were known, before an instant.

    Args:
        tables: the tables.
        info: says which attributes exist and when they were known; only those known at creation, or by their
            recorded changes, are used.
        before: µs UTC; nothing at or after it is read.
        min_leads: a type, channel or category carried by fewer leads is left out (its rows still count in totals and
            as `other`); of attributes with many values those with five leads stay (see `FEW_LEADS`).
        most_categories: how many values of one attribute keep a code of their own, those that most leads have.
    """
    leads = tables.leads.filter(pl.col("created_at") < before)
    total = leads.select(pl.len()).collect().item()
    seen = _activities(tables, before, min_leads, max(total, 1))
    entries = tables.stages.filter(pl.col("entered_at") < before)
    stages = entries.select("stage").unique().sort("stage").collect()["stage"]
    usable = [attribute for attribute in info.attributes if attribute.known_at != "unknown"]
    history = tables.changes.filter(pl.col("changed_at") < before)
    values = _values(leads, tables.changes, history, usable)
    dates = _dates(values, usable) if info.clock == "time" else ()
    categories = _categories(values, [a for a in usable if a.name not in dates], min_leads, most_categories)
    return Profile(
        types=tuple(seen.type_share),
        actors=tuple(sorted(seen.actor_share)),
        stages=tuple(stages),
        has_values=seen.has_values,
        has_contents=seen.has_contents,
        numbers=_numbers(values, usable),
        categories=categories,
        timed=info.clock == "time",
        leads=total,
        dates=dates,
        channels=tuple(seen.channel_share),
        repeated=_repeated(entries, min_leads),
        type_share=seen.type_share,
        actor_share=seen.actor_share,
        channel_share=seen.channel_share,
        own_types=tuple(name for name in seen.type_share if name in seen.own_types),
        missing={a.name: float(values[a.name].null_count() / max(total, 1)) for a in usable},
        changed=_changed(history, usable, max(total, 1)),
        company=_company(leads, max(total, 1)),
        role_like=tuple(name for name in categories if any(word in name.lower() for word in ROLE_WORDS)),
    )


@dataclass(frozen=True, slots=True)
class _Activities:
    type_share: dict[str, float]
    actor_share: dict[str, float]
    channel_share: dict[str, float]
    own_types: frozenset[str]
    has_values: bool
    has_contents: bool


def _activities(tables: Tables, before: int, min_leads: int, total: int) -> _Activities:
    known = tables.activities.filter(pl.max_horizontal("occurred_at", "received_at") < before)
    kinds = (
        known.group_by("type", "actor", "channel")
        .agg(
            rows=pl.len(),
            values=pl.col("value").is_not_null().any(),
            contents=pl.col("content").is_not_null().any(),
        )
        .collect(engine="streaming")
    )
    names = {column: _names(kinds, column, min_leads) for column in ("type", "channel")}
    names["actor"] = sorted(kinds["actor"].unique().to_list())
    leads = _leads_with(known, names)
    by_actor = kinds.group_by("type", "actor").agg(pl.col("rows").sum()).sort("rows", "actor", descending=[True, False])
    first = by_actor.unique("type", keep="first", maintain_order=True).filter(pl.col("actor") == "lead")
    return _Activities(
        _shares(leads["type"], min_leads, total),
        _shares(leads["actor"], 0, total),
        _shares(leads["channel"], min_leads, total),
        frozenset(first["type"].to_list()),
        bool(kinds["values"].any()),
        bool(kinds["contents"].any()),
    )


def _names(kinds: pl.DataFrame, column: str, min_leads: int) -> list[str]:
    """Give the names that can reach `min_leads` leads, at most `MOST_NAMES`, those with the most rows."""
    counted = kinds.filter(pl.col(column).is_not_null()).group_by(column).agg(pl.col("rows").sum())
    frequent = counted.filter(pl.col("rows") >= min_leads).sort("rows", column, descending=[True, False])
    return frequent[column].head(MOST_NAMES).to_list()


def _leads_with(known: pl.LazyFrame, names: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """Count the leads that have each name: one pass with a flag per lead and name."""
    keys = [(column, name) for column, found in names.items() for name in found]
    flags = (
        known.group_by("lead_id")
        .agg((pl.col(column) == name).any().alias(str(i)) for i, (column, name) in enumerate(keys))
        .select(pl.col(str(i)).sum() for i in range(len(keys)))
    )
    counts = flags.collect(engine="streaming").row(0) if keys else ()
    leads: dict[str, dict[str, int]] = {column: {} for column in names}
    for (column, name), count in zip(keys, counts, strict=True):
        leads[column][name] = count
    return leads


def _shares(leads: dict[str, int], min_leads: int, total: int) -> dict[str, float]:
    """Give the share of leads by name, most first, names with too few left out."""
    ordered = sorted(leads.items(), key=lambda item: (-item[1], item[0]))
    return {name: min(count / total, 1.0) for name, count in ordered if count >= min_leads}


def _repeated(entries: pl.LazyFrame, min_leads: int) -> tuple[str, ...]:
    twice = entries.group_by("lead_id", "stage").len().filter(pl.col("len") > 1).group_by("stage").len()
    return tuple(twice.filter(pl.col("len") >= min_leads).sort("stage").collect()["stage"])


def _company(leads: pl.LazyFrame, total: int) -> float:
    sizes = leads.filter(pl.col("account_id").is_not_null()).group_by("account_id").len().filter(pl.col("len") > 1)
    return float((sizes.select(pl.col("len").sum()).collect().item() or 0) / total)


def _changed(history: pl.LazyFrame, usable: list[Attribute], total: int) -> dict[str, float]:
    counted = history.group_by("field").agg(leads=pl.col("lead_id").n_unique()).collect()
    leads = dict(counted.iter_rows())
    return {a.name: min(leads[a.name] / total, 1.0) for a in usable if a.name in leads}


def _values(leads: pl.LazyFrame, changes: pl.LazyFrame, history: pl.LazyFrame, usable: list[Attribute]) -> pl.DataFrame:
    """Give the usable attributes as they were before the instant, one column each, numbers as numbers."""
    fields = set(changes.select("field").unique().collect()["field"])
    frame = leads.select("lead_id", *(attribute.name for attribute in usable)).collect()
    for attribute in usable:
        if attribute.name in fields:
            kind = pl.Float64 if attribute.kind == "number" else pl.String
            texts = _history(frame.select("lead_id", own=attribute.name), changes, history, attribute.name)
            frame = frame.with_columns(texts.cast(kind, strict=False).alias(attribute.name))
    return frame


def _history(leads: pl.DataFrame, changes: pl.LazyFrame, history: pl.LazyFrame, name: str) -> pl.Series:
    """Give an attribute as text, in the order of the leads: by its changes where it has some, else its `own` value."""
    is_it = pl.col("field") == name
    by_lead = history.filter(is_it).sort("changed_at").group_by("lead_id")
    last = by_lead.agg(last=pl.col("value").last(), moved=pl.lit(value=True))
    first = changes.filter(is_it).sort("changed_at").group_by("lead_id").agg(first=pl.col("old_value").first())
    changed = first.with_columns(changed=pl.lit(value=True)).join(last, on="lead_id", how="left")
    now = pl.when("moved").then("last").otherwise("first")  # null where the last change cleared it
    then = pl.when("changed").then(now).otherwise(pl.col("own").cast(pl.String))
    joined = leads.lazy().join(changed, on="lead_id", how="left", maintain_order="left")
    return joined.select(then).collect().to_series()


def _numbers(values: pl.DataFrame, usable: list[Attribute]) -> tuple[str, ...]:
    return tuple(a.name for a in usable if a.kind == "number" and values[a.name].drop_nulls().n_unique() > 1)


def _dates(values: pl.DataFrame, usable: list[Attribute]) -> tuple[str, ...]:
    """Give the attributes of which every value known is a date."""
    texts = [(a.name, values[a.name].drop_nulls()) for a in usable if a.kind == "category"]
    return tuple(name for name, found in texts if found.n_unique() > 1 and found.str.contains(DATE).all())


def _categories(
    values: pl.DataFrame, usable: list[Attribute], min_leads: int, most_categories: int
) -> dict[str, tuple[str, ...]]:
    categories: dict[str, tuple[str, ...]] = {}
    for attribute in usable:
        if attribute.kind != "category":
            continue
        counted = values.group_by(value=pl.col(attribute.name)).len().sort("len", "value", descending=[True, False])
        frequent = _frequent(counted.filter(pl.col("value").is_not_null()), min_leads)
        if counted.height > 1 and len(frequent):
            categories[attribute.name] = tuple(frequent[:most_categories])
    return categories


def _frequent(counted: pl.DataFrame, min_leads: int) -> pl.Series:
    """Give the values that enough leads have, of (value, len) in order; see `FEW_LEADS` for what is enough."""
    usual, few = (counted.filter(pl.col("len") >= least) for least in (min_leads, FEW_LEADS))
    total, of_usual, of_few = (int(found["len"].sum()) for found in (counted, usual, few))
    many = few.height >= MANY_VALUES and of_few >= HELD * total
    return few["value"] if many and of_usual < (1 - OTHERS) * total else usual["value"]
