import numpy as np
import pytest

from training import audit_signs
from training.audit_changes import Written
from training.audit_later import Follows
from training.audit_odds import Odds
from training.audit_ranking import Ranking
from training.audit_times import Coincidence


def ranked(auc, error=0.01, change=None, change_error=None):
    return Ranking(auc, error, (0.6, None, None, None, 0.9), change, change_error, np.zeros(0))


def verdict(sign):
    return "ok" if sign is None else sign.verdict


@pytest.mark.parametrize(("auc", "expected"), [(0.83, "ok"), (0.84, "suspect"), (0.94, "suspect"), (0.95, "leak")])
def test_how_well_one_column_may_rank(auc, expected):
    assert verdict(audit_signs.of_auc("won", ranked(auc))) == expected


@pytest.mark.parametrize(
    ("change", "error", "expected"), [(0.3, 0.02, "suspect"), (0.3, 0.1, "ok"), (0.1, 0.01, "ok"), (None, None, "ok")]
)
def test_a_change_must_be_large_and_sure(change, error, expected):
    assert verdict(audit_signs.of_change(ranked(0.7, 0.01, change, error))) == expected


@pytest.mark.parametrize(
    ("name", "least", "expected"),
    [("filled", 9, "ok"), ("filled", 10, "suspect"), ("filled", 100, "leak"), ("value", 30, "suspect")],
)
def test_odds_count_by_what_is_sure_of_them(name, least, expected):
    assert verdict(audit_signs.of_odds(name, "won", Odds(least, "filled", 50, 0.9, 0.1))) == expected


def test_a_meeting_with_the_outcome_must_be_more_than_chance():
    assert verdict(audit_signs.of_coincidence(Coincidence(0.5, 0.4, 50, 0.02, "days"))) == "leak"
    assert verdict(audit_signs.of_coincidence(Coincidence(0.3, 0.2, 50, 0.02, "days"))) == "suspect"
    assert verdict(audit_signs.of_coincidence(Coincidence(0.3, 0.1, 50, 0.01, "days"))) == "ok"
    assert verdict(audit_signs.of_coincidence(Coincidence(0.5, 0.4, 50, 0.09, "days"))) == "ok"
    assert verdict(audit_signs.of_coincidence(Coincidence(0.5, 0.4, 5, 0.01, "days"))) == "ok"


@pytest.mark.parametrize(
    ("leads", "after", "least", "expected"),
    [(100, 0.6, 0.5, "leak"), (100, 0.6, 0.49, "suspect"), (100, 0.3, 0.19, "ok"), (9, 1.0, 0.6, "ok")],
)
def test_what_was_written_at_the_outcome_counts_by_what_is_sure_of_it(leads, after, least, expected):
    assert verdict(audit_signs.of_history(Written(leads, after, least, 0.0, 0.0))) == expected


@pytest.mark.parametrize(
    ("leads", "changed", "least", "expected"),
    [(100, 1.0, 0.99, "suspect"), (100, 0.6, 0.5, "suspect"), (100, 0.6, 0.49, "ok"), (9, 1.0, 0.6, "ok")],
)
def test_what_was_overwritten_is_suspect_at_most(leads, changed, least, expected):
    assert verdict(audit_signs.of_overwritten(Written(leads, 0.0, 0.0, changed, least))) == expected


def test_the_other_signs_have_their_bounds():
    assert verdict(audit_signs.of_clock(0.99)) == "suspect"
    assert verdict(audit_signs.of_clock(0.9)) == "ok"
    assert verdict(audit_signs.of_order(ranked(0.8))) == "leak"
    assert verdict(audit_signs.of_order(ranked(0.8, 0.2))) == "ok"
    assert verdict(audit_signs.of_order(ranked(0.55))) == "ok"
    assert verdict(audit_signs.of_later(Follows(0.5, 0.4, "all activities"))) == "suspect"
    assert verdict(audit_signs.of_later(Follows(0.9, 0.8, "all activities"))) == "leak"
    assert verdict(audit_signs.of_total(0.96)) == "leak"
    assert verdict(audit_signs.of_total(0.9)) == "ok"
    assert audit_signs.identifier(0.95).verdict == "suspect"
