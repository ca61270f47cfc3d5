"""Random small records in which much happens within seconds, as tables of an engine and as timelines."""

import duckdb
import polars as pl
from hypothesis import strategies as st

from features.tables import Tables
from leadlight.schema import DAY

SECOND = 1_000_000
BASE = 20_000 * DAY + 17 * SECOND
UNTIL = BASE + 40 * DAY
TEXT, INSTANT, NUMBER = pl.String, pl.Int64, pl.Float64
SCHEMAS = {
    "leads": {"lead_id": TEXT, "created_at": INSTANT, "domain": TEXT},
    "activities": {
        "activity_id": TEXT,
        "lead_id": TEXT,
        "type": TEXT,
        "occurred_at": INSTANT,
        "received_at": INSTANT,
        "actor": TEXT,
        "channel": TEXT,
        "campaign": TEXT,
        "content": TEXT,
        "detail": TEXT,
        "value": NUMBER,
    },
    "stages": {"lead_id": TEXT, "stage": TEXT, "entered_at": INSTANT, "reason": TEXT, "amount": NUMBER},
    "changes": {"lead_id": TEXT, "field": TEXT, "changed_at": INSTANT, "old_value": TEXT, "value": TEXT},
}


def tables(activities=(), leads=None, stages=(), changes=()):
    """Build Polars tables; a column that a row lacks is null."""
    leads = [lead("a"), lead("b")] if leads is None else leads
    rows = {"leads": leads, "activities": activities, "stages": stages, "changes": changes}
    return Tables(**{name: pl.LazyFrame(list(rows[name]), schema=schema) for name, schema in SCHEMAS.items()})


def on_duckdb(found):
    """Give the same tables as relations of one connection."""
    connection = duckdb.connect()
    frames = {name: getattr(found, name).collect().to_arrow() for name in SCHEMAS}
    return Tables(**{name: connection.from_arrow(frame) for name, frame in frames.items()})


def lead(lead_id, **columns):
    return {"lead_id": lead_id, "created_at": BASE, **columns}


def activity(key, seconds=0.0, kind="page_view", lead_id="a", **columns):
    at = BASE + round(seconds * SECOND)
    return {"activity_id": key, "lead_id": lead_id, "type": kind, "occurred_at": at, "actor": "lead", **columns}


seconds = st.integers(0, 28).map(lambda half: half * 0.5)
rows = st.builds(
    dict,
    lead_id=st.sampled_from(["a", "b"]),
    type=st.sampled_from(["mail_sent", "mail_open", "mail_click", "mail_click", "page_view", "chat"]),
    occurred_at=(seconds | st.sampled_from([43.0, 103.0, 41 * 86_400.0, -366 * 86_400.0])).map(
        lambda value: BASE + round(value * SECOND)
    ),
    delay=st.sampled_from([None, None, 0, 1, 4, 3_600]),
    actor=st.sampled_from(["lead", "lead", "marketing"]),
    content=st.sampled_from(["x", "y", "z", None]),
    detail=st.sampled_from([None, None, None, "Mozilla/5.0", "Barracuda/1.0"]),
)


@st.composite
def activities(draw):
    """Draw the activities of leads `a` and `b`, in any order."""
    found = []
    for number, row in enumerate(draw(st.lists(rows, max_size=24))):
        delay = row.pop("delay")
        received = None if delay is None else row["occurred_at"] + delay * SECOND
        found.append({"activity_id": f"e{number:02}", "received_at": received, **row})
    return draw(st.permutations(found))
