"""The same random logs through every engine and through the slow reference: equal tables, relative 1e-9."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engines import base, registry
from leadlight.schema import DAY
from tests.features import market
from tests.parity import engines

LOCAL = ("polars", "duckdb", "pandas")
pairs = st.lists(st.tuples(st.sampled_from(market.LEADS), market.instants), min_size=4, max_size=12, unique=True)
drawn = st.lists(st.tuples(market.records(), pairs), min_size=12, max_size=12)
many = st.lists(st.tuples(market.records(), pairs), min_size=40, max_size=40)  # a job costs the same whatever its size


def test_there_is_a_suite_for_every_engine():
    assert set(base.ENGINES) == {*LOCAL, "pyspark"}


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=6, deadline=None)
@given(parts=drawn)
def test_random_logs_give_the_table_of_the_reference(name, parts):
    record, asked = engines.merged(parts)
    wanted = engines.expected(record, asked)
    found = engines.computed(registry.get(name), record, asked)
    assert engines.differences(found, wanted, asked) == []


@settings(max_examples=1, deadline=None)
@given(parts=many)
def test_random_logs_give_the_table_of_the_reference_on_a_cluster(spark, parts):
    record, asked = engines.merged(parts)
    wanted = engines.expected(record, asked)
    found = engines.computed(registry.get("pyspark", session=spark), record, asked)
    assert engines.differences(found, wanted, asked) == []


@pytest.mark.parametrize("name", LOCAL)
def test_the_newest_fifty_of_a_crowd_count_as_colleagues(name):
    record = market.crowd()
    asked = [(row["lead_id"], row["created_at"] + days * DAY + 1) for row in record[0][::9] for days in (0, 1, 2)]
    found = engines.computed(registry.get(name), record, asked)
    assert engines.differences(found, engines.expected(record, asked), asked) == []


def test_a_difference_is_found():
    record, asked = market.crowd(), [("p001", market.BASE + 4 * DAY)]
    wanted = engines.expected(record, asked)
    wrong = wanted.copy()
    wrong[0, 0] += 1e-6
    assert len(engines.differences(wrong, wanted, asked)) == 1
