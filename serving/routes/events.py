"""Events: activities as they happen, each stored once and before it is acknowledged."""

from collections import Counter

from fastapi import APIRouter

from serving import inline
from serving.body import JsonRoute
from serving.deps import Serving
from serving.store import activities
from serving.wire import EventResult, EventsAnswer, EventsRequest

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["events"])


@router.post("/events", operation_id="recordEvents", summary="Record one activity, or a list of up to 500.")
def record_events(body: EventsRequest, runtime: Serving) -> EventsAnswer:
    """Record activities; sending the same ones again changes nothing."""
    events = body if isinstance(body, list) else [body]
    rows = inline.event_rows(events, runtime.clock())
    statuses = activities.record(runtime.store, rows)
    with runtime.store.reading() as connection:
        unknown = activities.unknown_leads(connection, [event.lead_id for event in events])
    counts = Counter(statuses)
    for status, number in counts.items():
        runtime.metrics.count_events(status, number)
    return EventsAnswer(
        stored=counts["stored"],
        duplicates=counts["duplicate"],
        conflicts=counts["conflict"],
        results=[
            EventResult(activity_id=row["activity_id"], status=status, lead_known=row["lead_id"] not in unknown)
            for row, status in zip(rows, statuses, strict=True)
        ],
    )
