from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from leadlight.scorer import Scorer
from scoring.scale import probabilities
from tests.training import made
from training import tested
from training.rows import Rows

CUT = 600


def with_ages(rows):
    frame = rows.frame.with_columns(age=rows.frame["as_of"] % 2, stage=pl.lit("lead"))
    return Rows(frame, rows.X, rows.points, rows.y, rows.weight)


@pytest.fixture
def ground():
    """A ground of 600 rows before the cut and 300 after it."""
    rows = with_ages(made.rows(900))
    before = np.arange(900) < CUT
    known, test = rows.take(before), rows.take(~before)
    split = SimpleNamespace(horizon_us=5, target="sql")
    return SimpleNamespace(known=known, test=test, specs=made.SPECS, split=split)


def by_points():
    return Scorer("rules", "sql", None, 0.3, -1.0, 0.05, {})


def test_every_scorer_answers_for_the_same_rows(ground):
    found = tested.make(ground, by_points(), 0)
    assert found.frame.height == found.comparison.rows == 300
    assert found.frame.select("model", "rules", "logistic", "odoo", "base_rate").null_count().sum_horizontal()[0] == 0
    assert found.model == pytest.approx(probabilities(-1.0 + 0.05 * ground.test.points))
    assert found.frame["base_rate"][0] == pytest.approx(ground.known.y.mean(), rel=1e-3)
    assert found.comparison.metrics["auc"]["oracle"] is None
    assert "oracle" not in found.frame.columns


def test_the_oracle_is_asked_only_where_there_is_a_horizon(ground):
    asked = []

    def oracle(lead_ids, as_of, target, horizon_us):
        asked.append((len(lead_ids), len(as_of), target, horizon_us))
        return np.full(len(lead_ids), 0.2)

    assert tested.make(ground, by_points(), 0, oracle=oracle).frame["oracle"].unique().to_list() == [0.2]
    assert asked == [(300, 300, "sql", 5)]
    ground.split.horizon_us = None
    assert "oracle" not in tested.make(ground, by_points(), 0, oracle=oracle).frame.columns
    assert len(asked) == 1


def test_of_one_outcome_nothing_is_fitted(ground):
    ground.test = ground.test.take(ground.test.y == 1)
    found = tested.make(ground, by_points(), 0)
    assert "logistic" not in found.frame.columns
    assert found.frame["base_rate"][0] == pytest.approx(ground.known.y.mean(), rel=1e-3)
    assert "test snapshots reached the target: no scorers are compared" in tested.told(ground.test)
    assert "did not reach" in tested.told(with_ages(made.rows(900)).take(made.rows(900).y == 0))


def test_without_a_row_before_the_cut_the_rules_are_what_was_trained(ground):
    ground.known = ground.known.take(np.zeros(CUT, dtype=bool))
    found = tested.make(ground, by_points(), 0)
    assert (found.frame["rules"] == found.frame["model"]).all()
    assert found.simplified == ()


def test_without_a_test_row_nothing_is_defined(ground):
    ground.test = ground.test.take(np.zeros(300, dtype=bool))
    found = tested.make(ground, by_points(), 0)
    assert found.comparison.rows == 0
    assert len(found.model) == 0
    assert tested.reasons_error(by_points(), made.SPECS, ground.test) is None
    assert tested.told(ground.test) == "0 test snapshots, every scorer on the same rows"


def test_reasons_add_up_by_the_features_that_a_scorer_reads(ground):
    assert tested.reasons_error(by_points(), made.SPECS, ground.test) <= 1e-12
    asked = []

    class Reads:
        specs = (made.SPECS[2], made.SPECS[0])

        def log_odds(self, X, points):
            asked.append(X)
            return points

    assert tested.log_odds(Reads(), made.SPECS, ground.test).tolist() == ground.test.points.tolist()
    assert np.array_equal(asked[0], ground.test.X[:, [2, 0]])
