"""Tables and snapshots without rows give a table with the right columns and types on every engine."""

import polars as pl
import pytest

from features import batch
from features.engines import registry
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.features.test_batch import snapshots_of
from tests.parity import engines
from tests.parity.test_engines import LOCAL

SPECS = tuple({spec.measure: spec for spec in market.SPECS}.values())
CROWD = market.crowd(31)
RECORDS = {
    "nothing": ([], [], [], []),
    "no leads": ([], *CROWD[1:]),
    "no activities": (CROWD[0], [], [], []),
    "all": CROWD,
}
ASKED = (("p001", market.BASE + 4 * DAY), ("nobody", market.BASE))


def check(engine, record, asked):
    tables, snapshots = market.tables(*record), snapshots_of(asked)
    frame = engine.to_polars(batch.compute(engine, engines.native(engine.name, tables, engine), snapshots, SPECS))
    found = batch.named(frame.drop(batch.ROW), SPECS)
    assert found.schema == {
        "lead_id": pl.String,
        "as_of": pl.Int64,
        **{spec.name: pl.Float64 for spec in SPECS},
    }
    assert found.select("lead_id", "as_of").rows() == [*asked]
    wanted = batch.build(market.tables(*record), snapshots, SPECS)
    matrices = (batch.matrix(table, SPECS) for table in (found, wanted))
    assert engines.differences(*matrices, asked, SPECS) == []


@pytest.mark.parametrize("asked", [ASKED, ()], ids=["asked", "nothing asked"])
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("name", LOCAL)
def test_what_is_empty_gives_a_whole_table(name, record, asked):
    check(registry.get(name), record, asked)


@pytest.mark.slow
@pytest.mark.parametrize("asked", [ASKED, ()], ids=["asked", "nothing asked"])
@pytest.mark.parametrize("record", [RECORDS["nothing"]], ids=["nothing"])
def test_what_is_empty_gives_a_whole_table_on_a_cluster(spark, record, asked):
    check(registry.get("pyspark", session=spark), record, asked)


def test_a_lead_without_record_has_the_values_of_nothing():
    count, gone = FeatureSpec("count", "frequency", "count"), FeatureSpec("gone", "recency", "days_since_last")
    frame = batch.build(market.tables(*RECORDS["nothing"]), snapshots_of(ASKED), [count, gone])
    assert frame.select("count", "gone").rows() == [(0.0, None)] * 2
