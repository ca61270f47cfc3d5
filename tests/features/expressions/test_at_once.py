"""The wide aggregation, on DuckDB, whose frames have no order either: equal to the reference and to one per filter."""

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings

from features.engines import registry
from features.expressions import assemble, at_once
from features.expressions.frame import ROW
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.parity import engines

OWN = tuple(spec for spec in market.SPECS if spec.facts.source == "activities")


def computed(record, asked, specs=OWN):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at_once, "pays_for", lambda _: True)
        return engines.computed(registry.get("duckdb"), record, asked, specs)


@settings(max_examples=2, deadline=None)
@given(parts=market.many(20))
def test_random_logs_give_the_table_of_the_reference(parts):
    record, asked = market.merged(parts)
    assert engines.differences(computed(record, asked), engines.expected(record, asked, OWN), asked, OWN) == []


@pytest.mark.parametrize(
    "spec", sorted({spec.measure: spec for spec in OWN}.values(), key=str), ids=lambda spec: spec.measure
)
def test_a_measure_alone_is_the_measure_among_all(spec):
    record = market.crowd()
    asked = [(row["lead_id"], row["created_at"] + 2 * DAY) for row in record[0][::9]]
    wanted = engines.computed(registry.get("duckdb"), record, asked, (spec,))
    assert engines.differences(computed(record, asked, (spec,)), wanted, asked, (spec,)) == []


def test_specifications_of_all_filters_are_one_part():
    duckdb = registry.get("duckdb")
    tables = engines.native("duckdb", market.tables(*market.crowd()), duckdb)
    counts = [FeatureSpec(f"f{place}", "frequency", "count", types=(kind,)) for place, kind in enumerate(("a", "b"))]
    specs = [
        *counts,
        replace(counts[0], name="f2", measure="days_since_last"),
        FeatureSpec("f3", "breadth", "distinct_types"),
    ]
    rows = duckdb.rows(pl.DataFrame({ROW: [0], "lead_id": ["p001"], "as_of": [market.BASE]}))
    met = duckdb.meet(rows, duckdb.records(tables).activities, specs)
    names = [part.collect_schema().names() for part in at_once.of_activities(met, specs)]
    assert names == [[ROW, "f0", "f2", "f1"], [ROW, "f3"]]
    assert len(list(assemble.of_activities(met, specs))) == 3
    assert not at_once.pays_for(met)


def test_last_types_among_some_activities_are_a_part_of_their_own():
    spec = FeatureSpec("f0", "sequence", "last_type", actor="lead", k=1)
    assert not at_once._is_summed(spec)
    assert at_once._is_summed(replace(spec, actor=None))
