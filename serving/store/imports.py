"""Taking over the workspace's tables: all of a generation in one transaction, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.database import Store
from serving.store.tables import ACTIVITIES, CHANGES, IMPORTS, LEADS, STAGES


def newest(store: Store) -> str | None:
    """Give the generation of tables that the store holds, None where nothing was imported."""
    with store.reading() as connection:
        return connection.execute(select(IMPORTS.c.generation).order_by(IMPORTS.c.imported_at.desc()).limit(1)).scalar()


def clear(connection: Connection) -> None:
    """Remove what earlier imports brought; activities that were posted stay."""
    for table in (LEADS, STAGES, CHANGES):
        connection.execute(delete(table))
    connection.execute(delete(ACTIVITIES).where(ACTIVITIES.c.origin == "tables"))


def add(connection: Connection, table: Table, chunks: Iterable[Sequence[Mapping[str, Any]]]) -> int:
    """Insert rows chunk by chunk; one whose key is there already (a posted activity) is left out.

    Returns:
        Number of rows given.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing()
    total = 0
    for chunk in chunks:
        if chunk:
            connection.execute(statement, list(chunk))
            total += len(chunk)
    return total


def finish(connection: Connection, generation: str, imported_at: int, rows: Mapping[str, int]) -> None:
    """Note that the store now holds a generation."""
    connection.execute(delete(IMPORTS))
    connection.execute(insert(IMPORTS), {"generation": generation, "imported_at": imported_at, "rows": dict(rows)})
