import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from leadlight.errors import InputError, ServiceError
from serving.store.database import open_store
from serving.store.tables import IMPORTS, LEADS, METADATA

LEAD = {"lead_id": "x", "created_at": 1, "attributes": {"a": 1.5, "b": None}}


@pytest.fixture
def fresh(tmp_path):
    store = open_store(tmp_path / "new" / "serve.db")
    yield store
    store.close()


def test_migrations_create_exactly_the_declared_tables(fresh):
    with fresh.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_commit_is_durable_and_readers_do_not_wait(fresh):
    with fresh.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_write_that_fails_leaves_nothing(fresh):
    def twice():
        with fresh.writing() as connection:
            connection.execute(insert(LEADS), LEAD)
            connection.execute(insert(LEADS), LEAD)

    with pytest.raises(IntegrityError):
        twice()
    with fresh.reading() as connection:
        assert connection.execute(select(LEADS)).all() == []


def test_a_reader_sees_one_state_while_another_writes(fresh):
    with fresh.reading() as reader:
        assert reader.execute(select(LEADS.c.lead_id)).all() == []
        with fresh.writing() as writer:
            writer.execute(insert(LEADS), LEAD)
        assert reader.execute(select(LEADS.c.lead_id)).all() == []
    with fresh.reading() as reader:
        assert reader.execute(select(LEADS.c.attributes)).scalar_one() == LEAD["attributes"]


def test_only_the_owner_can_read_the_file(fresh):
    assert fresh.engine.url.database is not None
    from pathlib import Path

    assert Path(fresh.engine.url.database).stat().st_mode & 0o077 == 0


def test_opening_again_keeps_what_is_there(tmp_path):
    first = open_store(tmp_path / "serve.db")
    with first.writing() as connection:
        connection.execute(insert(IMPORTS), {"generation": "g", "imported_at": 1, "rows": {}})
    first.close()
    again = open_store(f"sqlite:///{tmp_path / 'serve.db'}")
    with again.reading() as connection:
        assert connection.execute(select(IMPORTS.c.generation)).scalar_one() == "g"
    again.close()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "serve.db"
    path.write_text("this is not a database, however long it may be " * 50)
    with pytest.raises(ServiceError, match="cannot be opened"):
        open_store(path)
    assert path.read_text().startswith("this is not")


def test_a_newer_schema_is_refused(tmp_path):
    store = open_store(tmp_path / "serve.db")
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(ServiceError, match="does not know"):
        open_store(tmp_path / "serve.db")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="check the folder"):
        open_store(tmp_path / "file" / "serve.db")


@pytest.mark.parametrize("url", ["no url", "nosuchdialect://x", "postgresql+nosuchdriver://host/name"])
def test_a_url_that_cannot_be_used_is_an_input_error(url):
    with pytest.raises(InputError, match="database URL"):
        open_store(url)


def test_an_error_does_not_show_the_password(tmp_path):
    with pytest.raises(InputError) as caught:
        open_store("nosuchdialect://user:hunter2@host/name")
    assert "hunter2" not in str(caught.value)


def test_two_processes_worth_of_stores_write_in_turn(tmp_path):
    one, two = open_store(tmp_path / "serve.db"), open_store(tmp_path / "serve.db")
    for number, store in enumerate((one, two, one, two)):
        with store.writing() as connection:
            connection.execute(insert(LEADS), LEAD | {"lead_id": str(number)})
    found = sqlite3.connect(tmp_path / "serve.db")
    assert found.execute("SELECT count(*) FROM leads").fetchone() == (4,)
    found.close()
    one.close()
    two.close()
