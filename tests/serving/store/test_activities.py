from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from serving.store import activities
from serving.store.database import open_store
from serving.store.tables import ACTIVITIES


def event(number=0, **changes):
    return {
        "activity_id": f"e{number}",
        "lead_id": "lead-1",
        "type": "pricing_view",
        "occurred_at": 1_000 + number,
        "received_at": 2_000,
        "actor": "lead",
        "channel": None,
        "campaign": None,
        "content": None,
        "detail": None,
        "value": None,
    } | changes


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    opened = open_store(tmp_path_factory.mktemp("events") / "serve.db")
    yield opened
    opened.close()


@pytest.fixture
def fresh(shared):
    with shared.writing() as connection:
        connection.execute(delete(ACTIVITIES))
    return shared


def ids(store):
    with store.reading() as connection:
        return sorted(connection.execute(select(ACTIVITIES.c.activity_id)).scalars())


def test_each_is_stored_once_for_ever(fresh):
    assert activities.record(fresh, [event(1), event(2), event(1)]) == ["stored", "stored", "duplicate"]
    assert activities.record(fresh, [event(2, received_at=9_999), event(3)]) == ["duplicate", "stored"]
    assert ids(fresh) == ["e1", "e2", "e3"]


def test_another_activity_under_a_known_id_is_a_conflict_and_the_first_one_stays(fresh):
    assert activities.record(fresh, [event(1), event(1, type="download")]) == ["stored", "conflict"]
    assert activities.record(fresh, [event(1, lead_id="other")]) == ["conflict"]
    with fresh.reading() as connection:
        assert connection.execute(select(ACTIVITIES.c.type, ACTIVITIES.c.lead_id)).all() == [("pricing_view", "lead-1")]


def test_an_activity_without_an_id_is_known_by_its_content():
    rows = [event(activity_id=None), event(activity_id=None), event(activity_id=None, value=1.0)]
    named = activities.with_ids(rows)
    assert len({row["activity_id"] for row in named}) == 3
    assert activities.with_ids(rows) == named
    assert activities.with_ids([event(activity_id=None, received_at=5)])[0]["activity_id"] == named[0]["activity_id"]
    assert rows[0]["activity_id"] is None


def test_threads_that_post_the_same_event_leave_one_row(fresh):
    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(lambda _: activities.record(fresh, [event(7), event(8)]), range(48)))
    assert sorted(status for result in results for status in result) == ["duplicate"] * 94 + ["stored"] * 2
    assert ids(fresh) == ["e7", "e8"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), batches=st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=6), min_size=1, max_size=5))
def test_any_split_order_and_repetition_gives_the_same_rows(shared, data, batches):
    with shared.writing() as connection:
        connection.execute(delete(ACTIVITIES))
    wanted = {number for batch in batches for number in batch}
    stored = 0
    for batch in data.draw(st.permutations(batches + batches)):
        stored += activities.record(shared, [event(number) for number in batch]).count("stored")
    assert ids(shared) == sorted(f"e{number}" for number in wanted)
    assert stored == len(wanted)


def test_unknown_leads_are_named(store):
    with store.reading() as connection:
        assert activities.unknown_leads(connection, ["lead-00001", "nobody", "nobody"]) == {"nobody"}
        assert connection.execute(select(func.count()).select_from(ACTIVITIES)).scalar_one() == 60
