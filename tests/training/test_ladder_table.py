import numpy as np
import pytest

from training.ladder_table import Judged, Origin

NAN = float("nan")


def judged(**loss):
    """Make four rows of four leads, two at each of two origins."""
    origins = tuple(Origin(at, 5 * (at + 1), 2, 1, dict.fromkeys(loss, 0.0)) for at in range(2))
    values = {name: np.array(column, dtype=float) for name, column in loss.items()}
    return Judged(values, np.ones(4), np.arange(4), np.array([0, 0, 1, 1]), origins)


def test_the_simplest_rung_within_one_standard_error_is_chosen():
    near = judged(prior=[9, 9, 9, 9], rules=[1, 2, 1, 3], scorecard=[1, 1, 2, 2.5])
    assert near.difference("rules", "scorecard") == pytest.approx((0.125, np.std([0, 1, -1, 0.5], ddof=1) / 2))
    assert near.choice() == "rules"
    far = judged(prior=[9, 9, 9, 9], rules=[2, 2, 2, 3], scorecard=[1, 1, 1, 1.9])
    assert far.choice() == "scorecard"
    assert judged(prior=[1, 1, 1, 1], rules=[2, 2, 2, 2]).choice() == "prior"


def test_the_rules_give_way_to_the_prior_only_where_they_are_worse_by_more_than_an_error():
    assert judged(prior=[1, 2, 1, 2.1], rules=[2, 1, 2, 1]).choice() == "rules"
    assert judged(prior=[1, 2, 1, 1.9], rules=[2, 1, 2, 1]).choice() == "rules"
    assert judged(prior=[1, 2, 1, 1.1], rules=[3, 4, 3, 2]).choice() == "prior"


def test_rungs_are_compared_where_both_were_fitted():
    found = judged(prior=[1, 1, 5, 5.5], rules=[NAN, NAN, 2, 2])
    assert found.difference("rules", "prior") == pytest.approx((-3.25, 0.25))
    assert found.choice() == "rules"
    prior, rules = found.table("rules")
    assert prior.log_loss == pytest.approx(3.125)
    assert prior.difference == pytest.approx(3.25)
    assert (rules.log_loss, rules.difference, rules.difference_error) == (2.0, None, None)
    assert judged(prior=[1, 1, 1, 1], rules=[NAN] * 4).difference("rules", "prior") is None


def test_a_rung_fitted_on_few_rows_does_not_excuse_one_that_was_beaten_elsewhere():
    found = judged(prior=[9, 9, 2, 9], rules=[2, 2.1, 3, 2], scorecard=[NAN, NAN, 3, 1])
    assert not found._beats("scorecard", "prior")
    assert found._beats("rules", "prior")
    assert found.choice() == "rules"


def test_the_course_over_the_origins():
    found = judged(rules=[1, 2, 3, 4], scorecard=[1, 1, 1, 2])
    first, second = found.seen("rules", "scorecard")
    assert (first.wins, second.wins) == (5, 10)
    assert first.difference == pytest.approx(-0.5)
    assert found.seen("rules", "model") == ()
    assert found.seen("rules", None) == ()
