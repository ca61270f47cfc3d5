"""A cleared attribute (a change to nothing) is null from then on, in every engine and for one lead."""

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
    FeatureSpec("role", "fit", "category", attribute="role", categories=("user", "boss")),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("since", "fit", "days_since_date", attribute="since"),
    *(FeatureSpec(f"no_{name}", "fit", "missing", attribute=name) for name in ("role", "size", "since")),
    FeatureSpec("moves", "fit", "changes", attribute="role"),
    FeatureSpec("roles", "company", "roles", attribute="role"),
)
LEADS = [
    {"lead_id": name, "created_at": market.BASE, "account_id": "x", "industry": None, "size": 3.0, "role": role,
     "since": "2024-10-04"}
    for name, role in (("a", "now"), ("b", "user"))
]  # fmt: skip
# Of a: a role that is cleared, and later filled again; a size and a date that are cleared for good. `null` at LATER
# is less than any text.
MIXED = (
    ("role", AT, "boss", None),
    ("role", LATER, None, "user"),
    ("size", AT, "3", None),
    ("since", LATER, "2024-10-04", "2024-10-05"),
    ("since", LATER, "2024-10-04", None),
)
ONLY_CLEARED = tuple((field, AT, None, None) for field in ("role", "size", "since"))
ASKED = [("a", at) for at in (AT, AT + 1, LATER, LATER + 1)] + [("b", LATER)]
NULL = np.nan
SINCE = 1 + 1 / DAY  # the date is BASE
WANTED = {
    MIXED: [
        [1, 3, 1, 0, 0, 0, 0, 2],
        [NULL, NULL, SINCE, 1, 1, 0, 1, 1],
        [NULL, NULL, 2, 1, 1, 0, 1, 1],
        [0, NULL, NULL, 0, 1, 1, 2, 1],
        [0, 3, 2, 0, 0, 0, 0, 1],
    ],
    ONLY_CLEARED: [
        [NULL, NULL, NULL, 1, 1, 1, 0, 1],
        [NULL, NULL, NULL, 1, 1, 1, 1, 1],
        [NULL, NULL, NULL, 1, 1, 1, 1, 1],
        [NULL, NULL, NULL, 1, 1, 1, 1, 1],
        [0, 3, 2, 0, 0, 0, 0, 1],
    ],
}
CHANGES = pytest.mark.parametrize("changes", [MIXED, ONLY_CLEARED], ids=["mixed", "only cleared"])


def record_of(changes):
    names = ("field", "changed_at", "old_value", "value")
    rows = [{"lead_id": "a"} | dict(zip(names, change, strict=True)) for change in changes]
    return LEADS, [], [], rows


def compare(found, changes):
    wanted = np.array(WANTED[changes], dtype=float)
    assert found.shape == wanted.shape
    assert engines.differences(found, wanted, ASKED, SPECS) == []


@CHANGES
def test_the_reference_clears(changes):
    compare(engines.expected(record_of(changes), ASKED, SPECS), changes)


@CHANGES
@pytest.mark.parametrize("name", LOCAL)
def test_an_engine_clears(name, changes):
    compare(engines.computed(registry.get(name), record_of(changes), ASKED, SPECS), changes)


@CHANGES
def test_a_cluster_clears(spark, changes):
    compare(engines.computed(registry.get("pyspark", session=spark), record_of(changes), ASKED, SPECS), changes)


@CHANGES
def test_one_lead_in_a_request_clears(changes):
    found = timelines(market.tables(*record_of(changes)))
    rows = np.array([online.row(found[lead], at, SPECS, [*found.values()]) for lead, at in ASKED])
    compare(rows, changes)
