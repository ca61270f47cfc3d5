"""Taking over the workspace's tables: all of a generation in one transaction, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from serving.store.database import Store
from serving.store.tables import ACTIVITIES, CHANGES, IMPORTS, LEADS, STAGES

Row = tuple[Any, ...]


def newest(store: Store) -> str | None:
    """Give the generation of tables that the store holds, None where nothing was imported."""
    with store.reading() as connection:
        return connection.execute(select(IMPORTS.c.generation).order_by(IMPORTS.c.imported_at.desc()).limit(1)).scalar()


def clear(connection: Connection) -> None:
    """Remove what earlier imports brought; activities that were posted stay."""
    for table in (LEADS, STAGES, CHANGES):
        connection.execute(delete(table))
    connection.execute(delete(ACTIVITIES).where(ACTIVITIES.c.origin == "tables"))


def add(connection: Connection, table: Table, columns: Sequence[str], chunks: Iterable[Sequence[Row]]) -> int:
    """Insert rows chunk by chunk; one whose key is there already (a posted activity) is left out.

    The driver takes the rows as they are: a million of them pass through in half the time that checked ones need.

    Args:
        connection: in a transaction.
        table: where to.
        columns: names of the columns, in the order of the values of a row.
        chunks: rows; a value of a JSON column is text.

    Returns:
        Number of rows given.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(dict.fromkeys(columns)).on_conflict_do_nothing()
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(columns))
    total = 0
    for chunk in chunks:
        if chunk:
            rows: Any = chunk if compiled.positional else [dict(zip(columns, row, strict=True)) for row in chunk]
            connection.exec_driver_sql(str(compiled), rows)
            total += len(chunk)
    return total


def finish(connection: Connection, generation: str, imported_at: int, rows: Mapping[str, int]) -> None:
    """Note that the store now holds a generation."""
    connection.execute(delete(IMPORTS))
    connection.execute(insert(IMPORTS), {"generation": generation, "imported_at": imported_at, "rows": dict(rows)})
