import polars as pl

from benchmarks.features import day, market
from leadlight.ingest import touched


def test_the_day_after_has_the_same_rows_and_knows_who_was_touched(tmp_path):
    before = market.make(market.Size(10_000), tmp_path / "before")
    found = day.after(before, tmp_path / "after")
    info, then = found.tables_info(), before.tables_info()
    assert (info.rows, info.in_order, info.observed_until) == (then.rows, True, then.observed_until)
    assert found.scan("activities").collect().equals(before.scan("activities").collect())
    new = touched.since(found, then.generation)
    assert new["lead_id"].to_list() == sorted(day.one_percent(before))
    assert len(new) == 2  # of 200
    assert day.after(before, tmp_path / "after").tables_info() == info
    assert pl.read_parquet(tmp_path / "after" / "touched" / "*.parquet").equals(new)
