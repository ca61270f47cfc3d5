import pytest

from rules.condition import Condition
from rules.parse import builtin
from rules.wording import WORDS, condition, rows, windows
from tests.rules import made


@pytest.mark.parametrize(
    ("asked", "en", "ja"),
    [
        ({"activity": "a"}, "a >= 1", "a >= 1"),
        ({"activity": ["a", "b"], "within": "30d", "at_most": 0}, "a/b (last 30d) = 0", "a/b (直近30d) = 0"),
        ({"activity": "*", "at_least": 2}, "any activity >= 2", "すべての行動 >= 2"),
        ({"activity": "a", "content": "x*", "at_least": 3}, "a content=x* >= 3", "a content=x* >= 3"),
        ({"stage": "lost", "within": "90d"}, "was lost (last 90d)", "lostになったことがある (直近90d)"),
        ({"older_than": "30d"}, "lead older than 30d", "作成から30d超"),
        ({"attribute": "x", "one_of": ["p", "q"]}, "x = p / q", "x = p / q"),
        ({"attribute": "x", "at_least": 1, "at_most": 5}, "x 1-5", "x 1-5"),
        ({"attribute": "x", "known": False}, "x missing", "xが未入力"),
        (
            {"all": [{"stage": "mql"}, {"any": [{"older_than": "1d"}, {"not": {"stage": "lost"}}]}]},
            "was mql and (lead older than 1d or not (was lost))",
            "mqlになったことがある かつ (作成から1d超 または (lostになったことがある)でない)",
        ),
    ],
)
def test_a_condition_reads_in_one_line(asked, en, ja):
    found = Condition.model_validate(asked)
    assert (condition(found, "en"), condition(found, "ja")) == (en, ja)


@pytest.mark.parametrize(
    ("asked", "en", "ja"),
    [
        ({"attribute": "x", "known": True}, (), ()),
        ({"activity": "a", "within": "30d"}, ("last 30d",), ("直近30d",)),
        ({"not": {"stage": "lost"}}, ("at any time",), ("期間を問わず",)),
        (
            {"all": [{"activity": "a", "within": "7d"}, {"stage": "mql"}, {"activity": "b", "within": "7d"}]},
            ("last 7d", "at any time"),
            ("直近7d", "期間を問わず"),
        ),
    ],
)
def test_the_windows_of_a_condition_are_named_once(asked, en, ja):
    found = Condition.model_validate(asked)
    assert (windows(found, "en"), windows(found, "ja")) == (en, ja)


def test_what_is_ours_is_marked_so():
    for lang, mark in (("en", "(ours)"), ("ja", "(独自)")):
        marked = [row["rule"] for row in rows(builtin("standard"), lang) if mark in row["rule"]]
        assert len(marked) == 5


def test_limits_are_told():
    card = made.card(
        behaviour=[
            {"activity": "a", "points": 2, "cap": 10, "half_life": "30d", "within": "90d", "group": "g"},
            {"activity": "a", "points": 2, "once": True},
            {"when": {"stage": "mql"}, "points": -2},
        ],
        groups={"g": 20},
    )
    assert [row["limits"] for row in rows(card, "en")] == [
        "each, at most 10, last 90d, halves in 30d, text: 20",
        "once",
        "while it is true",
    ]


def test_both_languages_have_the_same_words():
    assert WORDS["en"].keys() == WORDS["ja"].keys()
