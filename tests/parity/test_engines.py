"""The same random logs through every engine and through the slow reference: equal tables, relative 1e-9."""

import numpy as np
import pytest
from hypothesis import given, settings

from features.engines import base, registry
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.parity import engines

LOCAL = ("polars", "duckdb", "pandas")


def test_there_is_a_suite_for_every_engine():
    assert set(base.ENGINES) == {*LOCAL, "pyspark"}


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=2, deadline=None)  # the first is always the same
@given(parts=market.many(36))
def test_random_logs_give_the_table_of_the_reference(name, parts):
    record, asked = market.merged(parts)
    wanted = engines.expected(record, asked)
    found = engines.computed(registry.get(name), record, asked)
    assert engines.differences(found, wanted, asked) == []


@settings(max_examples=1, deadline=None)
@given(parts=market.many())
def test_random_logs_give_the_table_of_the_reference_on_a_cluster(spark, parts):
    record, asked = market.merged(parts)
    wanted = engines.expected(record, asked)
    found = engines.computed(registry.get("pyspark", session=spark), record, asked)
    assert engines.differences(found, wanted, asked) == []


@pytest.mark.parametrize("name", LOCAL)
def test_the_newest_fifty_of_a_crowd_count_as_colleagues(name):
    record = market.crowd()
    asked = [(row["lead_id"], row["created_at"] + days * DAY + 1) for row in record[0][::9] for days in (0, 1, 2)]
    found = engines.computed(registry.get(name), record, asked)
    assert engines.differences(found, engines.expected(record, asked), asked) == []


@pytest.fixture(scope="module")
def one_instant():
    """Give the record of a large company, all its leads at the same few instants, and what every tenth of them has."""
    record = market.crowd(110)
    leads = [row["lead_id"] for row in record[0]]
    asked = [(lead, market.BASE + quarters * DAY // 4) for quarters in (8, 12, 13) for lead in leads]
    specs = tuple({spec.measure: spec for spec in reversed(market.COMPANY)}.values())
    return record, asked, specs, engines.expected(record, asked[::10], specs)


@pytest.mark.parametrize("name", LOCAL)
def test_all_leads_of_a_large_company_at_one_instant(name, one_instant):
    compare_at_one_instant(registry.get(name), *one_instant)


def test_all_leads_of_a_large_company_at_one_instant_on_a_cluster(spark, one_instant):
    compare_at_one_instant(registry.get("pyspark", session=spark), *one_instant)


def compare_at_one_instant(engine, record, asked, specs, wanted):
    found = engines.computed(engine, record, [*asked, *asked[:20]], specs)  # a snapshot may be asked for twice
    assert engines.differences(found[: len(asked) : 10], wanted, asked[::10], specs) == []
    np.testing.assert_array_equal(found[len(asked) :], found[:20])


MANY = tuple(f"other {number}" for number in range(150))
OF_MANY = tuple(
    FeatureSpec(f"fit.{name}", "fit", "category", attribute=name, categories=(*MANY[:70], *known, *MANY[70:]))
    for name, known in (("industry", ("it", "retail")), ("nobody has it", ()))
)


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=1, deadline=None)
@given(parts=market.many())
def test_a_category_of_many_values_has_the_codes_of_the_reference(name, parts):
    compare_categories(registry.get(name), parts)


@settings(max_examples=1, deadline=None)
@given(parts=market.many())
def test_a_category_of_many_values_has_the_codes_of_the_reference_on_a_cluster(spark, parts):
    compare_categories(registry.get("pyspark", session=spark), parts)


def compare_categories(engine, parts):
    record, asked = market.merged(parts)
    found = engines.computed(engine, record, asked, OF_MANY)
    assert engines.differences(found, engines.expected(record, asked, OF_MANY), asked, OF_MANY) == []


def test_a_difference_is_found():
    record, asked = market.crowd(), [("p001", market.BASE + 4 * DAY)]
    wanted = engines.expected(record, asked)
    wrong = wanted.copy()
    wrong[0, 0] += 1e-6
    assert len(engines.differences(wrong, wanted, asked)) == 1
