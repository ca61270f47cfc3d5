from serving import inline
from serving.clock import to_us
from serving.wire import Event, Lead

AT = "2026-01-02T00:00:00Z"


def test_a_lead_becomes_a_timeline_in_order():
    lead = Lead.model_validate(
        {
            "lead_id": "x",
            "created_at": "2026-01-01T09:00:00+09:00",
            "attributes": {"employees": 3, "industry": None},
            "activities": [
                {"type": "b", "occurred_at": "2026-01-03T00:00:00Z", "received_at": "2026-01-04T00:00:00Z"},
                {"type": "a", "occurred_at": AT, "activity_id": "1"},
                {"type": "changed", "occurred_at": AT, "activity_id": "1"},
            ],
            "stages": [{"stage": "mql", "entered_at": AT}, {"stage": "lead", "entered_at": "2026-01-01T00:00:00Z"}],
        }
    )
    found = inline.timeline(lead)
    assert found.created_at == 1_767_225_600_000_000
    assert list(found.activities.type) == ["a", "b"]
    assert found.activities.received_at[1] == to_us(lead.activities[0].received_at)
    assert [entry.stage for entry in found.stages] == ["lead", "mql"]
    assert found.attributes == {"employees": 3.0, "industry": None}


def test_equal_activities_without_ids_are_two():
    body = {"lead_id": "x", "created_at": AT, "activities": [{"type": "a", "occurred_at": AT}] * 2}
    assert len(inline.timeline(Lead.model_validate(body)).activities) == 2


def test_events_say_when_they_became_known():
    bare = {"lead_id": "x", "type": "a", "occurred_at": AT}
    events = [Event.model_validate(bare), Event.model_validate(bare | {"received_at": AT})]
    rows = inline.event_rows(events, 77)
    assert [row["received_at"] for row in rows] == [77, to_us(events[0].occurred_at)]
