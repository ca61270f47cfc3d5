"""Random small records as tables and as timelines, and a slow, obvious reference for every measure."""

import math
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import polars as pl
from hypothesis import strategies as st

from features.tables import Tables
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BASE = 20_000 * DAY
TYPES = ["pricing_view", "mail_open", "call", "download"]
SPECS = (
    FeatureSpec("count", "frequency", "count"),
    FeatureSpec("count_1d", "frequency", "count", window_days=1),
    FeatureSpec("pricing", "frequency", "count", ("pricing_view",)),
    FeatureSpec("pricing_2d", "frequency", "count", ("pricing_view",), window_days=2),
    FeatureSpec("two_types", "frequency", "count", ("pricing_view", "call"), window_days=3),
    FeatureSpec("by_sales", "touches", "count", actor="sales"),
    FeatureSpec("web", "frequency", "count", channel="web"),
    FeatureSpec("blog", "frequency", "count", content="/blog/*"),
    FeatureSpec("blog_calls", "rule", "count", ("call",), "sales", "web", "/blog/?", 2.0),
    FeatureSpec("days", "frequency", "distinct_days"),
    FeatureSpec("days_2d", "frequency", "distinct_days", ("pricing_view", "mail_open"), window_days=2),
    FeatureSpec("contents", "frequency", "distinct_contents"),
    FeatureSpec("breadth_2d", "breadth", "distinct_types", window_days=2),
    FeatureSpec("value", "frequency", "value_sum"),
    FeatureSpec("value_1d", "frequency", "value_sum", ("download",), window_days=1),
    FeatureSpec("recency", "recency", "days_since_last"),
    FeatureSpec("recency_1d", "recency", "days_since_last", ("call",), window_days=1),
    FeatureSpec("first", "recency", "days_since_first"),
    FeatureSpec("first_2d", "recency", "days_since_first", window_days=2),
    FeatureSpec("decayed", "decay", "decayed_count", half_life_days=2),
    FeatureSpec("decayed_call", "decay", "decayed_count", ("call",), half_life_days=0.5, window_days=3),
    FeatureSpec("momentum", "momentum", "momentum", window_days=1),
    FeatureSpec("momentum_call", "momentum", "momentum", ("call",), window_days=2),
    FeatureSpec("last", "sequence", "last_type", categories=("call", "mail_open")),
    FeatureSpec("third", "sequence", "last_type", k=3, categories=("call", "mail_open")),
    FeatureSpec("last_by_lead", "sequence", "last_type", actor="lead", categories=("call", "mail_open")),
    FeatureSpec("age", "age", "age_days"),
    FeatureSpec("hour", "age", "created_hour"),
    FeatureSpec("weekday", "age", "created_weekday"),
    FeatureSpec("mqls", "stage", "stage_entries", stage="mql"),
    FeatureSpec("since_mql", "stage", "days_since_stage", stage="mql"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail")),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("absent", "fit", "number", attribute="not_in_this_data"),
)

# Quarter days put many events exactly on window edges, on equal instants and on as_of itself.
instants = st.integers(-4, 28).map(lambda quarter: BASE + quarter * DAY // 4)
activity_rows = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from(["a", "b"]),
        "type": st.sampled_from(TYPES),
        "occurred_at": instants,
        "received_at": st.none() | instants,
        "actor": st.sampled_from(["lead", "sales"]),
        "channel": st.sampled_from(["web", None]),
        "content": st.sampled_from(["/blog/1", "/blog/22", "/price", None]),
        "value": st.sampled_from([None, 1.5, -2.0]),
    }
)
stage_rows = st.fixed_dictionaries(
    {"lead_id": st.sampled_from(["a", "b"]), "stage": st.sampled_from(["mql", "sql", "lost"]), "entered_at": instants}
)
change_rows = st.fixed_dictionaries(
    {
        "lead_id": st.sampled_from(["a", "b"]),
        "field": st.sampled_from(["industry", "size"]),
        "changed_at": instants,
        "old_value": st.sampled_from(["it", "7", None]),
        "value": st.sampled_from(["retail", "other", "12.5", "nan", "inf"]),
    }
)
lead_rows = st.fixed_dictionaries(
    {
        "created_at": instants,
        "industry": st.sampled_from(["it", "retail", "farm", None]),
        "size": st.sampled_from([None, 3.0, 40.0]),
    }
)


