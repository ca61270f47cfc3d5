from dataclasses import replace

import numpy as np
import pytest

from leadlight.spec import FeatureSpec
from tests.training import made
from training.baselines import MOST_LEVELS, Logistic
from training.line import Line
from training.tune import lead_hash

ORDER = 600


def regression(rows, specs=made.SPECS):
    return Logistic.fit(rows.X, rows.y, specs, rows.weight, order=rows.frame["as_of"].to_numpy())


def log_odds(found, X):
    p = found.probability(X)
    return np.log(p / (1 - p))


def test_its_terms_add_up_to_the_regression():
    rows, other = made.rows(ORDER), made.rows(ORDER, seed=9)
    line = Line.fit(rows, made.SPECS, seed=1)
    assert line.raw(rows) == pytest.approx(log_odds(regression(rows), rows.X), abs=1e-12)
    inside = np.all(
        np.isnan(other.X) | (np.nanmax(rows.X, axis=0) >= other.X) & (np.nanmin(rows.X, axis=0) <= other.X), 1
    )
    assert inside.mean() > 0.9
    assert line.raw(other)[inside] == pytest.approx(log_odds(regression(rows), other.X)[inside], abs=1e-12)


def test_a_quantity_that_was_never_null_may_be_null_later():
    rows = made.rows(ORDER)
    later = replace(rows, X=np.where(np.arange(3) == 0, np.nan, rows.X))
    assert Line.fit(rows, made.SPECS, seed=1).raw(later) == pytest.approx(
        log_odds(regression(rows), later.X), abs=1e-12
    )


def test_values_beyond_those_seen_count_as_the_outermost():
    rows = made.rows(ORDER)
    line = Line.fit(rows, made.SPECS, seed=1)
    far, edge = rows.X[:1].copy(), rows.X[:1].copy()
    far[0, 0], edge[0, 0] = 1e30, rows.X[:, 0].max()
    assert line.linear.of(far, far).tolist() == line.linear.of(edge, edge).tolist()


def test_terms_of_training_rows_add_nothing_on_average():
    rows = made.rows(ORDER)
    whole = replace(rows, X=np.nan_to_num(rows.X))
    line = Line.fit(whole, made.SPECS, seed=1)
    assert line.linear.of(whole.X, whole.X).mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)


def test_categories_beyond_the_first_hundred_share_a_number():
    rows, many = made.rows(ORDER), MOST_LEVELS + 40
    codes = np.random.default_rng(1).integers(0, many + 1, len(rows))
    spec = FeatureSpec("town", "fit", "category", attribute="town", categories=tuple(f"t{at}" for at in range(many)))
    rows = replace(rows, X=codes[:, None].astype(float))
    line = Line.fit(rows, (spec,), seed=1)
    line.linear.check((spec,), {})
    assert len(line.linear.terms[0].levels) == many + 1
    assert len(set(line.linear.terms[0].levels[MOST_LEVELS:])) == 1
    assert line.raw(rows) == pytest.approx(log_odds(regression(rows, (spec,)), rows.X), abs=1e-12)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_gives_a_level_and_no_slopes(outcome):
    rows = made.rows(60)
    line = Line.fit(replace(rows, y=np.full(60, outcome)), made.SPECS, seed=1)
    assert line.penalty is None
    assert np.ptp(line.raw(rows)) == 0
    assert (line.level > 0) == bool(outcome)


def test_a_column_without_any_value_adds_nothing():
    rows = made.rows(ORDER)
    rows = replace(rows, X=np.where(np.arange(3) == 1, np.nan, rows.X))
    line = Line.fit(rows, made.SPECS, seed=1)
    assert line.linear.terms[1].low is None
    assert np.ptp(line.linear.of(rows.X, rows.X)[:, 1]) == 0


def test_of_many_rows_a_share_of_the_leads_is_learnt_from(monkeypatch):
    monkeypatch.setattr("training.line.MOST_ROWS", 300)
    rows = made.rows(3_000, shift=-5.0)
    assert len(lead_hash(rows.lead_ids, 0)) > 300
    drawn, whole = Line.fit(rows, made.SPECS, seed=1), regression(rows)
    assert drawn.raw(rows) != pytest.approx(log_odds(whole, rows.X), abs=1e-6)
    assert np.corrcoef(drawn.raw(rows), log_odds(whole, rows.X))[0, 1] > 0.9


def test_a_share_of_it_is_that_share_of_every_term():
    rows = made.rows(ORDER)
    line = Line.fit(rows, made.SPECS, seed=1)
    part = line.times(0.25)
    assert part.of(rows.X, rows.X) == pytest.approx(0.25 * line.linear.of(rows.X, rows.X), abs=1e-12)
