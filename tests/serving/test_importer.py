import pytest
from sqlalchemy import func, select

from leadlight.errors import ServiceError, WorkspaceError
from serving import importer
from serving.store import activities, imports, leads
from serving.store.database import open_store
from serving.store.tables import ACTIVITIES
from tests.serving import market
from tests.serving.store.test_activities import event


def quiet(_name, _rows):
    """Take progress and say nothing."""


def counts(store):
    with store.reading() as connection:
        return leads.count(connection)


def test_another_process_imports_a_generation_once(workspace):
    store = open_store(workspace.serve_db)
    assert importer.needed(store, workspace)
    assert importer.bring_up_to_date(store, workspace, None)
    assert counts(store) == (5, 60)
    assert not importer.needed(store, workspace)
    assert not importer.bring_up_to_date(store, workspace, None)
    store.close()


def test_the_other_process_does_not_take_modules_from_the_folder_it_stands_in(workspace, tmp_path, monkeypatch):
    (tmp_path / "polars.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    store = open_store(workspace.serve_db)
    assert importer.bring_up_to_date(store, workspace, None)
    store.close()


def test_progress_counts_every_row(workspace):
    store = open_store(workspace.serve_db)
    told = []
    rows = importer.import_tables(store, workspace, lambda name, number: told.append((name, number)))
    assert rows == {"leads": 5, "stages": 2, "attribute_changes": 1, "activities": 60}
    assert dict(told) == rows
    store.close()


def test_a_new_generation_replaces_the_old_one_and_keeps_what_was_posted(store, workspace):
    activities.record(store, [event(1), event(2, activity_id="a-00000-000")])
    market.write_tables(workspace, generation="g2", leads=3, per_lead=4)
    assert importer.needed(store, workspace)
    importer.import_tables(store, workspace, quiet)
    assert counts(store) == (3, 12 + 1)
    assert imports.newest(store) == "g2"


def test_a_posted_activity_is_not_doubled_by_the_tables_that_come_to_hold_it(workspace):
    store = open_store(workspace.serve_db)
    activities.record(store, [event(1, activity_id="a-00001-002", type="posted")])
    importer.import_tables(store, workspace, quiet)
    with store.reading() as connection:
        found = connection.execute(select(ACTIVITIES.c.type).where(ACTIVITIES.c.activity_id == "a-00001-002")).all()
        assert found == [("posted",)]
        assert connection.execute(select(func.count()).select_from(ACTIVITIES)).scalar_one() == 60
    store.close()


def test_an_activity_that_was_acknowledged_as_a_duplicate_outlives_the_tables_that_held_it(store, workspace):
    with store.reading() as connection:
        columns = [ACTIVITIES.c[name] for name in event() if name != "received_at"]
        held = connection.execute(select(*columns).where(ACTIVITIES.c.activity_id == "a-00004-000")).mappings().one()
    assert activities.record(store, [dict(held)]) == ["duplicate"]
    market.write_tables(workspace, generation="g2", leads=3)
    importer.import_tables(store, workspace, quiet)
    with store.reading() as connection:
        assert activities._known(connection, ["a-00004-000", "a-00004-001"]).keys() == {"a-00004-000"}


def test_a_damaged_table_changes_nothing(store, workspace):
    market.write_tables(workspace, generation="g2", leads=3)
    workspace.table_path("activities", "g2").write_bytes(b"PAR1 broken")
    with pytest.raises(WorkspaceError, match="activities"):
        importer.import_tables(store, workspace, quiet)
    assert counts(store) == (5, 60)
    assert imports.newest(store) == "g1"


def test_a_failed_import_in_the_other_process_is_an_error_here(store, workspace, capfd):
    market.write_tables(workspace, generation="g2", leads=3)
    workspace.table_path("leads", "g2").unlink()
    with pytest.raises(ServiceError, match="could not be imported"):
        importer.bring_up_to_date(store, workspace, None)
    assert counts(store) == (5, 60)
    assert "leads.parquet` is gone; put it back from a copy" in capfd.readouterr().err


def test_without_tables_there_is_nothing_to_import(tmp_path):
    from leadlight.workspace import Workspace

    store = open_store(tmp_path / "serve.db")
    assert not importer.bring_up_to_date(store, Workspace.at(tmp_path / "empty"), None)
    store.close()


def test_the_module_runs_as_a_program(workspace, monkeypatch, capsys):
    monkeypatch.setenv(importer.URL_VARIABLE, f"sqlite:///{workspace.root / 'other.db'}")
    assert importer.main([str(workspace.root)]) == 0
    other = open_store(workspace.root / "other.db")
    assert counts(other) == (5, 60)
    other.close()
    assert importer.main([str(workspace.root / "nowhere")]) == 2
    assert "error: " in capsys.readouterr().err
