"""The connection to the store: opened, checked and brought to the newest schema before anything else happens.

SQLite runs in WAL mode with `synchronous=FULL`: a commit is on the disk before it is acknowledged, and readers never
wait for the writer. Writers take the write lock when they begin (`BEGIN IMMEDIATE`), so none fails half-way through.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from leadlight.errors import InputError, ServiceError

BUSY_TIMEOUT_MS: Final = 10_000
CONNECTIONS: Final = 16
MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Execution option that names the statement with which a transaction begins on SQLite.
BEGIN: Final = "leadlight_begin"


@dataclass(frozen=True, slots=True)
class Store:
    """An open database of the newest schema. Safe to share between threads."""

    engine: Engine
    _writer: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection whose queries all see the same state."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that is on the disk when the block has ended without an error."""
        with self._writer, self.engine.connect() as plain:
            connection = plain.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection

    def ping(self) -> None:
        """Ask the database for one row.

        Raises:
            SQLAlchemyError: it does not answer.
        """
        with self.reading() as connection:
            connection.execute(text("SELECT 1")).one()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(database: Path | str) -> Store:
    """Open a database, creating the file and migrating the schema where needed.

    Args:
        database: the path of an SQLite file, or a database URL.

    Raises:
        InputError: the URL cannot be read or needs a driver that is not installed.
        ServiceError: the database cannot be opened, or is not one of ours.
    """
    url = _url(database)
    try:
        engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0, hide_parameters=True)
    except (ArgumentError, ImportError, TypeError) as unusable:
        raise InputError(f"database URL `{url.render_as_string()}` cannot be used: {unusable}") from unusable
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    store = Store(engine)
    try:
        with store.writing() as connection:
            migrate(connection)
    except (SQLAlchemyError, OSError) as unreachable:
        engine.dispose()
        reason = str(getattr(unreachable, "orig", None) or unreachable)
        raise ServiceError(f"database `{url.render_as_string()}` cannot be opened: {reason}") from unreachable
    return store


def migrate(connection: Connection) -> None:
    """Bring the schema to its newest revision inside the connection's transaction.

    Raises:
        ServiceError: the database was written by a newer version of leadlight.
    """
    from alembic import command  # noqa: PLC0415  (only needed for a moment)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as newer:
        raise ServiceError(f"the database has a schema that this version does not know ({newer}); upgrade") from newer


def _url(database: Path | str) -> URL:
    if isinstance(database, str):
        try:
            return make_url(database)
        except ArgumentError as unreadable:
            raise InputError(
                "the database URL cannot be read; write it as `sqlite:////path/serve.db` or `postgresql://host/name`"
            ) from unreadable
    return URL.create("sqlite", database=str(database))


def _prepare_sqlite(engine: Engine) -> None:
    file = engine.url.database
    if file and file != ":memory:":
        _create_private(Path(file))

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says so, not where the driver guesses
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _create_private(file: Path) -> None:
    """Create the file readable by its owner only: it holds what people did."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as denied:
        raise ServiceError(f"database `{file}` cannot be opened: {denied.strerror}; check the folder") from denied
