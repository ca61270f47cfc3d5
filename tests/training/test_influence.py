"""Parts add up to scores, families to parts, and the sample is the seed's."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from leadlight.errors import InputError
from leadlight.steps import Isotonic
from scoring.scale import raw_scores
from tests.training import cards
from training import influence
from training.influence import RULES, Influence


@pytest.fixture(scope="module")
def scorer():
    return cards.scorer()


@pytest.fixture(scope="module")
def found(scorer):
    X, points, _ = cards.rows(500)
    return influence.influence(scorer, X, points, 0)


def test_parts_add_up_to_the_score_against_its_mean(scorer, found):
    X, points, _ = cards.rows(500)
    score = raw_scores(scorer.log_odds(X, points), scorer.reference)
    assert found.points.sum(axis=1) == pytest.approx(score - score.mean(), abs=1e-9)


def test_so_they_do_with_a_step_behind_them(scorer):
    X, points, _ = cards.rows(300)
    stepped = replace(scorer, isotonic=Isotonic((-2.0, 0.0), (-3.0, -1.0, 1.0)))
    score = raw_scores(stepped.log_odds(X, points), stepped.reference)
    found = influence.influence(stepped, X, points, 0)
    assert found.names[-1] == influence.CALIBRATION
    assert found.points.sum(axis=1) == pytest.approx(score - score.mean(), abs=1e-9)


def test_the_strongest_come_first_and_what_does_nothing_not_at_all(found):
    places = found.strongest(10)
    assert list(found.mean[places]) == sorted(found.mean[places], reverse=True)
    assert found.names[places[0]] == "pricing_views"
    assert found.strongest(1) == places[:1]
    still = replace(found, points=np.zeros_like(found.points))
    assert still.strongest(10) == []
    assert still.by_family() == []


def test_a_family_is_the_sum_of_its_parts_before_the_absolute_value():
    points = np.array([[1.0, -1.0, 2.0], [-1.0, 1.0, 2.0]])
    made = Influence(("a", "b", "c"), ("x", "x", "y"), (False,) * 3, points, points, 2)
    assert made.by_family() == [("y", 2.0)]


def test_the_rule_card_is_a_part_of_its_own(found):
    assert found.names[0] == found.families[0] == RULES
    assert found.direction(0) == pytest.approx(1.0)


def test_direction_is_a_rank_correlation_and_none_for_categories(found):
    known = ~np.isnan(found.values[:, 2])
    assert found.direction(2) == pytest.approx(spearmanr(found.values[known, 2], found.points[known, 2]).statistic)
    assert found.direction(3) is None


def test_the_sample_is_seeded_bounded_and_in_order():
    chosen = influence.sample(100, 10, 3)
    assert len(set(chosen.tolist())) == 10
    assert chosen.tolist() == sorted(chosen.tolist()) == influence.sample(100, 10, 3).tolist()
    assert influence.sample(100, 10, 4).tolist() != chosen.tolist()
    assert influence.sample(5, 10, 3).tolist() == [0, 1, 2, 3, 4]


def test_columns_are_found_by_name(scorer):
    X = np.arange(8.0).reshape(2, 4)
    specs = (cards.SPECS[2], *cards.SPECS[:2], replace(cards.SPECS[1], name="other"))
    assert influence.columns_of(scorer, specs, X).tolist() == [[1, 2, 0], [5, 6, 4]]
    with pytest.raises(InputError, match="the scorer reads `size`"):
        influence.columns_of(scorer, cards.SPECS[:1], X)


def test_other_columns_are_refused(scorer):
    with pytest.raises(InputError, match=r"X has shape \(2, 1\)"):
        influence.influence(scorer, np.zeros((2, 1)), np.zeros(2), 0)


def test_no_row_has_no_influence(scorer):
    found = influence.influence(scorer, np.zeros((0, 3)), np.zeros(0), 0)
    assert found.strongest(3) == []
