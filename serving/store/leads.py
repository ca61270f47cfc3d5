"""Reading timelines from the store: four indexed queries for a lead, and three for all of its colleagues."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, collate, func, select

from leadlight.measures import MOST_COLLEAGUES
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
# The activities of several leads, from an instant on; the lead is the last column.
_THEIR_ACTIVITIES = select(
    _a.occurred_at,
    _a.activity_id,
    _a.type,
    _a.received_at,
    _a.actor,
    _a.channel,
    _a.content,
    _a.detail,
    _a.value,
    _a.lead_id,
).where(_a.lead_id.in_(bindparam("lead_ids", expanding=True)), _a.occurred_at < bindparam("until"))
_THEIR_CHANGES = select(
    CHANGES.c.lead_id, CHANGES.c.field, CHANGES.c.changed_at, CHANGES.c.old_value, CHANGES.c.value
).where(CHANGES.c.lead_id.in_(bindparam("lead_ids", expanding=True)))


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


def colleagues(connection: Connection, lead_id: str, as_of: int, since: int | None) -> list[Timeline]:
    """Read the colleagues of a lead at as_of: the newest other leads of its account that were created before it.

    Args:
        connection: to the store.
        lead_id: the lead; unknown or without account it has none.
        as_of: µs UTC.
        since: their activities are read from this instant on (µs UTC); None = all.

    Returns:
        At most `MOST_COLLEAGUES` timelines without stages, which nobody looks at in a colleague.
    """
    account = select(LEADS.c.account_id).where(LEADS.c.lead_id == lead_id).scalar_subquery()
    # At one instant the greater id is the newer one, by code points: what SQLite does unasked.
    by_id = collate(LEADS.c.lead_id, "C") if connection.dialect.name == "postgresql" else LEADS.c.lead_id
    found = connection.execute(
        select(LEADS.c.lead_id, LEADS.c.created_at, LEADS.c.attributes)
        .where(LEADS.c.account_id == account, LEADS.c.created_at < as_of, LEADS.c.lead_id != lead_id)
        .order_by(LEADS.c.created_at.desc(), by_id.desc())
        .limit(MOST_COLLEAGUES)
    ).all()
    ids = [row.lead_id for row in found]
    if not ids:
        return []
    rows: dict[str, list[Sequence[Any]]] = defaultdict(list)
    if since is None or since < as_of:
        wanted = _THEIR_ACTIVITIES if since is None else _THEIR_ACTIVITIES.where(_a.occurred_at >= since)
        for *row, owner in connection.execute(wanted, {"lead_ids": ids, "until": as_of}):
            rows[owner].append(row)
    changes: dict[str, list[AttributeChange]] = defaultdict(list)
    for owner, *change in connection.execute(_THEIR_CHANGES, {"lead_ids": ids}):
        changes[owner].append(AttributeChange(*change))
    return [
        Timeline(
            lead_id=row.lead_id,
            created_at=row.created_at,
            attributes=row.attributes,
            activities=_activities(rows[row.lead_id]),
            changes=tuple(sorted(changes[row.lead_id], key=lambda change: (change.changed_at, change.field))),
        )
        for row in found
    ]


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
