from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features import batch
from features.engines import registry
from features.tables import Tables
from leadlight.schema import DAY
from tests.features import market
from tests.features.test_batch import as_array, snapshots_of


@pytest.mark.parametrize("order", [["activity_id"], ["occurred_at"], ["lead_id", "activity_id"]])
def test_the_order_of_the_log_does_not_matter(order):
    tables = market.tables(*market.crowd())
    half = pl.col("occurred_at") // (DAY // 2) * (DAY // 2)  # many at one instant, of types of their own
    types = pl.int_range(pl.len()).over("lead_id").mod(len(market.TYPES)).replace_strict(dict(enumerate(market.TYPES)))
    tables = replace(tables, activities=tables.activities.with_columns(occurred_at=half, type=types))
    asked = snapshots_of([(f"p{number:03}", market.BASE + 4 * DAY) for number in (0, 1, 30, 59)])
    in_order = replace(tables, activities=tables.activities.sort("lead_id", "occurred_at", "activity_id"))
    wanted = as_array(batch.build(in_order, asked, market.SPECS))
    other = replace(tables, activities=tables.activities.sort(order, descending=True))
    found = as_array(batch.build(other, asked, market.SPECS))
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_frames_that_are_not_lazy_are_taken_too():
    tables = market.tables(*market.crowd(31))
    eager = Tables(*(getattr(tables, name).collect() for name in ("leads", "activities", "stages", "changes")))
    asked = snapshots_of([("p001", market.BASE + 4 * DAY)])
    assert registry.of(eager).name == "polars"
    assert batch.build(eager, asked, market.SPECS).equals(batch.build(tables, asked, market.SPECS))


def test_written_parts_hold_the_leads_own_ids_and_the_names_of_the_features(tmp_path):
    specs = [spec for spec in market.SPECS if spec.name in {"count", "days"}]
    asked = snapshots_of([(f"p{number:03}", market.BASE + 4 * DAY) for number in (1, 0, 30)])
    tables = market.tables(*market.crowd(31))
    batch.build_to(registry.get("polars"), tables, asked, specs, tmp_path)
    (part,) = tmp_path.glob("*.parquet")
    read = pl.read_parquet(part)
    assert read.schema["as_of"] == pl.Datetime("us", "UTC")
    wanted = batch.build(tables, asked, specs).sort("lead_id")
    assert read.with_columns(pl.col("as_of").cast(pl.Int64)).sort("lead_id").equals(wanted)
