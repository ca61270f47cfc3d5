import numpy as np
import pytest

from scoring import numbers
from scoring.numbers import Numbers
from tests.scoring import market


def test_features_that_no_tree_reads_are_not_computed():
    scorer = market.bundle().scorer
    read = numbers.features_read(scorer)
    assert 0 < len(read) <= len(scorer.specs)
    assert set(read) == set(scorer.booster.feature_importance("split").nonzero()[0])
    assert numbers.features_read(market.bundle("rules").scorer) == []


@pytest.mark.parametrize("kind", ["lightgbm", "rules", "base_rate"])
def test_the_numbers_hang_together(kind):
    scorer = market.bundle(kind).scorer
    made = Numbers(scorer)
    matrix = np.random.default_rng(3).uniform(0, 9, (5, len(made.columns.specs)))
    found = made.of(matrix)
    assert tuple(found) == numbers.SCORES
    assert np.allclose(found["probability"], 1 / (1 + np.exp(-found["log_odds"])))
    if kind == "rules":
        assert np.allclose(found["log_odds"], scorer.base + scorer.rule_scale * found["rule_points"])
    assert (np.argsort(found["score"]) == np.argsort(found["log_odds"])).all()
