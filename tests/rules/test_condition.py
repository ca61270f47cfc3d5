import numpy as np
import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from rules.condition import Condition, compiled, days, holds, specs_of
from tests.rules import made, slow


def one(**keys):
    return compiled(Condition.model_validate(keys))


def answer(test, *values):
    (spec,) = specs_of(test)
    return holds(test, {spec.name: np.array(values, dtype=float)}, len(values)).tolist()


@pytest.mark.parametrize(("window", "expected"), [("30d", 30), ("12h", 0.5), ("2w", 14), ("1.5d", 1.5)])
def test_a_window_is_a_number_and_a_unit(window, expected):
    assert days(window) == expected


@pytest.mark.parametrize(
    ("window", "message"),
    [("0d", "no length"), ("30", "not a length"), ("-3d", "not a length"), ("3m", "not a length"), (30, "no unit")],
)
def test_a_window_without_length_or_unit_is_refused(window, message):
    with pytest.raises(ValidationError, match=message):
        Condition.model_validate({"older_than": window})


@pytest.mark.parametrize(
    ("keys", "values", "expected"),
    [
        ({"activity": "a"}, [0, 1, 5], [False, True, True]),
        ({"activity": "a", "at_least": 3}, [2, 3, 4], [False, True, True]),
        ({"activity": "a", "at_most": 0}, [0, 1], [True, False]),
        ({"activity": "a", "at_least": 1, "at_most": 2}, [0, 1, 2, 3], [False, True, True, False]),
        ({"attribute": "x", "at_least": 100}, [99, 100, np.nan], [False, True, False]),
        ({"attribute": "x", "at_most": 100}, [100, 101, np.nan], [True, False, False]),
        ({"attribute": "x", "one_of": ["p", "q"]}, [0, 1, 2, np.nan], [True, True, False, False]),
        ({"attribute": "x", "known": True}, [0, np.nan], [True, False]),
        ({"attribute": "x", "known": False}, [0, np.nan], [False, True]),
        ({"not": {"attribute": "x", "one_of": ["p"]}}, [0, 1, np.nan], [False, True, True]),
        ({"stage": "mql"}, [0, 1], [False, True]),
        ({"stage": "lost", "within": "30d"}, [30, 31, np.nan], [True, False, False]),
        ({"older_than": "30d"}, [30, np.nextafter(30, 31)], [False, True]),
    ],
)
def test_a_condition_is_a_range_of_a_column(keys, values, expected):
    assert answer(one(**keys), *values) == expected


def test_an_absent_column_is_null():
    assert holds(one(attribute="x", at_least=1), {}, 2).tolist() == [False, False]


@settings(max_examples=50, deadline=None)
@given(made.conditions, made.timelines())
def test_the_translation_to_columns_means_what_the_grammar_says(condition, timeline):
    asked = Condition.model_validate(condition)
    test = compiled(asked)
    for as_of in (0, 3 * made.STEP, 12 * made.STEP):
        columns = {spec.name: np.array([slow.value(timeline, spec, as_of)]) for spec in specs_of(test)}
        assert holds(test, columns, 1)[0] == slow.true(asked, timeline, as_of)


def test_the_same_question_shares_a_column_and_another_does_not():
    names = [
        specs_of(one(**keys))[0].name
        for keys in (
            {"activity": ["a", "b"]},
            {"activity": ["b", "a"], "at_least": 3},
            {"activity": ["a", "b"], "within": "1d"},
            {"activity": ["a", "b"], "content": "x*"},
            {"activity": ["a_b"]},
        )
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 4


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "found none"),
        ({"activity": "a", "stage": "mql"}, "`activity` and `stage`"),
        ({"stage": "mql", "at_least": 2}, "`at_least` has no meaning"),
        ({"activity": "a", "known": True}, "`known` has no meaning"),
        ({"activity": "a", "at_least": 0}, "whole number from 1"),
        ({"activity": "a", "at_least": 1.5}, "whole number"),
        ({"activity": "a", "at_most": -1}, "whole number from 0"),
        ({"activity": "a", "at_least": 3, "at_most": 2}, "nothing can fulfil"),
        ({"attribute": "x"}, "compared either"),
        ({"attribute": "x", "at_least": 1, "one_of": ["a"]}, "compared either"),
        ({"attribute": "x", "one_of": []}, "at least 1"),
        ({"activity": ["*", "a"]}, "write it alone"),
        ({"all": []}, "at least 1"),
        ({"stage": "mqll"}, "did you mean `mql`"),
        ({"activity": "a", "actor": "sale"}, "did you mean `sales`"),
        ({"attribute": "x", "at_least": float("nan")}, "finite"),
    ],
)
def test_a_condition_without_meaning_is_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        Condition.model_validate(keys)


def test_yaml_scalars_are_compared_as_text():
    assert Condition.model_validate({"attribute": "x", "one_of": [True, 10, "p"]}).one_of == ("true", "10", "p")
