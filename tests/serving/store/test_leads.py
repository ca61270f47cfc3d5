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
