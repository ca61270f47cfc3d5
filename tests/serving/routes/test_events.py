import pytest
from sqlalchemy import select

from serving.store.tables import ACTIVITIES

AT = "2026-01-20T00:00:00Z"


def event(number=1, **changes):
    return {
        "activity_id": f"posted-{number}",
        "lead_id": "lead-00001",
        "type": "pricing_view",
        "occurred_at": "2026-01-19T00:00:00Z",
    } | changes


def points(client, lead_id="lead-00001"):
    return client.get(f"/v1/leads/{lead_id}/score").json()["rule_points"]


def test_an_event_changes_the_next_score_at_once(client):
    before = points(client)
    answer = client.post("/v1/events", json=event(type="contact_form"))
    assert answer.status_code == 200
    assert answer.json() == {
        "stored": 1,
        "duplicates": 0,
        "conflicts": 0,
        "results": [{"activity_id": "posted-1", "status": "stored", "lead_known": True}],
    }
    assert points(client) == before + 30


def test_sending_again_changes_nothing(client):
    events = [event(1), event(2), event(1)]
    assert client.post("/v1/events", json=events).json()["stored"] == 2
    once = points(client)
    again = client.post("/v1/events", json=events).json()
    assert (again["stored"], again["duplicates"]) == (0, 3)
    assert points(client) == once


def test_an_event_without_an_id_gets_one_that_a_retry_has_too(client):
    nameless = {key: value for key, value in event().items() if key != "activity_id"}
    first, second = (client.post("/v1/events", json=[nameless, nameless]).json() for _ in range(2))
    assert (first["stored"], second["duplicates"]) == (2, 2)
    assert [item["activity_id"] for item in first["results"]] == [item["activity_id"] for item in second["results"]]


def test_another_event_under_a_known_id_is_not_acknowledged(client):
    answer = client.post("/v1/events", json=[event(1), event(1, type="download"), event(2)])
    assert answer.json()["conflicts"] == 1
    assert [item["status"] for item in answer.json()["results"]] == ["stored", "conflict", "stored"]


def test_an_event_of_an_unknown_lead_is_kept_and_counts_once_the_lead_is_known(client, store):
    from sqlalchemy import insert

    from serving.store.tables import LEADS

    answer = client.post("/v1/events", json=event(lead_id="early", type="contact_form"))
    assert answer.status_code == 200
    assert answer.json()["results"][0]["lead_known"] is False
    assert client.get("/v1/leads/early/score").status_code == 404
    with store.writing() as connection:
        connection.execute(insert(LEADS), {"lead_id": "early", "created_at": 0, "attributes": {}})
    assert points(client, "early") == 30


def test_when_it_became_known_is_kept_and_respected(client, store, runtime):
    before = runtime.clock()
    client.post("/v1/events", json=[event(1), event(2, received_at="2026-01-19T12:00:00Z")])
    with store.reading() as connection:
        columns = select(ACTIVITIES.c.activity_id, ACTIVITIES.c.received_at)
        received = dict(connection.execute(columns.where(ACTIVITIES.c.activity_id.like("posted-%"))).all())
    assert before <= received["posted-1"] <= runtime.clock()
    assert received["posted-2"] == 1_768_824_000_000_000
    scored = client.get("/v1/leads/lead-00001/score", params={"as_of": AT, "explain": True}).json()
    counts = {part["name"]: part["value"] for part in scored["explanation"]["contributions"]}
    assert counts["pricing_30d"] == 3 + 1


def test_every_column_is_stored(client, store):
    full = event(
        9,
        actor="sales",
        channel="phone",
        campaign="spring",
        content="call",
        detail="left a message\n2nd line",
        value=-2.5,
    )
    assert client.post("/v1/events", json=full).status_code == 200
    with store.reading() as connection:
        row = connection.execute(select(ACTIVITIES).where(ACTIVITIES.c.activity_id == "posted-9")).mappings().one()
    assert {key: row[key] for key in full if key != "occurred_at"} == {
        key: value for key, value in full.items() if key != "occurred_at"
    }
    assert row["origin"] == "api"


@pytest.mark.parametrize(
    "body",
    [
        [],
        [event(n) for n in range(501)],
        [event(1), event(2, surprise=1)],
        event(lead_id=""),
        event(occurred_at=None),
        event(value=float("1e16")),
        event(activity_id="a\u0000"),
        event(detail="\u0000"),
        [[event()]],
        "event",
        {},
    ],
)
def test_one_wrong_event_refuses_them_all(client, store, body):
    answer = client.post("/v1/events", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    with store.reading() as connection:
        assert connection.execute(select(ACTIVITIES).where(ACTIVITIES.c.origin == "api")).all() == []


def test_500_at_once_are_taken(client):
    assert client.post("/v1/events", json=[event(n) for n in range(500)]).json()["stored"] == 500
