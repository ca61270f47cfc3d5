import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from training.ranks import correlation, rank_correlation, ranks


def test_ranks_are_those_of_scipy():
    values = np.random.default_rng(0).integers(0, 5, 40).astype(float)
    assert ranks(values) == pytest.approx(rankdata(values) - 1)


def test_ranks_share_their_mean_and_an_infinity_is_the_largest():
    assert ranks(np.array([5.0, 1.0, 5.0, np.inf])).tolist() == [1.5, 0.0, 1.5, 3.0]
    assert ranks(np.zeros(0)).tolist() == []


def test_the_correlation_of_ranks_is_that_of_scipy():
    random = np.random.default_rng(1)
    x, y = random.integers(0, 9, 60).astype(float), random.normal(size=60)
    assert rank_correlation(x, x + y) == pytest.approx(spearmanr(x, x + y).statistic)


def test_a_constant_goes_with_nothing():
    assert correlation(np.ones(3), np.arange(3.0)) == 0.0
    assert rank_correlation(np.ones(3), np.arange(3.0)) == 0.0
