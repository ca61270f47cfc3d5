"""The database of studies: how it is opened, and what its troubles mean in words that say the mend."""

import contextlib
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import optuna
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from leadlight.errors import InputError, WorkspaceError

# Seconds that a process waits for another one that is writing.
PATIENCE: Final = 60
# Seconds between attempts to connect.
PAUSE: Final = 0.2
ATTEMPTS: Final = 5
ELSEWHERE: Final = "choose another place for them (--studies) or make it writable"
# The table by which a database of studies is known.
VERSION_TABLE: Final = "version_info"
OUR_TABLES: Final = ("studies", "study_", "trial", "alembic_", "sqlite_")
# What SQLite says, and what it means.
FULL: Final = ("disk is full", "disk i/o error", "file too large")
REFUSED: Final = ("readonly", "unable to open", "permission denied")
BROKEN: Final = ("not a database", "malformed", "no such column", "no such table", "unsupported file format")
# What a database raises, and what a damaged row makes of reading it: broken JSON, an unknown state, a missing entry.
RAISED: Final = (optuna.exceptions.StorageInternalError, SQLAlchemyError, sqlite3.Error)
UNREADABLE: Final = (ValueError, LookupError, TypeError)


def without_password(url: str) -> str:
    """Give a URL as it may be told.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError as unreadable:
        raise InputError(
            "the URL of the studies cannot be read; write it as `sqlite:////path/studies.db` or `postgresql://host/name`"
        ) from unreadable


def connect(url: str, where: str) -> Any:
    """Connect to the database at a URL; where it has no tables of studies yet they are made.

    A second process may be making the same tables at the same time, so that is tried more than once.

    Args:
        url: of the database.
        where: the same as it may be told.

    Returns:
        An `optuna.storages.RDBStorage`.

    Raises:
        InputError: its driver is not installed.
        WorkspaceError: it is damaged, cannot be reached or written.
    """
    sqlite = make_url(url).get_backend_name() == "sqlite"
    options: dict[str, Any] = {"connect_args": {"timeout": PATIENCE}} if sqlite else {"pool_pre_ping": True}
    if sqlite:
        _prepare_file(make_url(url).database or "")
    for _ in range(ATTEMPTS - 1):
        try:
            return _connected(url, options)
        except SQLAlchemyError:
            time.sleep(PAUSE)
    with told_clearly(where):
        return _connected(url, options)


def check(url: str) -> None:
    """Say before a long run what would end it: studies that are damaged, or a server that cannot be reached.

    A file that is not there yet is not made.

    Raises:
        InputError: the URL cannot be read, or its driver is not installed.
        WorkspaceError: the database is damaged, cannot be reached or written.
    """
    where = without_password(url)
    if make_url(url).get_backend_name() != "sqlite":
        connect(url, where).engine.dispose()
        return
    name = make_url(url).database or ""
    if Path(name).is_file():
        _prepare_file(name)


def _connected(url: str, options: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Optuna's use of Alembic
        try:
            storage = optuna.storages.RDBStorage(url, engine_kwargs=options)
        except (ImportError, NoSuchModuleError) as missing:
            cause = missing.__cause__ or missing
            raise InputError(
                f"the database of the studies needs a driver that is not installed ({cause}); for PostgreSQL run "
                "`pip install 'leadlight[postgres]'`, or leave the URL out to keep studies in the workspace"
            ) from missing
    if storage.engine.dialect.name == "sqlite":
        storage.engine.dispose()
        event.listen(storage.engine, "connect", _without_waiting_for_the_disk)
    return storage


def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """Commit into the log of the file: what is committed outlives the process, and the file outlives a power cut."""
    connection.execute("PRAGMA synchronous = NORMAL")


def _prepare_file(name: str) -> None:
    """Refuse a SQLite file that is damaged, before anything is read from it; let it keep a log of what is written."""
    if name in {"", ":memory:"} or name.startswith("file:"):
        return
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if _ours(tables):
                connection.execute("PRAGMA journal_mode = WAL")
    except OSError as refused:
        raise WorkspaceError(f"the studies `{path}` cannot be written ({refused.strerror}); {ELSEWHERE}") from refused
    except sqlite3.DatabaseError as damaged:
        raise _problem(str(path), damaged) from damaged
    if problem != "ok":
        raise _damaged(str(path), problem)
    if not _ours(tables):
        raise WorkspaceError(
            f"the studies `{path}` are the database of another program, which stays as it is; "
            "choose another place for them (--studies)"
        )


def _ours(tables: set[str]) -> bool:
    """Tell whether a database holds studies, is about to (another process makes their tables), or is empty."""
    return VERSION_TABLE in tables or all(name.startswith(OUR_TABLES) for name in tables)


def _damaged(where: str, why: object) -> WorkspaceError:
    return WorkspaceError(
        f"the studies `{where}` are damaged ({why}); move the file away (with its `-wal` and `-shm`) and run the "
        "command again: tuning then begins anew, and nothing else depends on it"
    )


def _problem(where: str, problem: BaseException) -> WorkspaceError:
    """Say what is wrong with the database, and the mend."""
    text = _deepest(problem)
    said = text.lower()
    if any(word in said for word in BROKEN):
        return _damaged(where, text)
    if any(word in said for word in FULL):
        mend = "free space or raise the limit of file sizes, then run the command again: every finished trial is kept"
    elif any(word in said for word in REFUSED):
        mend = ELSEWHERE
    elif "locked" in said:
        mend = "another process holds it; wait for that, then run the command again"
    else:
        mend = "check that it can be reached, then run the command again: every finished trial is kept"
    return WorkspaceError(f"the studies `{where}` cannot be used ({text}); {mend}")


def _deepest(problem: BaseException) -> str:
    """Give the first line of what an error began with."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]


@contextmanager
def told_clearly(where: str) -> Iterator[None]:
    """Turn what a database raises into an error that names it; any other error is a defect and stays what it is."""
    try:
        yield
    except RAISED as bad:
        raise _problem(where, bad) from bad


@contextmanager
def read_clearly(where: str) -> Iterator[None]:
    """Do the same where nothing but rows is read: what reading makes of a damaged row is told as damage too."""
    try:
        with told_clearly(where):
            yield
    except UNREADABLE as bad:
        raise _damaged(where, _deepest(bad)) from bad
