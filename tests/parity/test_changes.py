"""Several changes of one attribute at one instant: one counts, the same everywhere, and no row is multiplied."""

import numpy as np
import pytest

from features import online
from features.engines import registry
from features.tables import timelines
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.parity import engines
from tests.parity.test_engines import LOCAL

AT, LATER = market.BASE + DAY, market.BASE + 2 * DAY
SPECS = (
    FeatureSpec("role", "fit", "category", attribute="role", categories=("a", "b", "c", "old", "older")),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("moves", "fit", "changes", attribute="role"),
    FeatureSpec("roles", "company", "roles", attribute="role"),
    FeatureSpec("days", "age", "age_days"),
)
# Of the first three b -> a counts, with the least value; of the last three that without an old value.
CHANGES = (
    ("role", AT, "older", "c"),
    ("role", AT, "old", "a"),
    ("role", AT, None, "b"),
    ("role", LATER, "a", "c"),
    ("role", LATER, None, "c"),
    ("size", AT, "7", "12"),
    ("size", AT, "7", "12"),
    ("size", AT, None, "12"),
)
BLANK = {"account_id": "x", "industry": None, "size": 3.0, "role": "user", "since": None}
RECORD = (
    [{"lead_id": name, "created_at": market.BASE, **BLANK} for name in "ab"],
    [],
    [],
    [dict(zip(("field", "changed_at", "old_value", "value"), row, strict=True)) | {"lead_id": "a"} for row in CHANGES],
)
ASKED = [(lead, at) for lead in "ab" for at in (AT, AT + 1, LATER, LATER + 1)]
WANTED = np.array(
    [
        [3.0, np.nan, 0, 2, 1],
        [0.0, 12.0, 1, 2, 1],
        [0.0, 12.0, 1, 2, 2],
        [2.0, 12.0, 2, 2, 2],
        [5.0, 3.0, 0, 2, 1],
        [5.0, 3.0, 0, 2, 1],
        [5.0, 3.0, 0, 2, 2],
        [5.0, 3.0, 0, 2, 2],
    ]
)


def check(engine):
    found = engines.computed(engine, RECORD, ASKED, SPECS)
    assert found.shape == WANTED.shape
    assert engines.differences(found, WANTED, ASKED, SPECS) == []


def test_the_reference_takes_the_least_value():
    assert engines.differences(engines.expected(RECORD, ASKED, SPECS), WANTED, ASKED, SPECS) == []


@pytest.mark.parametrize("name", LOCAL)
def test_an_engine_takes_the_least_value(name):
    check(registry.get(name))


def test_a_cluster_takes_the_least_value(spark):
    check(registry.get("pyspark", session=spark))


def test_one_lead_in_a_request_takes_the_least_value():
    found = timelines(market.tables(*RECORD))
    rows = np.array([online.row(found[lead], at, SPECS, [*found.values()]) for lead, at in ASKED])
    assert engines.differences(rows, WANTED, ASKED, SPECS) == []
