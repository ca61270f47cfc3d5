import polars as pl
import pytest

from leadlight.ingest import touched
from leadlight.workspace import Workspace
from tests.leadlight.ingest.conftest import EVENTS, LEADS, MAPPING

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


def test_the_oldest_steps_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(touched, "KEPT", 2)
    room = Workspace.at(tmp_path)
    nobody = pl.DataFrame(schema={"lead_id": pl.String})
    for before, after in (("a", "b"), ("b", "c"), ("c", "d")):
        touched.write(room, before, after, nobody)
    assert room.touched_steps() == [("b", "c"), ("c", "d")]
