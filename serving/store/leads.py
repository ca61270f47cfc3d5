"""Reading one lead's timeline from the store: four indexed queries, whatever its length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, select

from leadlight.timeline import KNOWN_AT_ONCE, Activities, AttributeChange, StageEntry, Texts, Timeline
from serving.store.tables import ACTIVITIES, CHANGES, LEADS, STAGES

_a = ACTIVITIES.c
_LEAD = select(LEADS.c.created_at, LEADS.c.attributes).where(LEADS.c.lead_id == bindparam("lead_id"))
_ACTIVITIES = select(
    _a.occurred_at, _a.activity_id, _a.type, _a.received_at, _a.actor, _a.channel, _a.content, _a.detail, _a.value
).where(_a.lead_id == bindparam("lead_id"))
_STAGES = select(STAGES.c.stage, STAGES.c.entered_at, STAGES.c.reason).where(STAGES.c.lead_id == bindparam("lead_id"))
_CHANGES = select(CHANGES.c.field, CHANGES.c.changed_at, CHANGES.c.old_value, CHANGES.c.value).where(
    CHANGES.c.lead_id == bindparam("lead_id")
)


def timeline(connection: Connection, lead_id: str) -> Timeline | None:
    """Read what is recorded of a lead; None for an unknown one."""
    lead = connection.execute(_LEAD, {"lead_id": lead_id}).one_or_none()
    if lead is None:
        return None
    rows = connection.execute(_ACTIVITIES, {"lead_id": lead_id}).all()
    stages = connection.execute(_STAGES, {"lead_id": lead_id}).all()
    changes = connection.execute(_CHANGES, {"lead_id": lead_id}).all()
    return Timeline(
        lead_id=lead_id,
        created_at=lead.created_at,
        attributes=lead.attributes,
        activities=_activities(rows),
        stages=tuple(StageEntry(*row) for row in sorted(stages, key=lambda row: (row.entered_at, row.stage))),
        changes=tuple(AttributeChange(*row) for row in sorted(changes, key=lambda row: (row.changed_at, row.field))),
    )


def count(connection: Connection) -> tuple[int, int]:
    """Give the number of leads and of activities."""
    leads = connection.execute(select(func.count()).select_from(LEADS)).scalar_one()
    activities = connection.execute(select(func.count()).select_from(ACTIVITIES)).scalar_one()
    return leads, activities


def any_lead(connection: Connection) -> str | None:
    """Give the id of some lead that is known, None where none is."""
    return connection.execute(select(LEADS.c.lead_id).order_by(LEADS.c.lead_id).limit(1)).scalar()


def _activities(rows: Sequence[Sequence[Any]]) -> Activities:
    """Turn rows in the order of `_ACTIVITIES` into arrays sorted by (occurred_at, activity_id)."""
    if not rows:
        return Activities.from_rows([])
    ordered = sorted((*row[:2], index) for index, row in enumerate(rows))
    columns = list(zip(*(rows[index] for _, _, index in ordered), strict=True))

    def texts(values: tuple[Any, ...]) -> Texts:
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out

    occurred, ids, types, received, actors, channels, contents, details, values = columns
    return Activities(
        activity_id=texts(ids),
        type=texts(types),
        occurred_at=np.array(occurred, dtype=np.int64),
        received_at=np.array([KNOWN_AT_ONCE if at is None else at for at in received], dtype=np.int64),
        actor=texts(actors),
        channel=texts(channels),
        content=texts(contents),
        detail=texts(details),
        value=np.array([np.nan if value is None else value for value in values], dtype=np.float64),
    )
