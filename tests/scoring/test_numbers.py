import numpy as np
import pytest

from features import online
from scoring import numbers
from scoring.numbers import Numbers
from tests.scoring import market


def test_features_that_no_tree_reads_are_not_computed():
    scorer = market.bundle().scorer
    read = numbers.features_read(scorer)
    assert 0 < len(read) <= len(scorer.specs)
    assert set(read) == set(scorer.booster.feature_importance("split").nonzero()[0])
    assert numbers.features_read(market.bundle("rules").scorer) == []
    terms = [term.place for term in market.TERMS.terms]
    assert numbers.features_read(market.bundle("scorecard").scorer) == sorted(terms)
    assert numbers.features_read(market.bundle(linear=market.TERMS).scorer) == sorted({*read, *terms})


@pytest.mark.parametrize("kind", ["lightgbm", "scorecard", "rules", "base_rate"])
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


@pytest.mark.parametrize("kind", ["lightgbm", "scorecard"])
def test_what_is_not_read_changes_nothing(kind):
    place = market.PLACE["industry"]
    changes = {**market.EXTRAS, "linear": market.TERMS, "encodings": {place: (0.3, 0.1, 0.2)}}
    scorer = market.bundle(kind, **changes).scorer
    made = Numbers(scorer)
    lead = market.timeline(4)
    row = online.row(lead, market.START + 30 * market.DAY, made.columns.specs)
    X = online.row(lead, market.START + 30 * market.DAY, scorer.specs)
    found = made.of(row[np.newaxis, :])
    assert found["log_odds"] == pytest.approx(scorer.log_odds(X[np.newaxis, :], found["rule_points"]), abs=1e-12)
