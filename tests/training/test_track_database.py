import sqlite3
import subprocess
import sys

import pytest

from leadlight.errors import TrackingError
from leadlight.workspace import Workspace
from training import track_database
from training.track_store import Store, opened

# Opens a workspace's store, and ends without a word after so many statements of SQL.
BROKEN_OFF = """
import os, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from leadlight.workspace import Workspace
from training.track_store import Store, opened

done = []

@event.listens_for(Engine, "after_cursor_execute")
def count(*_):
    done.append(1)
    if len(done) == int(sys.argv[2]):
        os._exit(9)

with opened(Store.own(Workspace.at(Path(sys.argv[1])))):
    pass
"""


@pytest.fixture
def room(tmp_path):
    return Workspace.at(tmp_path / "ws")


@pytest.fixture
def path(room):
    room.root.mkdir()
    return Store.own(room).database


def write(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_process_killed_while_the_tables_are_made_leaves_no_half_store(room, path):
    words = [sys.executable, "-c", BROKEN_OFF, str(room.root), "300"]
    assert subprocess.run(words, check=False, capture_output=True).returncode == 9
    assert not path.exists() or path.stat().st_size == 0
    with opened(Store.own(room)) as client:
        client.create_experiment("leadlight")
    track_database.check(path)
    with opened(Store.own(room)) as client:
        assert client.get_experiment_by_name("leadlight") is not None


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE alembic_version (version_num TEXT)"],
        ["CREATE TABLE experiments (experiment_id INTEGER)", "CREATE TABLE runs (run_uuid TEXT)"],
    ],
)
def test_a_half_made_store_is_told_with_its_mend(room, path, statements):
    write(path, *statements)
    with pytest.raises(TrackingError) as told, opened(Store.own(room)):
        pass
    assert str(told.value) == (
        f"MLflow's store `{path}` is half-made (a process ended while it made the tables) and holds no run; "
        "move that file away, and a new one is made"
    )


def test_a_store_with_an_experiment_is_whole(path):
    write(path, "CREATE TABLE experiments (experiment_id INTEGER)", "INSERT INTO experiments VALUES (0)")
    track_database.check(path)


def test_an_empty_file_and_none_are_not_half_made(path):
    track_database.check(path)
    path.write_bytes(b"")
    track_database.check(path)


def test_a_file_that_is_no_database_is_told_with_its_mend(path):
    path.write_text("this is no database" * 100, encoding="utf-8")
    with pytest.raises(TrackingError, match=r"is damaged \(file is not a database\); move that file away"):
        track_database.check(path)


def test_a_store_cut_short_is_told_with_its_mend(room, path):
    with opened(Store.own(room)) as client:
        client.create_experiment("leadlight")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    with pytest.raises(TrackingError) as told, opened(Store.own(room)) as client:
        client.get_experiment_by_name("leadlight")
    assert str(told.value) == (
        f"MLflow's store `{path}` is damaged (database disk image is malformed); "
        "move that file away, and a new one is made"
    )


def test_other_problems_are_no_damage(path):
    assert track_database.of_damage(path, sqlite3.OperationalError("database is locked")) is None


def test_a_store_that_cannot_be_made_leaves_nothing(room, path, monkeypatch):
    class Full:
        def __init__(self, address):
            write(address.removeprefix("sqlite:///"), "CREATE TABLE experiments (experiment_id INTEGER)")
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.MlflowClient", Full)
    with pytest.raises(Exception, match="nothing is half-written"), opened(Store.own(room)):
        pass
    assert [found.name for found in room.root.iterdir() if found.stat().st_size > 0] == []
