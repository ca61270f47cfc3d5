import time

import numpy as np
import pytest

from scoring.scale import logit, probabilities
from training import random_intercept


def market(seed, spread, sizes, level=-2.5):
    """One market: (z, y, group, true offsets, true rates)."""
    random = np.random.default_rng(seed)
    offset = random.normal(0, spread, len(sizes)) if spread else np.zeros(len(sizes))
    group = np.repeat(np.arange(len(sizes)), sizes)
    z = random.normal(level, 1.0, len(group))
    p = probabilities(z + offset[group])
    y = (random.random(len(group)) < p).astype(float)
    return z, y, group, offset, np.bincount(group, p, minlength=len(sizes)) / np.maximum(sizes, 1)


SIZES = (2_000, 900, 400, 400, 200, 100, 100, 50, 20, 5)


def fit(z, y, group, groups=10, **more):
    return random_intercept.fit(z, y, np.ones(len(y)), group, groups, **more)


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_the_spread_and_the_offsets_are_found_again(spread):
    z, y, group, offset, _ = market(1, spread, [2_000] * 30)
    found = fit(z, y, group, 30)
    assert found.spread == pytest.approx(spread, rel=0.3)
    assert np.corrcoef(found.offset, offset)[0, 1] > 0.8
    assert found.offset == pytest.approx(offset, abs=0.5)


def test_an_offset_is_held_back_in_proportion_to_its_evidence():
    """The same excess of successes in a large and in a small group."""
    z = np.full(3_300, logit(0.1))
    group = np.repeat([0, 1, 2], [3_000, 270, 30])
    y = np.concatenate([np.arange(3_000) % 10 == 0, np.arange(270) % 10 < 3, np.arange(30) % 10 < 3]).astype(float)
    found = fit(z, y, group, 4)
    own = logit(0.3) - logit(0.1)
    assert 0 < found.offset[2] < found.offset[1] < own
    assert found.offset[1] > 0.6 * own
    assert found.rate[2] < found.rate[1] < 0.3


def test_a_group_without_rows_gets_nothing_and_an_honest_interval():
    z, y, group, *_ = market(2, 0.5, SIZES)
    found = fit(z, y, group, len(SIZES) + 1)
    assert found.offset[-1] == 0.0
    assert found.low[-1] == pytest.approx(-found.high[-1], rel=0.15)
    assert found.high[-1] > 0.3
    assert np.isnan(found.rate[-1])


def test_groups_alike_are_left_alone():
    z, y, group, *_ = market(3, 0.0, [1_000] * 20)
    found = fit(z, y, group, 20)
    assert found.spread < 0.15
    assert np.abs(found.offset).max() < 0.12


def test_intervals_of_rates_cover_nine_tenths():
    """A few hundred market-segments of very different size; the benchmark takes more."""
    hits = total = 0
    for seed in range(40):
        spread = abs(np.random.default_rng(seed + 900).normal(0, 0.5))
        z, y, group, _, rates = market(seed, spread, SIZES)
        found = fit(z, y, group)
        hits += int(((found.rate_low <= rates) & (rates <= found.rate_high)).sum())
        total += len(rates)
    assert 0.85 < hits / total < 0.95


def test_rows_of_one_lead_are_no_independent_evidence():
    z, y, group, *_ = market(4, 0.5, SIZES)
    again = np.tile(z, 6), np.tile(y, 6), np.tile(group, 6)
    leads = np.tile(np.arange(len(z)), 6)
    once, many = fit(z, y, group), fit(*again, leads=leads)
    assert many.evidence == pytest.approx(1 / 6, rel=0.15)
    np.testing.assert_allclose(many.offset, once.offset, atol=0.06)
    naive = fit(*again)
    large = np.array(SIZES) >= 100
    assert np.all((naive.high - naive.low)[large] < 0.7 * (many.high - many.low)[large])


@pytest.mark.parametrize("wins", [3, 12, 30])
def test_what_a_row_is_worth_does_not_hang_on_the_luck_of_the_level(wins):
    """600 leads with three equal rows each, 12 of them expected to succeed: a row is worth a third of a lead."""
    leads = np.repeat(np.arange(600), 3)
    y = (leads < wins).astype(float)
    found = fit(np.full(1_800, logit(0.02)), y, leads % 10, leads=leads)
    assert found.evidence == pytest.approx(1 / 3)


def test_weights_count_as_rows():
    z, y, group, *_ = market(5, 0.5, (200, 100, 20))
    weight = np.random.default_rng(6).integers(1, 4, len(z))
    twice = random_intercept.fit(
        *(np.repeat(column, weight) for column in (z, y, np.ones(len(z)), group)),
        3,
        leads=np.repeat(np.arange(len(z)), weight),
    )
    found = random_intercept.fit(z, y, weight.astype(float), group, 3)
    np.testing.assert_allclose(found.offset, twice.offset, atol=1e-6)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_and_extreme_scores_stay_finite(outcome):
    z = np.array([-40.0, -3.0, 0.0, 40.0] * 5)
    found = fit(z, np.full(20, outcome), np.arange(20) % 3, 3)
    for column in (found.offset, found.low, found.high, found.rate, found.rate_low, found.rate_high):
        assert np.isfinite(column).all()
    assert (np.sign(found.offset) == (1 if outcome else -1)).all()


def test_no_row_at_all_gives_zero_offsets():
    none = np.empty(0)
    found = random_intercept.fit(none, none, none, np.empty(0, np.intp), 2)
    assert found.offset.tolist() == [0.0, 0.0]


def test_ten_thousand_groups_of_a_hundred_thousand_rows_take_seconds():
    z, y, group, *_ = market(7, 0.5, [10] * 10_000)
    start = time.perf_counter()
    found = fit(z, y, group, 10_000)
    assert time.perf_counter() - start < 20
    assert found.spread == pytest.approx(0.5, rel=0.3)
