"""The file of the workspace's own MLflow store: whether it is free and whole, and how it comes into being.

MLflow makes its tables in hundreds of statements, over seconds. A process that ends meanwhile would leave a file on
which every later command of MLflow fails, so the tables are made under a temporary name, and the file gets its own name
when it is whole. MLflow makes its default experiment last: a file with tables and without any experiment is half-made,
and never held a run.
"""

import sqlite3
from pathlib import Path
from typing import Final

from leadlight.errors import TrackingError
from leadlight.workspace import file_atomically

# MLflow itself would wait for minutes on a store that another process holds.
LOCK_SECONDS: Final = 5.0
# What SQLite says of a file that is damaged, as far as it says it when the file is opened or read.
DAMAGED: Final = ("file is not a database", "database disk image is malformed")
MEND: Final = "move that file away, and a new one is made"


def check(path: Path) -> None:
    """Take and give back the write lock of the store, and look whether it was made to its end.

    Raises:
        TrackingError: it is half-made, or no database.
        sqlite3.Error: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        half_made = _has_tables(connection) and not _has_experiments(connection)
        connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as problem:
        if (told := of_damage(path, problem)) is not None:
            raise TrackingError(told) from problem
        raise
    finally:
        connection.close()
    if half_made:
        told = f"MLflow's store `{path}` is half-made (a process ended while it made the tables) and holds no run"
        raise TrackingError(f"{told}; {MEND}")


def of_damage(path: Path, problem: Exception) -> str | None:
    """Say that the file is damaged, and the mend, where a problem with it says so; else None."""
    words = next((words for words in DAMAGED if words in str(problem)), None)
    return None if words is None else f"MLflow's store `{path}` is damaged ({words}); {MEND}"


def make(path: Path) -> None:
    """Make the store where the file is missing or empty.

    Raises:
        WorkspaceError: there is no room for it.
    """
    if path.exists() and path.stat().st_size > 0:
        return
    from mlflow import MlflowClient  # noqa: PLC0415

    with file_atomically(path) as temporary:
        MlflowClient(f"sqlite:///{temporary}")


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _has_experiments(connection: sqlite3.Connection) -> bool:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'experiments'").fetchone()
    return there is not None and connection.execute("SELECT 1 FROM experiments LIMIT 1").fetchone() is not None
