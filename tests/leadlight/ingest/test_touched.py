from datetime import UTC, datetime

import polars as pl
import pytest

from leadlight.ingest import touched
from leadlight.workspace import Workspace
from tests.leadlight.ingest.conftest import EVENTS, LEADS, MAPPING

TEXTS = {"lead_id": pl.String, "account_id": pl.String}
ACCOUNTS = MAPPING.replace(
    "          created_at: created\n", "          created_at: created\n          account_id: firm\n"
)
FIRMS = "id,created,size,industry,firm\nA,2026-01-01,10,retail,x\nB,2026-01-02,,it,x\nC,2026-01-02,5,it,x\n"


def since(world, generation):
    found = touched.since(world.workspace, generation)
    return None if found is None else found["lead_id"].to_list()


def test_ingesting_the_same_again_touches_nobody(world):
    first = world.ingest().generation
    world.ingest()
    assert since(world, first) == []


@pytest.mark.parametrize(
    ("leads", "events", "expected"),
    [
        (LEADS, EVENTS + "3,B,call,2026-01-05\n", ["B"]),
        (LEADS, EVENTS.replace("1,A", "1,B"), ["A", "B"]),  # an activity goes to another lead
        (LEADS, EVENTS.replace("2,B,download", "2,B,call"), ["B"]),
        (LEADS.replace("retail", "it"), EVENTS, ["A"]),
        (LEADS + "C,2026-01-03,,\n", EVENTS, ["C"]),
        (LEADS, EVENTS + "3,N,call,2026-01-05\n", []),  # waits for its lead
    ],
)
def test_those_of_whom_something_came_or_changed(world, leads, events, expected):
    first = world.ingest().generation
    world.ingest(leads__csv=leads, events__csv=events)
    assert since(world, first) == expected


@pytest.mark.parametrize(
    ("leads", "events", "expected"),
    [
        (LEADS, EVENTS + "3,B,call,2026-01-05\n4,B,call,2026-01-04\n", {"B": datetime(2026, 1, 3, 15, tzinfo=UTC)}),
        (LEADS.replace("retail", "it"), EVENTS + "3,A,call,2026-01-05\n", {"A": None}),  # attributes have no history
    ],
)
def test_since_when_something_is_different_is_known(world, leads, events, expected):
    first = world.ingest().generation
    world.ingest(leads__csv=leads, events__csv=events)
    found = dict(touched.since(world.workspace, first).iter_rows())
    assert found == {lead: None if at is None else at.timestamp() * 1_000_000 for lead, at in expected.items()}


def test_an_activity_is_known_when_it_is_received_and_a_stage_when_it_is_entered():
    leads = pl.DataFrame({"lead_id": ["a", "b", "c"], "account_id": [None, None, None]}, schema_overrides=TEXTS)
    activities = pl.LazyFrame({"lead_id": ["a", "a", "b"], "occurred_at": [5, 3, 7], "received_at": [9, None, 6]})
    changed = {
        "activities": activities,
        "stages": pl.LazyFrame({"lead_id": ["b"], "entered_at": [8]}),
        "attribute_changes": pl.LazyFrame({"lead_id": ["c"], "changed_at": [8]}),
    }
    assert touched.leads(leads, leads, changed).rows() == [("a", 3), ("b", 7), ("c", None)]
    of_order = touched.leads(leads, leads, changed, ordered=True)  # instants that were made up
    assert of_order.rows() == [("a", None), ("b", None), ("c", None)]


def test_steps_that_do_not_say_since_when_may_change_everything(world):
    first = world.ingest().generation
    second = world.ingest(leads__csv=LEADS, events__csv=EVENTS + "3,B,call,2026-01-05\n").generation
    path = world.workspace.touched_path(first, second)
    pl.read_parquet(path).drop("since").write_parquet(path)
    assert touched.since(world.workspace, first).rows() == [("B", None)]


def test_an_activity_that_waited_touches_its_lead_when_it_comes(world):
    world.ingest(leads__csv=LEADS, events__csv=EVENTS + "3,N,call,2026-01-05\n")
    second = world.ingest().generation
    world.ingest(leads__csv=LEADS + "N,2026-01-03,,\n", events__csv=EVENTS)
    assert since(world, second) == ["N"]


def test_a_lead_that_moves_touches_those_it_left_behind(world):
    world.mapping = ACCOUNTS
    first = world.ingest(leads__csv=FIRMS, events__csv=EVENTS).generation
    world.ingest(leads__csv=FIRMS.replace("it,x\nC", "it,y\nC"), events__csv=EVENTS)
    assert since(world, first) == ["A", "B", "C"]


def test_a_new_attribute_touches_those_who_have_it(world):
    first = world.ingest().generation
    world.mapping = MAPPING.replace(
        "        attributes:", "        attributes:\n          role: { kind: category, known_at: creation }"
    )
    leads = "id,created,size,industry,role\nA,2026-01-01 09:00,10,retail,boss\nB,2026-01-02,,Select,\n"
    world.ingest(leads__csv=leads, events__csv=EVENTS)
    assert since(world, first) == ["A"]


def test_steps_add_up_even_where_the_tables_between_are_gone(world):
    first = world.ingest().generation
    events = EVENTS
    for number, lead in ((3, "B"), (4, "A"), (5, "A")):
        events += f"{number},{lead},call,2026-01-05\n"
        world.ingest(leads__csv=LEADS, events__csv=events)
    assert since(world, first) == ["A", "B"]
    assert since(world, world.workspace.tables_info().generation) == []


def test_an_unknown_step_is_said(world):
    first = world.ingest().generation
    second = world.ingest().generation
    world.ingest()
    world.workspace.touched_path(first, second).unlink()
    assert since(world, first) is None
    assert since(world, second) == []
    assert since(world, "another") is None


def test_a_damaged_step_is_not_known(world):
    first = world.ingest().generation
    step = world.workspace.touched_path(first, world.ingest().generation)
    step.write_bytes(step.read_bytes()[:-1])
    assert since(world, first) is None


def test_the_oldest_steps_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(touched, "KEPT", 2)
    room = Workspace.at(tmp_path)
    nobody = pl.DataFrame(schema=touched.SCHEMA)
    for before, after in (("a", "b"), ("b", "c"), ("c", "d")):
        touched.write(room, before, after, nobody)
    assert room.touched_steps() == [("b", "c"), ("c", "d")]
