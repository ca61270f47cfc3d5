import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import NotEnoughDataError
from leadlight.steps import VennAbers
from scoring.scale import probabilities
from tests.training import made
from training import intervals
from training.isotonic import grouped, regression


def slow(z, y, weight, asked, new_weight=1.0):
    """Fit isotonic regression again for each score and each of the two outcomes."""
    ends = []
    for score in asked:
        pair = []
        for outcome in (0.0, 1.0):
            values, mass, positives = grouped(np.append(z, score), np.append(y, outcome), np.append(weight, new_weight))
            fitted = regression(positives / mass, mass)
            pair.append(fitted[np.searchsorted(values, score)])
        ends.append(pair)
    return np.array(ends).T


@given(
    st.lists(
        st.tuples(st.integers(-6, 6), st.integers(0, 1), st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        min_size=1,
        max_size=40,
    ).filter(lambda rows: any(row[2] > 0 for row in rows)),
    st.sampled_from([0.7, 1.0, 4.0]),
)
@settings(max_examples=50, deadline=None)
def test_it_equals_isotonic_regression_fitted_again_for_each_score(rows, new_weight):
    """Ties, weights and one class included; at the known scores, between and outside them."""
    z, y, weight = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    asked = np.concatenate([np.arange(-7, 8), np.arange(-7, 8) + 0.5]).astype(np.float64)
    found = np.array(intervals.fit(z, y, weight, new_weight=new_weight).of(asked))
    np.testing.assert_allclose(found, slow(z, y, weight, asked, new_weight), atol=1e-9)


def test_neighbouring_floats_are_different_scores():
    z = np.array([0.0, np.nextafter(0.0, 1.0), 1.0])
    y = np.array([0.0, 1.0, 1.0])
    found = np.array(intervals.fit(z, y, np.ones(3)).of(z))
    np.testing.assert_allclose(found, slow(z, y, np.ones(3), z), atol=1e-12)


def drawn(n, seed=1):
    random = np.random.default_rng(seed)
    z = random.normal(-3, 1.3, n)
    return z, (random.random(n) < probabilities(z)).astype(float)


def test_many_scores_give_few_knots_quickly_and_equal_the_slow_answer_for_rounded_scores():
    z, y = drawn(100_000)
    start = time.perf_counter()
    found = intervals.fit(z, y, np.ones(len(y)))
    assert time.perf_counter() - start < 5
    assert isinstance(found, VennAbers)
    assert len(found.knots) <= 500
    knots = np.array(found.knots)
    rounded = np.searchsorted(knots, z, side="right")
    # the groups of the fit are at least as fine as the steps that are left: pool the rows by the fit's own groups
    values, mass, _ = grouped(z, y, np.ones(len(y)))
    starts = values[intervals._group_starts(values, mass)]
    group = np.searchsorted(starts, z, side="right").astype(float)
    some = np.unique(group)[::40]
    expected = slow(group, y, np.ones(len(y)), some)
    at = np.array([z[group == code][0] for code in some])
    np.testing.assert_allclose(np.array(found.of(at)), expected, atol=1e-9)
    assert rounded.max() <= len(knots)


def test_the_end_that_belongs_to_the_outcome_is_calibrated_whatever_the_scores():
    """The theorem of the papers, E(y | p_y) = p_y, for scores that are far from calibrated and very few leads."""
    random = np.random.default_rng(5)
    ends, outcomes = [], []
    for _ in range(4_000):
        z = random.integers(-2, 3, 21).astype(float)
        y = (random.random(21) < np.array([0.1, 0.6, 0.3, 0.3, 0.9])[(z + 2).astype(int)]).astype(float)
        low, high = intervals.fit(z[:20], y[:20], np.ones(20)).of(z[20:])
        ends.append(high[0] if y[20] else low[0])
        outcomes.append(y[20])
    found, outcome = np.array(ends), np.array(outcomes)
    for part in np.array_split(np.argsort(found, kind="stable"), 4):
        assert outcome[part].mean() == pytest.approx(found[part].mean(), abs=3.5 * 0.5 / np.sqrt(len(part)))


def test_it_is_no_confidence_interval():
    """It is narrower than the error of the rate that it surrounds, the more so the more is known."""
    fresh, _ = drawn(20_000, seed=2)
    truth = probabilities(fresh)
    inside, share = [], []
    for n in (1_000, 50_000):
        z, y = drawn(n)
        low, high = intervals.fit(z, y, np.ones(n)).of(fresh)
        inside.append(float(np.mean((low <= truth) & (truth <= high))))
        share.append(float(np.median(high - low) / np.median(np.abs((low + high) / 2 - truth))))
    assert 0.6 > inside[0] > inside[1]
    assert inside[1] < 0.2
    assert 1 > share[0] > 2 * share[1]


def test_it_is_wider_where_less_is_known():
    z, y = drawn(20_000)
    few, many = (intervals.fit(z[:n], y[:n], np.ones(n)) for n in (200, 20_000))
    width = [float(np.mean(np.subtract(*found.of(z)[::-1]))) for found in (few, many)]
    assert width[0] > 3 * width[1]


def test_one_class_is_an_answer():
    z, _ = drawn(50)
    low, high = intervals.fit(z, np.zeros(50), np.ones(50)).of(np.sort(z))
    assert low.max() == 0.0
    assert high[0] == pytest.approx(1 / 51)
    assert high[-1] == pytest.approx(1 / 2)


def test_a_new_lead_counts_as_many_rows_as_one_has():
    rows = made.rows(900, per_lead=3)
    z = rows.X[:, 0]
    expected = intervals.fit(z, rows.y, rows.weight, new_weight=3.0)
    assert intervals.of_rows(z, rows) == expected
    assert VennAbers.from_json(expected.to_json()) == expected


def test_no_row_is_refused():
    with pytest.raises(NotEnoughDataError, match="no training row"):
        intervals.fit(np.empty(0), np.empty(0), np.empty(0))
