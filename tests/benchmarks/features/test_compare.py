import polars as pl
import pytest

from benchmarks.features.compare import compare
from leadlight.errors import InputError
from leadlight.spec import FeatureSpec

SPECS = (FeatureSpec("count", "frequency", "count"), FeatureSpec("recency", "recency", "days_since_last"))


def table(folder, rows):
    folder.mkdir()
    frame = pl.DataFrame(rows, schema=["lead_id", "as_of", "count", "recency"], orient="row", infer_schema_length=None)
    frame.write_parquet(folder / "part.parquet")
    return folder


def test_equal_tables_in_any_order(tmp_path):
    ours = table(tmp_path / "a", [("l2", 5, 1.0, None), ("l1", 5, 2.0, 3.0)])
    theirs = table(tmp_path / "b", [("l1", 5, 2.0, 3.0 + 1e-10), ("l2", 5, 1.0, None)])
    compared = compare(ours, theirs, SPECS)
    assert (compared.cells, compared.differences, compared.by_feature) == (4, 0, {})


@pytest.mark.parametrize("other", [3.0 + 1e-8, None, float("nan")])
def test_a_cell_that_differs_is_found(other, tmp_path):
    ours = table(tmp_path / "a", [("l1", 5, 2.0, 3.0)])
    theirs = table(tmp_path / "b", [("l1", 5, 2.0, other)])
    assert compare(ours, theirs, SPECS).by_feature == {"recency": 1}


def test_nan_is_not_null(tmp_path):
    ours = table(tmp_path / "a", [("l1", 5, 2.0, None), ("l2", 5, 2.0, 1.0)])
    theirs = table(tmp_path / "b", [("l1", 5, 2.0, float("nan")), ("l2", 5, 2.0, 1.0)])
    assert compare(ours, theirs, SPECS).by_feature == {"recency": 1}


def test_other_snapshots_are_refused(tmp_path):
    ours = table(tmp_path / "a", [("l1", 5, 2.0, 3.0)])
    theirs = table(tmp_path / "b", [("l1", 6, 2.0, 3.0)])
    with pytest.raises(InputError, match="different snapshots"):
        compare(ours, theirs, SPECS)
