import polars as pl
import pytest

from benchmarks.features import day, market
from features import tables
from leadlight.ingest import touched
from leadlight.schema import DAY


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    root = tmp_path_factory.mktemp("days")
    whole = market.make(market.Size(40_000), root / "whole")
    return whole, day.of(whole, root / "days")


def known(room):
    return tables.read(room).activities.with_columns(known=pl.max_horizontal("occurred_at", "received_at")).collect()


def test_a_day_is_what_became_known_between_two_midnights(days):
    _, found = days
    before, after = found.before.tables_info(), found.after.tables_info()
    midnight = before.observed_until
    assert (midnight % DAY, after.observed_until) == (0, midnight + DAY)
    old, new = known(found.before), known(found.after)
    assert old["known"].max() < midnight
    added = new.join(old, on="activity_id", how="anti")
    assert len(added) == len(new) - len(old) > 0
    assert added["known"].is_between(midnight, midnight + DAY, closed="left").all()
    assert after.in_order
    assert after.rows["activities"] == len(new)


def test_one_percent_of_the_leads_were_active_and_are_known_to_be_touched(days):
    whole, found = days
    midnight = found.before.tables_info().observed_until
    chosen = set(day.active(tables.read(whole), midnight))
    there = known(found.before).select("lead_id").n_unique()
    assert 1 <= len(chosen) <= max(1, round(0.01 * found.before.tables_info().rows["leads"]))
    assert there > len(chosen)
    new = touched.since(found.after, day.GENERATIONS[0])
    assert chosen <= set(new["lead_id"])
    assert new.filter(pl.col("since") < midnight).is_empty()
    again = touched.since(found.told, day.GENERATIONS[0])
    assert again.filter(pl.col("lead_id").is_in(list(chosen)))["since"].is_null().all()
    assert known(found.told).equals(known(found.after))


def test_days_that_are_there_are_not_made_again(days):
    whole, found = days
    info = found.told.tables_info()
    assert day.of(whole, found.told.root.parent) == found
    assert found.told.tables_info() == info
