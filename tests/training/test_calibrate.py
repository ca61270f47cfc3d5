import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import metrics
from leadlight.scorer import Scorer
from scoring import scale
from tests.training import made
from training import calibrate as calibration
from training.calibrate import Sigmoid
from training.fit import Recipe
from training.tune import USUAL

RECIPE = Recipe(USUAL, 20)


def drawn(slope, intercept, n=20_000, seed=1):
    random = np.random.default_rng(seed)
    raw = random.normal(-1, 1.5, n)
    return raw, (random.random(n) < 1 / (1 + np.exp(-(slope * raw + intercept)))).astype(float)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, -0.4), (2.0, 1.0)])
def test_slope_and_intercept_are_found_again(slope, intercept):
    raw, y = drawn(slope, intercept)
    found = Sigmoid.fit(raw, y, np.ones(len(y)))
    assert found.slope == pytest.approx(slope, rel=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.06)
    calibrated = 1 / (1 + np.exp(-(found.slope * raw + found.intercept)))
    assert calibrated.mean() == pytest.approx(y.mean(), abs=1e-3)
    assert metrics.log_loss(y, calibrated) <= metrics.log_loss(y, 1 / (1 + np.exp(-raw))) + 1e-6


def test_weights_count_as_rows():
    raw, y = drawn(0.7, 0.2, n=500)
    weight = np.random.default_rng(3).integers(1, 4, 500)
    twice = Sigmoid.fit(np.repeat(raw, weight), np.repeat(y, weight), np.ones(weight.sum()))
    found = Sigmoid.fit(raw, y, weight.astype(float))
    assert (found.slope, found.intercept) == pytest.approx((twice.slope, twice.intercept), rel=1e-6)


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_an_order_is_never_turned_around_and_numbers_stay_finite(seed, n):
    random = np.random.default_rng(seed)
    raw, y = random.normal(0, 5, n), (random.random(n) < 0.3).astype(float)
    found = Sigmoid.fit(raw, y, np.ones(n))
    assert found.slope > 0
    assert np.isfinite([found.slope, found.intercept]).all()


@pytest.mark.parametrize(("slope", "n"), [(0.05, 60), (0.02, 2_000), (-0.3, 400), (6.0, 2_000)])
def test_far_from_the_identity_the_fit_does_not_run_away(slope, n):
    for seed in range(10):
        raw, y = drawn(slope, 1.5, n=n, seed=seed)
        found = Sigmoid.fit(3 * raw, y, np.ones(n))
        assert 0 < found.slope < 8
        assert abs(found.intercept) < 8


def test_a_turned_order_gives_the_identity():
    raw, y = drawn(-1.0, 0.0, n=2_000)
    assert Sigmoid.fit(raw, y, np.ones(len(y))) == Sigmoid(1.0, 0.0)


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.6])
def test_temperature_finds_the_spread_and_leaves_the_level(slope):
    """One number: what lies below the level of the predictions stays below it, whatever the rate."""
    random = np.random.default_rng(4)
    raw = random.normal(-4, 1.2, 40_000)
    level = scale.logit(float(scale.probabilities(raw).mean()))
    y = (random.random(len(raw)) < scale.probabilities(level + slope * (raw - level))).astype(float)
    found = Sigmoid.fit_temperature(raw, y, np.ones(len(y)))
    assert found.slope == pytest.approx(slope, rel=0.1)
    assert found.log_odds(np.array([level])) == pytest.approx([level])


def test_temperature_does_not_follow_the_level_and_a_turned_order_gives_the_identity():
    raw, y = drawn(1.0, 1.0, n=5_000)
    found = Sigmoid.fit_temperature(raw, y, np.ones(len(y)))
    level = scale.logit(float(scale.probabilities(raw).mean()))
    assert found.log_odds(np.array([level])) == pytest.approx([level])
    assert Sigmoid.fit_temperature(raw, 1 - y, np.ones(len(y))) == Sigmoid()


def with_leads(count, n=3_000):
    """Rows of a lead each, `count` of them positive."""
    rows = made.rows(n, per_lead=1)
    y = np.zeros(n)
    y[np.argsort(-rows.X[:, 0], kind="stable")[: 2 * count : 2]] = 1.0
    return type(rows)(rows.frame, rows.X, rows.points, y, rows.weight)


@pytest.mark.parametrize(
    ("leads", "method"), [(49, "none"), (50, "temperature"), (199, "temperature"), (200, "sigmoid")]
)
def test_the_number_of_leads_of_the_rarer_outcome_chooses(leads, method):
    rows = with_leads(leads)
    raw = rows.X[:, 0] - 3
    found = calibration.choose(raw, rows)
    assert (found.method, found.leads) == (method, leads)
    assert (found.slope, found.intercept) == (1.0, 0.0) or method != "none"
    assert found.method in found.why or method == "none"
    turned = type(rows)(rows.frame, rows.X, rows.points, 1 - rows.y, rows.weight)
    assert calibration.choose(-raw, turned).method == method


def test_rows_of_one_lead_are_no_more_leads():
    rows = with_leads(300)
    one = type(rows)(rows.frame.with_columns(lead_id=pl.lit("lead")), rows.X, rows.points, rows.y, rows.weight)
    assert calibration.choose(rows.X[:, 0], one).method == "none"


def test_what_comes_back_holds_the_predictions_and_fits_a_scorer():
    rows = made.rows(1_500)
    found = calibration.calibrate(rows, made.SPECS, RECIPE, 1)
    assert found.raw.shape == (1_500,)
    assert np.isfinite(found.raw).all()
    assert np.array_equal(found.held_out, found.slope * found.raw + found.intercept)
    scorer = found.into(Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}))
    assert (scorer.slope, scorer.intercept, scorer.isotonic) == (found.slope, found.intercept, None)
    assert json.loads(json.dumps(found.to_json()))["method"] == "sigmoid"
    assert found == calibration.calibrate(rows, made.SPECS, RECIPE, 1)


def test_isotonic_comes_only_when_asked_for_and_with_enough_leads():
    rows = made.rows(4_000, per_lead=1)
    raw = rows.X[:, 0] / 2 + rows.points / 20 - 1.5
    assert calibration.choose(raw, rows).isotonic is None
    assert calibration.choose(raw, rows, isotonic=True).isotonic is not None
    few = calibration.choose(raw[:1_200], rows.take(np.arange(4_000) < 1_200), isotonic=True)
    assert few.isotonic is None
    assert "1,000" in few.why


@pytest.mark.parametrize("positives", [0, 1])
def test_too_few_outcomes_to_predict_from_the_others_is_said(positives):
    rows = with_leads(positives, n=60)
    found = calibration.calibrate(rows, made.SPECS, RECIPE, 1)
    assert found.method == "none"
    assert found.raw is None
    assert found.held_out is None
    assert "too few" in found.why


def test_calibration_is_out_of_fold(monkeypatch):
    """No booster may see a lead that it predicts."""
    rows, seen = made.rows(900), []

    class Spy:
        def __init__(self, leads):
            self.leads = leads

        def raw(self, part):
            seen.append((self.leads, set(part.lead_ids)))
            return np.zeros(len(part))

    monkeypatch.setattr(calibration, "fit", lambda inside, *_: Spy(set(inside.lead_ids)))
    calibration.calibrate(rows, made.SPECS, RECIPE, 1)
    assert all(not inside & outside for inside, outside in seen)
    assert set().union(*(outside for _, outside in seen)) == set(rows.lead_ids)
