import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.errors import InputError
from scoring.temperature import Levels, temperature

LEVELS = Levels(hot=50, warm=30, margin=3)


@pytest.mark.parametrize(
    ("score", "previous", "expected"),
    [
        (50, None, "hot"),
        (49.9, None, "warm"),
        (47, "hot", "hot"),
        (46.9, "hot", "warm"),
        (47, "warm", "warm"),
        (30, None, "warm"),
        (29.9, None, "cold"),
        (27, "warm", "warm"),
        (27, "hot", "warm"),
        (26.9, "hot", "cold"),
        (27, "cold", "cold"),
    ],
)
def test_entered_at_the_level_and_left_below_the_margin(score, previous, expected):
    assert temperature(score, LEVELS, previous) == expected


def test_a_condition_of_the_card_makes_hot_whatever_the_score():
    assert temperature(0, LEVELS, "cold", ready=True) == "hot"


@given(st.floats(0, 100), st.sampled_from(["hot", "warm", "cold", None]))
def test_it_settles_at_once(score, previous):
    first = temperature(score, LEVELS, previous)
    assert temperature(score, LEVELS, first) == first


def test_levels_without_meaning_are_refused():
    with pytest.raises(InputError, match="below hot"):
        Levels(hot=30, warm=30)
    with pytest.raises(InputError, match="margin"):
        Levels(margin=-1)
