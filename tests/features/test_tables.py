from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features import tables as tables_of
from leadlight.errors import WorkspaceError
from leadlight.schema import DAY, TABLES
from leadlight.timeline import KNOWN_AT_ONCE
from leadlight.workspace import TablesInfo, Workspace
from tests.features import market

BASE = market.BASE
CUT = BASE + 10 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lead(lead_id, **columns):
    return {"lead_id": lead_id, "created_at": BASE, "industry": None, "size": None, **columns}


def activity(key, lead_id="a", **columns):
    base = {"activity_id": key, "lead_id": lead_id, "type": "call", "occurred_at": BASE + DAY, "actor": "lead"}
    return {**base, "received_at": None, **columns}


def test_before_keeps_what_was_known_and_stage_entries_at_the_very_instant():
    record = (
        [lead("a", created_at=CUT - 1), lead("b", created_at=CUT)],
        [
            activity("known", occurred_at=CUT - 1),
            activity("at", occurred_at=CUT),
            activity("told", received_at=CUT - 1),
            activity("late", received_at=CUT),
        ],
        [
            {"lead_id": "a", "stage": "mql", "entered_at": CUT},
            {"lead_id": "a", "stage": "sql", "entered_at": CUT + 1},
        ],
        [
            {"lead_id": "a", "field": "size", "changed_at": CUT - 1, "old_value": None, "value": "1"},
            {"lead_id": "a", "field": "size", "changed_at": CUT, "old_value": "1", "value": "2"},
        ],
    )
    known = tables_of.before(market.tables(*record), CUT)
    assert known.leads.collect()["lead_id"].to_list() == ["a"]
    assert known.activities.collect()["activity_id"].to_list() == ["known", "told"]
    assert known.stages.collect()["stage"].to_list() == ["mql"]
    assert known.changes.collect()["value"].to_list() == ["1"]


def test_timelines_gather_the_rows_of_each_lead_in_order():
    record = (
        [lead("a", industry="it", size=3.0), lead("b")],
        [
            activity("2", occurred_at=BASE + 2 * DAY, value=1.5, content="/x", channel="web"),
            activity("3", occurred_at=BASE + DAY, received_at=BASE + 3 * DAY),
            activity("1", occurred_at=BASE + DAY),
            activity("stranger", "c"),
        ],
        [
            {"lead_id": "a", "stage": "sql", "entered_at": BASE + 5, "reason": "asked"},
            {"lead_id": "a", "stage": "mql", "entered_at": BASE + 1},
        ],
        [{"lead_id": "a", "field": "size", "changed_at": BASE + 9, "old_value": "2", "value": "3"}],
    )
    found = tables_of.timelines(market.tables(*record))
    assert sorted(found) == ["a", "b"]
    line = found["a"]
    assert line.created_at == BASE
    assert line.attributes == {"industry": "it", "size": 3.0, "role": None, "since": None}
    assert list(line.activities.activity_id) == ["1", "3", "2"]
    assert line.activities.occurred_at.tolist() == [BASE + DAY, BASE + DAY, BASE + 2 * DAY]
    assert line.activities.received_at.tolist() == [KNOWN_AT_ONCE, BASE + 3 * DAY, KNOWN_AT_ONCE]
    assert line.activities.content.tolist() == [None, None, "/x"]
    np.testing.assert_array_equal(line.activities.value, [np.nan, np.nan, 1.5])
    assert [(entry.stage, entry.entered_at, entry.reason) for entry in line.stages] == [
        ("mql", BASE + 1, None),
        ("sql", BASE + 5, "asked"),
    ]
    assert [(change.field, change.old_value, change.value) for change in line.changes] == [("size", "2", "3")]
    assert len(found["b"].activities) == 0
    assert (found["b"].stages, found["b"].changes) == ((), ())


def test_timelines_of_some_leads_leave_out_the_unknown():
    tables = market.tables([lead("a"), lead("b")], [activity("1"), activity("2", "b")], [], [])
    found = tables_of.timelines(tables, ["b", "nobody"])
    assert list(found) == ["b"]
    assert list(found["b"].activities.activity_id) == ["2"]
    assert tables_of.timelines(tables, []) == {}


def at(instant):
    return EPOCH + timedelta(microseconds=instant)


@pytest.mark.parametrize("unit", ["us", "ms"])
def test_every_instant_is_read_as_integer_microseconds(tmp_path, unit):
    """Whatever the unit of the file, and to the microsecond where it has them."""
    room = Workspace.at(tmp_path)
    info = TablesInfo("g1", BASE + 100 * DAY, "time", (), {})
    instant = BASE + (123_456 if unit == "us" else 123_000)
    rows = {
        "leads": {"lead_id": "a", "created_at": at(instant)},
        "activities": {"activity_id": "1", "lead_id": "a", "type": "call", "actor": "lead", "occurred_at": at(instant)},
        "stages": {"lead_id": "a", "stage": "lead", "entered_at": at(instant)},
        "attribute_changes": {"lead_id": "a", "field": "size", "changed_at": at(instant), "value": "1"},
    }
    kinds = {"text": pl.String, "instant": pl.Datetime(unit, "UTC"), "number": pl.Float64}
    for name, row in rows.items():
        path = room.table_path(name, "g1")
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame([row], schema={column: kinds[kind] for column, kind in TABLES[name].items()}).write_parquet(path)
    room.publish_tables(info)
    read = tables_of.read(room)
    assert read.leads.collect()["created_at"].to_list() == [instant]
    activities = read.activities.collect()
    assert activities["occurred_at"].to_list() == [instant]
    assert activities["received_at"].to_list() == [None]
    assert read.stages.collect()["entered_at"].to_list() == [instant]
    assert read.changes.collect()["changed_at"].to_list() == [instant]
    for frame in (read.leads, read.activities, read.stages, read.changes):
        assert not any(dtype.is_temporal() for dtype in frame.collect_schema().dtypes())


def test_an_empty_workspace_is_said(tmp_path):
    with pytest.raises(WorkspaceError):
        tables_of.read(Workspace.at(tmp_path))
