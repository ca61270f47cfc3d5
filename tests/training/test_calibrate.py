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
from training import level
from training.calibrate import Sigmoid
from training.fit import Recipe, fit
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


def of_same_level(slope, spread, n=60_000, seed=4):
    """Log-odds whose level is right and spread is not: outcomes have `slope` and the same mean probability."""
    random = np.random.default_rng(seed)
    raw = random.normal(-4, spread, n)
    true = slope * raw - level.excess(slope * raw, raw, np.ones(n))
    return raw, scale.probabilities(true), (random.random(n) < scale.probabilities(true)).astype(float)


def mean(found, raw, weight=None):
    return np.average(scale.probabilities(found.log_odds(raw)), weights=weight)


@pytest.mark.parametrize(("slope", "spread"), [(0.5, 1.2), (0.6, 1.5), (0.7, 2.0), (1.0, 1.2), (1.6, 1.0)])
def test_temperature_finds_the_spread_and_leaves_the_level(slope, spread):
    raw, true, y = of_same_level(slope, spread)
    found = Sigmoid.fit_temperature(raw, y, np.ones(len(y)))
    assert found.slope == pytest.approx(slope, rel=0.05)
    assert mean(found, raw) == pytest.approx(scale.probabilities(raw).mean(), rel=1e-9)
    assert mean(found, raw) == pytest.approx(true.mean(), rel=1e-9)


@pytest.mark.parametrize("off", [-0.3, 0.3])
def test_an_error_of_the_level_stays_and_is_not_taken_for_one_of_the_spread(off):
    random = np.random.default_rng(0)
    raw = random.normal(-4, 1.0, 100_000)
    y = (random.random(len(raw)) < scale.probabilities(raw + off)).astype(float)
    found = Sigmoid.fit_temperature(raw, y, np.ones(len(y)))
    assert found.slope == pytest.approx(1, abs=0.06)
    assert mean(found, raw) == pytest.approx(scale.probabilities(raw).mean(), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 80), st.floats(0, 20))
@settings(max_examples=80, deadline=None)
def test_temperature_keeps_the_level_and_the_order_of_any_rows(seed, n, spread):
    random = np.random.default_rng(seed)
    raw, weight = random.normal(-2, spread, n), random.uniform(0.1, 20, n)
    found = Sigmoid.fit_temperature(raw, (random.random(n) < 0.3).astype(float), weight)
    assert found.slope > 0
    assert mean(found, raw, weight) == pytest.approx(mean(Sigmoid(), raw, weight), rel=1e-9)


def test_along_the_curve_no_other_slope_is_likelier():
    raw, _, y = of_same_level(0.7, 1.5, n=4_000)
    found = Sigmoid.fit_temperature(raw, y, np.ones(len(y)))

    def loss(slope):  # with the pull: as if four rows of probability one half said 1
        z = slope * raw - level.excess(slope * raw, raw, np.ones(len(raw)))
        return metrics.log_losses_of_log_odds(y, z).sum() + raw.var() * (slope - 1) ** 2 / 2

    assert all(loss(found.slope) < loss(found.slope + step) for step in (-0.1, -0.003, 0.003, 0.1))


def test_temperature_of_a_turned_order_is_the_identity():
    raw, y = drawn(1.0, 1.0, n=5_000)
    assert Sigmoid.fit_temperature(raw, 1 - y, np.ones(len(y))) == Sigmoid()


def test_temperature_of_rows_that_are_told_apart_perfectly_stays_finite():
    raw = np.linspace(-3, 1, 400)
    found = Sigmoid.fit_temperature(raw, (raw > 0).astype(float), np.ones(400))
    assert 1 < found.slope < 1_000
    assert mean(found, raw) == pytest.approx(mean(Sigmoid(), raw), rel=1e-9)


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


def out_of_fold(rows):
    raw = calibration.out_of_fold(rows, lambda inside: fit(inside, made.SPECS, RECIPE, 1), 1)
    return calibration.choose(raw, rows)


def test_what_comes_back_holds_the_predictions_and_fits_a_scorer():
    rows = made.rows(1_500)
    found = out_of_fold(rows)
    assert found.raw.shape == (1_500,)
    assert np.isfinite(found.raw).all()
    assert np.array_equal(found.held_out, found.slope * found.raw + found.intercept)
    scorer = found.into(Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}))
    assert (scorer.slope, scorer.intercept, scorer.isotonic) == (found.slope, found.intercept, None)
    assert json.loads(json.dumps(found.to_json()))["method"] == "sigmoid"
    assert found == out_of_fold(rows)


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
    found = out_of_fold(rows)
    assert found.method == "none"
    assert found.raw is None
    assert found.held_out is None
    assert "too few" in found.why


def test_predictions_are_out_of_fold():
    """No booster may see a lead that it predicts."""
    rows, seen = made.rows(900), []

    class Spy:
        def __init__(self, leads):
            self.leads = leads

        def raw(self, part):
            seen.append((self.leads, set(part.lead_ids)))
            return np.zeros(len(part))

    calibration.out_of_fold(rows, lambda inside: Spy(set(inside.lead_ids)), 1)
    assert all(not inside & outside for inside, outside in seen)
    assert set().union(*(outside for _, outside in seen)) == set(rows.lead_ids)
