"""Recording posted activities: each exactly once, durable when the call returns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import dumps
from typing import Any, Final, Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.database import Store
from serving.store.tables import ACTIVITIES, LEADS

Status = Literal["stored", "duplicate", "conflict"]
# What tells two activities apart; `received_at` is not among it: a retry arrives later and is the same activity.
CONTENT: Final = ("lead_id", "type", "occurred_at", "actor", "channel", "campaign", "content", "detail", "value")


def with_ids(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give every row without an `activity_id` one: a hash of its content and its ordinal among equal rows.

    The same request sent again has the same ids; two equal rows in one request are two activities.
    """
    seen: Counter[str] = Counter()
    named = []
    for row in rows:
        identified = dict(row)
        if identified.get("activity_id") is None:
            content = dumps([row.get(column) for column in CONTENT], ensure_ascii=True, allow_nan=False)
            digest = sha256(content.encode()).hexdigest()[:32]
            identified["activity_id"] = f"sha-{digest}-{seen[content]}"
            seen[content] += 1
        named.append(identified)
    return named


def record(store: Store, rows: Sequence[Mapping[str, Any]]) -> list[Status]:
    """Store activities in one transaction and tell what became of each, in order.

    Args:
        store: where to.
        rows: columns of the `activities` table, instants in µs, with `activity_id`.

    Returns:
        `stored`; `duplicate` where the same activity was there already; `conflict` where another activity has the
        same id (the first one stays, this one is not stored).
    """
    first: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(row["activity_id"], row)
    with store.writing() as connection:
        known = _known(connection, list(first))
        new = [{**row, "origin": "api"} for key, row in first.items() if key not in known]
        inserted = _insert(connection, new)
        known |= _known(connection, [row["activity_id"] for row in new if row["activity_id"] not in inserted])
        _keep(connection, list(known))
    statuses: list[Status] = []
    for row in rows:
        key = row["activity_id"]
        if key in inserted and first[key] is row:
            statuses.append("stored")
        else:
            there = known.get(key, first[key])
            statuses.append("duplicate" if _content(there) == _content(row) else "conflict")
    return statuses


def unknown_leads(connection: Connection, lead_ids: Sequence[str]) -> set[str]:
    """Give those of the ids that no lead has."""
    wanted = set(lead_ids)
    found = connection.execute(select(LEADS.c.lead_id).where(LEADS.c.lead_id.in_(wanted))).scalars()
    return wanted.difference(found)


def _known(connection: Connection, ids: list[str]) -> dict[str, Mapping[str, Any]]:
    if not ids:
        return {}
    columns = [ACTIVITIES.c[name] for name in ("activity_id", *CONTENT)]
    rows = connection.execute(select(*columns).where(ACTIVITIES.c.activity_id.in_(ids))).mappings()
    return {row["activity_id"]: dict(row) for row in rows}


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> set[str]:
    """Insert rows; one whose id another writer took in the meantime is left out. Gives the ids inserted."""
    if not rows:
        return set()
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ACTIVITIES).on_conflict_do_nothing().returning(ACTIVITIES.c.activity_id)
    return set(connection.execute(statement, rows).scalars())


def _keep(connection: Connection, ids: list[str]) -> None:
    """Let activities of the tables outlive the next import: whoever posted them too was told that they are here."""
    theirs = ACTIVITIES.c.activity_id.in_(ids) & (ACTIVITIES.c.origin == "tables")
    connection.execute(update(ACTIVITIES).where(theirs).values(origin="api"))


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(column) for column in CONTENT)
