import numpy as np
import pytest

from benchmarks.training import flaml_search
from leadlight.errors import InputError
from tests.training import made
from training.evaluate import compare

HERE = pytest.mark.skipif(not flaml_search.installed(), reason="FLAML is not installed (extra `bench`)")


def test_the_table_holds_everything_that_ours_reads(market):
    nulls = flaml_search.nulls_of(market.known, market.specs)
    assert nulls == (1,)
    frame = flaml_search.table(market.known, market.specs, nulls)
    assert list(frame.columns) == ["f0", "f1", "f2", "points", "null1"]
    assert frame["f0"].tolist() == market.known.X[:, 0].tolist()
    assert frame["f2"].cat.codes.tolist() == market.known.X[:, 2].tolist()
    assert frame["points"].tolist() == market.known.points.tolist()
    assert (frame["null1"] == np.isnan(market.known.X[:, 1])).all()


def test_a_null_category_is_null_and_one_column_of_nulls_stands_for_its_equals():
    rows = made.rows(90)
    X = rows.X.copy()
    X[:30, 2] = np.nan
    X[:, 0] = X[:, 1]
    rows = type(rows)(rows.frame, X, rows.points, rows.y, rows.weight)
    assert flaml_search.nulls_of(rows, made.SPECS) == (0,)
    assert flaml_search.table(rows, made.SPECS, ())["f2"].isna().sum() == 30


def test_a_search_of_flaml_that_stops_with_an_error_finished_nothing(market):
    class Stopping:
        def fit(self, *_rows, **_asked):
            raise ValueError("got 1 class")

    assert flaml_search._searched(Stopping(), market, market.test, 0, 6.0) == (None, "nothing: got 1 class")


def test_an_error_of_our_own_table_is_none_of_flaml(monkeypatch, market):
    def fails(*_arguments):
        raise ValueError("codes need to be between -1 and 2")

    monkeypatch.setattr(flaml_search, "table", fails)
    with pytest.raises(ValueError, match="codes need"):
        flaml_search._searched(None, market, market.test, 0, 6.0)


def test_flaml_that_is_not_there_is_named_with_its_extra(monkeypatch, market):
    monkeypatch.setattr(flaml_search, "installed", lambda: False)
    with pytest.raises(InputError, match="extra `bench`"):
        flaml_search.flaml(market, market.test, 0, 5.0)


@HERE
@pytest.mark.slow
def test_flaml_learns_from_the_same_rows(market):
    answer = flaml_search.flaml(market, market.test, 0, 6.0)
    assert answer.what in {"lgbm", "rf", "xgboost", "extra_tree", "xgb_limitdepth", "sgd", "lrl1"}
    assert answer.probability.shape == market.test.y.shape
    found = compare(
        market.test.y,
        {"flaml": answer.probability, "base": np.full(len(market.test), market.known.y.mean())},
        market.test.lead_ids,
        0,
        reference="flaml",
        replicates=100,
    )
    assert found.differences["log_loss"]["base"].value < 0
