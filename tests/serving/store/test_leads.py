import math

import numpy as np
from numpy.testing import assert_array_equal

from features import tables
from serving.store import leads


def test_a_timeline_is_the_one_that_training_sees(store, workspace):
    expected = tables.timelines(tables.read(workspace))
    assert len(expected) == 5
    with store.reading() as connection:
        for lead_id, wanted in expected.items():
            found = leads.timeline(connection, lead_id)
            assert found is not None
            assert (found.lead_id, found.created_at) == (wanted.lead_id, wanted.created_at)
            assert (found.stages, found.changes) == (wanted.stages, wanted.changes)
            for name in ("activity_id", "type", "occurred_at", "received_at", "actor", "channel", "content", "detail"):
                assert_array_equal(getattr(found.activities, name), getattr(wanted.activities, name))
            assert_array_equal(found.activities.value, wanted.activities.value)
            nulls = {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in wanted.attributes.items()
            }
            assert found.attributes == nulls


def test_a_lead_without_activities_has_an_empty_timeline(store):
    from sqlalchemy import insert

    from serving.store.tables import LEADS

    with store.writing() as connection:
        connection.execute(insert(LEADS), {"lead_id": "quiet", "created_at": 5, "attributes": {}})
    with store.reading() as connection:
        quiet = leads.timeline(connection, "quiet")
        assert quiet is not None
        assert len(quiet.activities) == 0
        assert quiet.activities.value.dtype == np.float64


def test_an_unknown_lead_has_none(store):
    with store.reading() as connection:
        assert leads.timeline(connection, "nobody") is None


def test_counts_and_an_example(store):
    with store.reading() as connection:
        assert leads.count(connection) == (5, 60)
        assert leads.any_lead(connection) == "lead-00000"


def test_colleagues_are_the_newest_of_the_account(store):
    from sqlalchemy import insert

    from serving.store.tables import CHANGES, LEADS

    rows = [
        {"lead_id": f"p{number:02}", "created_at": number // 30, "account_id": "x", "attributes": {"role": "user"}}
        for number in range(60)
    ]
    rows.append({"lead_id": "other", "created_at": 0, "account_id": "y", "attributes": {}})
    rows.append({"lead_id": "nowhere", "created_at": 0, "account_id": None, "attributes": {}})
    change = {"lead_id": "p31", "field": "role", "changed_at": 1, "old_value": None, "value": "user"}
    with store.writing() as connection:
        connection.execute(insert(LEADS), rows)
        connection.execute(insert(CHANGES), change)
    with store.reading() as connection:

        def ids(lead_id, as_of):
            return sorted(one.lead_id for one in leads.colleagues(connection, lead_id, as_of, None))

        assert ids("p59", 2) == [f"p{number:02}" for number in range(9, 59)]
        assert ids("p00", 2) == [f"p{number:02}" for number in range(10, 60)]
        assert ids("p59", 1) == [f"p{number:02}" for number in range(30)]
        assert ids("p59", 0) == ids("other", 2) == ids("nowhere", 2) == ids("nobody", 2) == []
        by_id = {one.lead_id: one for one in leads.colleagues(connection, "p59", 2, None)}
    assert by_id["p31"].changes[0].value == "user"
    assert by_id["p30"].attributes == {"role": "user"}


def test_an_attribute_that_was_cleared_is_imported_into_a_store_of_an_older_schema(workspace, tmp_path):
    import polars as pl

    from serving import importer
    from serving.store.database import open_store
    from tests.serving import market

    importer.import_tables(store := open_store(tmp_path / "old.db"), workspace, lambda _name, _rows: None)
    _downgrade(store, "0002")
    market.write_tables(workspace, generation="g2")
    path = workspace.table_path("attribute_changes", "g2")
    pl.read_parquet(path).with_columns(value=pl.lit(None, dtype=pl.String)).write_parquet(path)
    new = open_store(tmp_path / "old.db")
    with new.reading() as connection:
        assert leads.timeline(connection, "lead-00000").changes[0].value == "software"
    importer.import_tables(new, workspace, lambda _name, _rows: None)
    with new.reading() as connection:
        found = leads.timeline(connection, "lead-00000")
    changed_at = found.changes[0].changed_at
    assert [found.attribute("industry", at) for at in (changed_at, changed_at + 1)] == ["retail", None]
    _downgrade(new, "0002")  # what the older schema cannot hold is removed
    again = open_store(tmp_path / "old.db")
    with again.reading() as connection:
        assert leads.timeline(connection, "lead-00000").changes == ()
    again.close()


def _downgrade(store, revision):
    from alembic import command
    from alembic.config import Config

    from serving.store.database import MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with store.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    store.close()


def test_a_store_of_the_first_schema_learns_the_accounts(workspace, tmp_path):
    from sqlalchemy import select

    from serving import importer
    from serving.store.database import open_store
    from serving.store.tables import LEADS
    from tests.serving import market

    market.write_tables(workspace, accounts=["x", "x", None, None, None])
    old = open_store(tmp_path / "old.db")
    importer.import_tables(old, workspace, lambda _name, _rows: None)
    _downgrade(old, "0001")
    new = open_store(tmp_path / "old.db")
    assert importer.needed(new, workspace)
    importer.import_tables(new, workspace, lambda _name, _rows: None)
    with new.reading() as connection:
        accounts = connection.execute(select(LEADS.c.account_id).order_by(LEADS.c.lead_id)).scalars().all()
    assert accounts == ["x", "x", None, None, None]
    new.close()
