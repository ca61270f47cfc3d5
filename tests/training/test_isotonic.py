import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import metrics
from leadlight.errors import NotEnoughDataError
from scoring.scale import probabilities
from training import isotonic


def drawn(n, seed=1, bend=True):
    random = np.random.default_rng(seed)
    z = random.normal(-2, 1.5, n)
    truth = np.where(z > -1, 2 * z + 1, z) if bend else z
    return z, (random.random(n) < probabilities(truth)).astype(float)


def test_regression_is_the_textbook_one():
    assert isotonic.regression(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist() == [1.0, 2.5, 2.5, 4.0]
    assert isotonic.regression(np.array([2.0, 1.0]), np.array([3.0, 1.0])).tolist() == [1.75, 1.75]


def test_it_corrects_what_two_numbers_cannot():
    z, y = drawn(30_000)
    found = isotonic.fit(z, y, np.ones(len(y)))
    fresh, outcome = drawn(30_000, seed=2)
    bent = metrics.ece(outcome, probabilities(fresh))
    straight = metrics.ece(outcome, probabilities(found.of(fresh)))
    assert straight < bent / 2
    assert straight < 0.01


@given(st.integers(0, 10_000), st.integers(1, 300), st.sampled_from([0.0, 0.05, 0.5, 1.0]))
@settings(max_examples=60, deadline=None)
def test_it_never_falls_and_is_finite_at_both_ends(seed, n, rate):
    random = np.random.default_rng(seed)
    z = np.round(random.normal(-1, 3, n), 1)
    y = (random.random(n) < rate).astype(float)
    found = isotonic.fit(z, y, random.integers(1, 4, n).astype(float))
    asked = np.sort(np.concatenate([z, [-1e6, 1e6], random.normal(0, 10, 50)]))
    out = found.of(asked)
    assert np.isfinite(out).all()
    assert (np.diff(out) >= 0).all()
    assert np.abs(out).max() < 20


def test_a_block_without_a_success_is_held_back_to_what_was_predicted():
    z = np.full(100, -4.0)
    found = isotonic.fit(z, np.zeros(100), np.ones(100))
    rate = probabilities(np.array([-4.0]))[0]
    assert probabilities(np.array(found.values))[0] == pytest.approx(0.5 / (100 + 0.5 / rate))


def test_weights_count_as_rows_and_none_is_refused():
    z, y = drawn(400)
    weight = np.random.default_rng(3).integers(0, 3, 400)
    twice = isotonic.fit(np.repeat(z, weight), np.repeat(y, weight), np.ones(weight.sum()))
    found = isotonic.fit(z, y, weight.astype(float))
    assert found.knots == pytest.approx(twice.knots)
    assert found.values == pytest.approx(twice.values)
    with pytest.raises(NotEnoughDataError, match="weight"):
        isotonic.fit(z, y, np.zeros(400))
