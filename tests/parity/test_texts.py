"""Attributes that are no texts: as categories and roles they have one text, on every engine and for one lead."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import batch, online
from features.engines import registry
from features.tables import Tables, timelines
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.features.reference import text
from tests.parity import engines
from tests.parity.test_engines import LOCAL

FRAMES = [*((name, False) for name in LOCAL), ("pandas", True)]  # `features build` gives pandas frames backed by Arrow
LEADS = "abcd"
AT = market.BASE + DAY
ODD = (1e-05, 1e15, 1e16, -0.0, 0.0, 14.0, -3.0, 1 / 3, 2.0**53 + 2, 2.0**63, -(2.0**63), 1e22, 1.7e308, 5e-324, 2e23)
SINGLE = float(np.float32(0.1))
DRAWN = {
    pl.Int64: st.integers(-(2**53), 2**53) | st.sampled_from([14, 0, 10**15]),
    pl.Int8: st.integers(-128, 127),
    pl.Float64: st.sampled_from([*ODD, float("nan"), float("inf"), float("-inf")]) | st.floats(),
    pl.Float32: st.sampled_from([SINGLE, 14.0, 0.5, float("nan")]) | st.floats(width=32),
    pl.Boolean: st.booleans(),
    pl.Categorical: st.sampled_from(["14", "14.0", "true", "x"]),
    pl.String: st.sampled_from(["14", "14.0", "true", "True", "1e-05", "nan", "", "x"]),
}
CATEGORIES = ("14", "14.0", "true", "True", "false", "0", "-0.0", "nan", "inf", "1e+16", *map(text, ODD[:2]), "1e+22",
              text(1e17), text(-(2.0**63)), text(2.0**63))  # fmt: skip
SPECS = (
    FeatureSpec("category", "fit", "category", attribute="it", categories=CATEGORIES),
    FeatureSpec(
        "many", "fit", "category", attribute="it", categories=(*CATEGORIES, *(f"other {at}" for at in range(120)))
    ),
    FeatureSpec("number", "fit", "number", attribute="it"),
    FeatureSpec("missing", "fit", "missing", attribute="it"),
    FeatureSpec("date", "fit", "days_since_date", attribute="it"),
    FeatureSpec("roles", "company", "roles", attribute="it"),
)
NUMBER = tuple(spec for spec in SPECS if spec.name in {"number", "missing"})  # alone, where nothing asks for a text
change = st.tuples(st.sampled_from(LEADS), st.sampled_from([AT - 1, AT, AT + 1]), st.sampled_from(CATEGORIES))


@st.composite
def tables(draw):
    """Draw tables whose attribute `it` has a type of its own and, mostly, no changes; and the rows of the reference."""
    kind = draw(st.sampled_from(list(DRAWN)))
    values = draw(st.lists(st.none() | DRAWN[kind], min_size=4, max_size=4))
    return tables_of(kind, values, draw(st.just([]) | st.lists(change, max_size=2, unique_by=lambda row: row[:2])))


def tables_of(kind, values, changes):
    """Give tables of four leads with values of the attribute and its changes, and the rows of the reference."""
    rows = [
        {"lead_id": lead, "field": "it", "changed_at": at, "old_value": "14", "value": value}
        for lead, at, value in changes
    ]
    base = [{"lead_id": lead, "created_at": market.BASE, "account_id": "x"} for lead in LEADS]
    found = market.tables(base, [], [], rows)
    leads = found.leads.with_columns(
        pl.Series("it", values).cast(kind) if None in values else pl.Series("it", values, kind)
    )
    record = ([row | {"it": value} for row, value in zip(base, values, strict=True)], [], [], rows)
    return Tables(leads, found.activities, found.stages, found.changes), record


ASKED = [(lead, at) for lead in LEADS for at in (AT, AT + 1)]


def check(engine, drawn, specs, *, arrow=False):
    found, record = drawn
    rows = pl.DataFrame(ASKED, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    frame = batch.compute(engine, engines.native(engine.name, found, engine, arrow=arrow), rows, specs)
    values = batch.matrix(batch.named(engine.to_polars(frame), specs), specs)
    assert engines.differences(values, engines.expected(record, ASKED, specs), ASKED, specs) == []


@pytest.mark.parametrize(("name", "arrow"), FRAMES)
@settings(max_examples=25, deadline=None)
@given(drawn=tables(), specs=st.sampled_from([SPECS, NUMBER]))
def test_an_attribute_of_any_type_has_one_text(name, arrow, drawn, specs):
    check(registry.get(name), drawn, specs, arrow=arrow)


@pytest.mark.parametrize(("name", "arrow"), FRAMES)
@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("values", [(1e17, 0.5, None, 14.0), (2.0**53 + 2, -(2.0**63), 2.0**63, -0.0), (1e16,) * 4])
def test_a_whole_number_beyond_what_a_float_counts_has_one_text(name, arrow, changed, values):
    check(registry.get(name), tables_of(pl.Float64, values, [("a", AT, "14")] * changed), SPECS, arrow=arrow)


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(drawn=tables())
def test_an_attribute_of_any_type_has_one_text_on_a_cluster(spark, drawn):
    check(registry.get("pyspark", session=spark), drawn, SPECS)


@settings(max_examples=60, deadline=None)
@given(drawn=tables())
def test_an_attribute_of_any_type_has_one_text_for_one_lead(drawn):
    lines = timelines(drawn[0])
    rows = np.array([online.row(lines[lead], at, SPECS, [*lines.values()]) for lead, at in ASKED])
    assert engines.differences(rows, engines.expected(drawn[1], ASKED, SPECS), ASKED, SPECS) == []
