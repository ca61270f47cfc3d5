import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.scale import probabilities
from training import level


@given(st.integers(0, 10_000), st.floats(-30, 30), st.floats(0.01, 30))
@settings(max_examples=80, deadline=None)
def test_the_mean_probability_is_kept_however_far_rows_are_moved(seed, up, spread):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 80))
    z, weight = random.normal(-3, 2, n), random.uniform(1, 20, n)
    moved = up + spread * z + random.normal(0, 1, n)
    kept = probabilities(moved - level.excess(moved, z, weight))
    assert np.average(kept, weights=weight) == pytest.approx(np.average(probabilities(z), weights=weight), rel=1e-9)


def test_what_was_only_raised_is_lowered_by_as_much():
    z = np.random.default_rng(0).normal(-4, 2, 50)
    assert level.excess(z + 1.5, z, np.ones(50)) == pytest.approx(1.5, abs=1e-10)
    assert level.excess(z, z, np.ones(50)) == 0.0


@pytest.mark.parametrize("sure", [-800.0, 800.0])
def test_where_all_are_certain_there_is_no_level_to_keep(sure):
    assert level.excess(np.array([sure, 1.0]), np.array([sure, sure]), np.ones(2)) == 0.0


def test_scores_without_doubt_stay_where_they_are():
    z = np.array([-60.0, -60.0, 60.0])
    assert level.excess(z, z, np.ones(3)) == 0.0
    assert np.isfinite(level.excess(1_000 * z, z, np.ones(3)))


@pytest.mark.parametrize("start", [-5.0, 0.5, 9.0])
@pytest.mark.parametrize("slope", [0.0, 1e-9, 1.0, 100.0])
def test_a_root_is_found_with_any_slope(start, slope):
    found = level.root(lambda x: (math.tanh(3 * (x - 2)), slope), -4.0, 8.0, start=start)
    assert found == pytest.approx(2.0, abs=1e-6)


def test_groups_made_even_have_one_mean_probability_and_differ_within_as_before():
    random = np.random.default_rng(3)
    z, weight, group = random.normal(-2, 1.5, 300), random.uniform(1, 20, 300), random.integers(4, size=300)
    moved = level.even(z, weight, group)
    common = np.average(probabilities(z), weights=weight)
    for code in range(4):
        inside = group == code
        assert np.average(probabilities(moved[inside]), weights=weight[inside]) == pytest.approx(common, rel=1e-9)
        assert np.ptp(moved[inside] - z[inside]) == pytest.approx(0, abs=1e-12)
    assert level.even(z[:0], weight[:0], group[:0]).shape == (0,)