@st.composite
def records(draw):
    """Draw (leads, activities, stages, changes) as lists of rows for leads `a` and `b`."""
    leads = [{"lead_id": name, **draw(lead_rows)} for name in "ab"]
    activities = draw(st.lists(activity_rows, max_size=25))
    for number, row in enumerate(activities):
        row["activity_id"] = f"e{number:03}"
        row["detail"] = row["campaign"] = None
    keys = set()
    changes = []
    for row in draw(st.lists(change_rows, max_size=4)):
        key = (row["lead_id"], row["field"], row["changed_at"])
        if key not in keys:
            keys.add(key)
            changes.append(row)
    return leads, activities, draw(st.lists(stage_rows, max_size=5)), changes


def tables(leads, activities, stages, changes):
    """Build the lazy tables of a record."""
    text, number, instant = pl.String, pl.Float64, pl.Int64
    return Tables(
        leads=pl.LazyFrame(leads, schema={"lead_id": text, "created_at": instant, "industry": text, "size": number}),
        activities=pl.LazyFrame(
            activities,
            schema={
                "activity_id": text,
                "lead_id": text,
                "type": text,
                "occurred_at": instant,
                "received_at": instant,
                "actor": text,
                "channel": text,
                "campaign": text,
                "content": text,
                "detail": text,
                "value": number,
            },
        ),
        stages=pl.LazyFrame(
            [{"reason": None, "amount": None, **row} for row in stages],
            schema={"lead_id": text, "stage": text, "entered_at": instant, "reason": text, "amount": number},
        ),
        changes=pl.LazyFrame(
            changes,
            schema={"lead_id": text, "field": text, "changed_at": instant, "old_value": text, "value": text},
        ),
    )


def reference(record, lead_id, as_of, spec):
    """Compute one feature the slow, obvious way; None = null."""
    leads, activities, stages, changes = record
    lead = next(row for row in leads if row["lead_id"] == lead_id)
    if spec.measure == "age_days":
        return (as_of - lead["created_at"]) / DAY
    created = EPOCH + timedelta(microseconds=lead["created_at"])
    if spec.measure == "created_hour":
        return created.hour
    if spec.measure == "created_weekday":
        return created.weekday()
    if spec.stage is not None:
        entries = [
            row["entered_at"]
            for row in stages
            if row["lead_id"] == lead_id and row["stage"] == spec.stage and row["entered_at"] < as_of
        ]
        if spec.measure == "stage_entries":
            return len(entries)
        return min(as_of - at for at in entries) / DAY if entries else None
    if spec.attribute is not None:
        return _attribute(lead, changes, lead_id, as_of, spec)
    rows = sorted(
        (
            row
            for row in activities
            if row["lead_id"] == lead_id
            and row["occurred_at"] < as_of
            and (row["received_at"] is None or row["received_at"] < as_of)
            and (not spec.types or row["type"] in spec.types)
            and spec.actor in {None, row["actor"]}
            and spec.channel in {None, row["channel"]}
            and (spec.content is None or (row["content"] is not None and fnmatchcase(row["content"], spec.content)))
        ),
        key=lambda row: (row["occurred_at"], row["activity_id"]),
    )
    return _measure(rows, as_of, spec)


def _attribute(lead, changes, lead_id, as_of, spec):
    own = sorted(
        (row for row in changes if row["lead_id"] == lead_id and row["field"] == spec.attribute),
        key=lambda row: row["changed_at"],
    )
    past = [row for row in own if row["changed_at"] < as_of]
    value = past[-1]["value"] if past else own[0]["old_value"] if own else lead.get(spec.attribute)
    if value is None:
        return None
    if spec.measure == "category":
        return spec.categories.index(value) if value in spec.categories else len(spec.categories)
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _measure(rows, as_of, spec):  # noqa: C901  (one case per measure)
    ages = [(as_of - row["occurred_at"]) / DAY for row in rows]
    if spec.measure == "momentum":
        recent = sum(age <= spec.window_days for age in ages)
        before = sum(spec.window_days < age <= 2 * spec.window_days for age in ages)
        return math.log2((recent + 1) / (before + 1))
    if spec.window_days is not None:
        kept = [(row, age) for row, age in zip(rows, ages, strict=True) if age <= spec.window_days]
        rows, ages = [row for row, _ in kept], [age for _, age in kept]
    match spec.measure:
        case "count":
            return len(rows)
        case "distinct_days":
            return len({row["occurred_at"] // DAY for row in rows})
        case "distinct_contents":
            return len({row["content"] for row in rows} - {None})
        case "distinct_types":
            return len({row["type"] for row in rows})
        case "value_sum":
            return sum(row["value"] or 0 for row in rows)
        case "decayed_count":
            return sum(0.5 ** (age / spec.half_life_days) for age in ages)
        case "days_since_last":
            return min(ages) if ages else None
        case "days_since_first":
            return max(ages) if ages else None
        case "last_type":
            return spec.code(rows[-spec.k]["type"]) if len(rows) >= spec.k else None
    raise AssertionError(spec.measure)
