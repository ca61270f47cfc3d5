import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import metrics
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


def positives(count):
    rows = made.rows(900)
    y = np.zeros(len(rows))
    y[np.argsort(-rows.X[:, 0])[: 2 * count : 2]] = 1.0
    return type(rows)(rows.frame, rows.X, rows.points, y, rows.weight)


def test_below_fifty_positives_nothing_is_calibrated():
    assert calibration.calibrate(positives(49), made.SPECS, RECIPE, 1) == Sigmoid()
    assert calibration.calibrate(positives(50), made.SPECS, RECIPE, 1) != Sigmoid()


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
