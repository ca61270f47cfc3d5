import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed")

from benchmarks.spark import Bench
from features.engines import registry


def test_a_table_is_compared_with_that_of_polars(tmp_path):
    bench = Bench(tmp_path, 2_000)
    assert set(bench.build(registry.get("polars"), "polars")) == {"seconds", "ns_per_activity"}
    again = bench.build(registry.get("duckdb"), "again")
    assert again["cells"] > 0
    assert again["different"] == 0
