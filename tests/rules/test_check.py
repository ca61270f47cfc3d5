import math

import pytest

from rules.check import activity_types, most_points, problems
from rules.parse import builtin
from tests.rules import made


def test_most_points_respects_every_limit():
    card = made.card(
        behaviour=[
            {"activity": "a", "points": 2, "cap": 10},
            {"activity": "b", "points": 7, "once": True},
            {"activity": "c", "points": -5},
            {"activity": "a", "points": 20, "group": "g"},
            {"activity": "b", "points": 30, "cap": 30, "group": "g"},
        ],
        fit=[{"when": {"attribute": "x", "known": True}, "points": 3}],
        groups={"g": 40},
    )
    assert (most_points(card, "behaviour"), most_points(card, "fit")) == (10 + 7 + 40, 3)
    assert math.isinf(most_points(builtin("simple"), "behaviour"))


def test_a_threshold_that_nobody_can_reach_is_told():
    card = made.card(behaviour=[{"activity": "a", "points": 2, "cap": 10}])
    assert list(problems(card)) == ["no lead can reach the threshold 50: the rules give at most 10 points"]


def test_names_that_the_data_does_not_have_are_told():
    card = made.card(
        behaviour=[{"activity": "dowload", "points": 60}],
        fit=[
            {"when": {"attribute": "industri", "known": True}, "points": 3},
            {"when": {"attribute": "size", "at_least": 3}, "points": 3},
        ],
    )
    told = list(problems(card, {"industry": "category", "size": "category"}, ["download"]))
    assert told == [
        "activity type `dowload` is not in the data; did you mean `download`?",
        "attribute `industri` is not in the data, so it gives no points; did you mean `industry`?",
        "attribute `size` is a category in the data, and the card compares it otherwise: it gives no points",
    ]


@pytest.mark.parametrize(("name", "found"), [("dowload", 1), ("W_Nabellen offertes", 0)])
def test_without_data_only_near_misses_of_the_products_types_are_told(name, found):
    card = made.card(behaviour=[{"activity": name, "points": 60}])
    assert len(list(problems(card))) == found


def test_the_cards_of_the_package_have_nothing_amiss():
    assert list(problems(builtin("standard"))) == []
    assert list(problems(builtin("simple"))) == []
    assert activity_types(builtin("simple")) == ("download", "mail_open", "seminar_attended")
