"""From the bodies of requests to timelines and rows: what a client sent, in the kernel's words."""

from typing import Any

from leadlight.timeline import Activities, StageEntry, Timeline
from serving.clock import to_us
from serving.store.activities import with_ids
from serving.wire import Activity, Event, Lead


def timeline(lead: Lead) -> Timeline:
    """Give the timeline of a lead that was sent whole; an activity that is repeated under one id counts once."""
    rows = with_ids([row(activity) for activity in lead.activities])
    once = {found["activity_id"]: found for found in reversed(rows)}
    stages = sorted((to_us(entry.entered_at), entry.stage, entry.reason) for entry in lead.stages)
    return Timeline(
        lead_id=lead.lead_id,
        created_at=to_us(lead.created_at),
        attributes=dict(lead.attributes),
        activities=Activities.from_rows(list(once.values())),
        stages=tuple(StageEntry(stage, at, reason) for at, stage, reason in stages),
    )


def row(activity: Activity) -> dict[str, Any]:
    """Give an activity as a row of the `activities` table, instants in µs."""
    return {
        "activity_id": activity.activity_id,
        "type": activity.type,
        "occurred_at": to_us(activity.occurred_at),
        "received_at": None if activity.received_at is None else to_us(activity.received_at),
        "actor": activity.actor,
        "channel": activity.channel,
        "campaign": activity.campaign,
        "content": activity.content,
        "detail": activity.detail,
        "value": activity.value,
    }


def event_rows(events: list[Event], received_at: int) -> list[dict[str, Any]]:
    """Give posted events as rows with ids; what says nothing of when it became known did so at `received_at`."""
    rows = [{**row(event), "lead_id": event.lead_id} for event in events]
    return [{**found, "received_at": found["received_at"] or received_at} for found in with_ids(rows)]
