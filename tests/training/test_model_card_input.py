"""The words and the standing that every section reads."""

from dataclasses import replace

import pytest

from tests.training import cards


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def test_the_question_in_words(made):
    assert made.reached == "reached SQL within 30 days"
    assert made.who == "the model"
    assert made.timed
    assert replace(made, split=replace(cards.SPLIT, horizon_us=None)).reached == "reached SQL"


def test_scorers_come_in_a_fixed_order_and_only_those_that_exist(made):
    assert list(made.scores()) == ["model", "rules", "base_rate"]
    assert list(made.scores("rules", "oracle", "model")) == ["rules", "model"]


def test_better_in_one_of_two_measures_is_no_victory(made):
    differences = {name: dict(found) for name, found in made.comparison.differences.items()}
    differences["auc"]["rules"] = replace(differences["auc"]["rules"], verdict="not distinguishable")
    assert replace(made, comparison=replace(made.comparison, differences=differences)).standing == "partly"
    differences["auc"]["rules"] = replace(differences["auc"]["rules"], verdict="worse")
    assert replace(made, comparison=replace(made.comparison, differences=differences)).standing == "worse"


def test_one_outcome_allows_no_standing(made):
    assert replace(made, comparison=replace(made.comparison, positives=0)).standing == "nothing"
    assert made.standing == "better"


def test_what_is_unresolved_is_read_from_the_audit(made):
    assert made.unresolved == ()
    training = {**made.training, "audit": {"unresolved": ["row order"]}}
    assert replace(made, bundle=replace(made.bundle, training=training)).unresolved == ("row order",)
    assert cards.without(made, "audit").unresolved == ()
