import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.scale import clipped, logit, probabilities, probability, raw_score, raw_scores, widened

chances = st.floats(1e-6, 1 - 1e-6)


@given(chances, chances)
def test_ten_points_double_the_odds_and_fifty_is_the_reference(p, reference):
    odds, anchor = p / (1 - p), reference / (1 - reference)
    assert raw_score(logit(p), reference) == pytest.approx(50 + 10 * math.log2(odds / anchor), abs=1e-6)
    doubled = raw_score(logit(p) + math.log(2), reference)
    assert doubled - raw_score(logit(p), reference) == pytest.approx(10)


@given(st.floats(-800, 800))
def test_probabilities_are_the_same_one_by_one_and_together(log_odds):
    assert probabilities(np.array([log_odds]))[0] == pytest.approx(probability(log_odds), rel=1e-12, abs=1e-300)
    assert probability(log_odds) + probability(-log_odds) == pytest.approx(1)
    assert raw_scores(np.array([log_odds]), 0.3)[0] == raw_score(log_odds, 0.3)


def test_an_interval_is_widened_to_hold_the_probability():
    low, high = widened(np.array([0.2, 0.2, 0.2]), np.array([0.4, 0.4, 0.4]), np.array([0.3, 0.1, 0.5]))
    assert low.tolist() == [0.2, 0.1, 0.2]
    assert high.tolist() == [0.4, 0.4, 0.5]


@pytest.mark.parametrize(("raw", "shown"), [(-3.2, 0.0), (104.0, 100.0), (49.96, 50.0), (-0.01, 0.0)])
def test_the_shown_score_is_clipped(raw, shown):
    assert clipped(raw) == shown
    assert math.copysign(1, clipped(raw)) == 1
