import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from leadlight.terms import Linear, Lookup, Term, check_encodings

NAN, INF = float("nan"), float("inf")
SPECS = (
    FeatureSpec("views", "frequency", "count", types=("page_view",)),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail")),
    FeatureSpec("size", "fit", "number", attribute="size"),
)
NUMBERS = st.floats(-1e3, 1e3)


def slow(term: Term, code: float, encoded: float) -> float:
    """Say in plain Python what a term adds."""
    if term.categorical:
        if np.isnan(code):
            return term.missing
        return term.levels[int(code)] if 0 <= code < len(term.levels) - 1 else term.levels[-1]
    x = math.copysign(math.log1p(abs(encoded)), encoded) if term.log else encoded
    if term.low is not None and x < term.low:
        x = term.low
    if term.high is not None and x > term.high:
        x = term.high
    return term.weight * (x - term.center) / term.scale if np.isfinite(x) else term.missing


NUMERIC = st.builds(
    Term,
    place=st.sampled_from([0, 2]),
    weight=st.floats(-3, 3),
    center=st.floats(-50, 50),
    scale=st.floats(0.1, 50),
    missing=st.floats(-3, 3),
    low=st.none() | st.floats(-100, -1),
    high=st.none() | st.floats(1, 100),
    log=st.booleans(),
)
CATEGORICAL = st.builds(Term, place=st.just(1), levels=st.tuples(*[st.floats(-3, 3)] * 3), missing=st.floats(-3, 3))
CELLS = st.tuples(
    st.sampled_from([NAN, INF, -INF]) | NUMBERS,
    st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0, -1.0, 99.0, INF]),
    st.just(NAN) | NUMBERS,
)


@settings(max_examples=150, deadline=None)
@given(terms=st.lists(NUMERIC | CATEGORICAL, max_size=5), rows=st.lists(CELLS, max_size=5))
def test_terms_add_what_they_say(terms, rows):
    X = np.array(rows, dtype=float).reshape(len(rows), 3)
    linear = Linear(tuple(terms))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = linear.of(X, X)
    assert parts.shape == (len(rows), len(terms))
    features = np.zeros((len(rows), 3))
    linear.add_to(features, parts)
    expected = np.zeros((len(rows), 3))
    for row, cells in enumerate(X):
        for term in terms:
            expected[row, term.place] += slow(term, cells[term.place], cells[term.place])
    assert features == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert parts.sum(axis=1) == pytest.approx(expected.sum(axis=1), rel=1e-9, abs=1e-9)


def test_categorical_terms_read_codes_and_numeric_ones_what_stands_for_them():
    linear = Linear((Term(1, levels=(0.5, -0.5, 0.1)), Term(1, weight=2.0, center=0.25)))
    X, encoded = np.array([[0.0, 1.0, 0.0]]), np.array([[0.0, 0.75, 0.0]])
    features = np.zeros((1, 3))
    linear.add_to(features, linear.of(X, encoded))
    assert features.tolist() == [[0.0, -0.5 + 2.0 * 0.5, 0.0]]


def test_a_lookup_reads_several_columns_and_knows_others_and_null():
    found = Lookup([1, 0], [(10, 20, 30), (1, 2)], [-1, NAN]).of(
        np.array([[0.0, 0.0], [1.0, 1.0], [7.0, 2.0], [-1.0, 9.0], [NAN, NAN]])
    )
    assert found[:4].tolist() == [[10, 1], [20, 2], [30, 2], [30, 2]]
    assert found[4, 0] == -1
    assert np.isnan(found[4, 1])


@pytest.mark.parametrize(
    "term",
    [
        Term(2, 0.5, 3.0, 2.0, missing=-0.1),
        Term(0, 0.5, low=-1.0, high=4.0),
        Term(0, 0.5, center=1.5, log=True),
        Term(1, levels=(0.1, 0.2, 0.3), missing=1.0),
    ],
)
def test_terms_come_back_from_json(term):
    assert Term.from_json(term.to_json()) == term
    assert Linear.from_json(Linear((term,)).to_json()) == Linear((term,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": NAN}, "must be a finite number"),
        ({"center": INF}, "must be a finite number"),
        ({"missing": "0"}, "must be a finite number"),
        ({"weight": True}, "must be a finite number"),
        ({"low": NAN}, "must be a finite number"),
        ({"scale": 0.0}, "must be > 0"),
        ({"scale": -1.0}, "must be > 0"),
        ({"low": 2.0, "high": 1.0}, "is above high"),
        ({"levels": (0.1, NAN)}, "must be a finite number"),
        ({"levels": (0.1, 0.2), "weight": 1.0}, "levels stand for categories"),
        ({"levels": (0.1, 0.2), "log": True}, "levels stand for categories"),
        ({"log": 1}, "must be true or false"),
        ({"place": 1.0}, "must be a whole number"),
        ({"place": True}, "must be a whole number"),
    ],
)
def test_terms_without_meaning_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        Term(**({"place": 0} | change))


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (Term(3, 1.0), "has 3 features"),
        (Term(-1, 1.0), "has 3 features"),
        (Term(1, 1.0), "`industry` holds categories"),
        (Term(0, levels=(0.1, 0.2)), "`views` holds no categories"),
        (Term(1, levels=(0.1, 0.2)), "2 numbers, must be 3"),
    ],
)
def test_terms_must_fit_the_features(term, message):
    with pytest.raises(InputError, match=message):
        Linear((term,)).check(SPECS, {})


def test_a_line_over_an_encoded_category_is_fine():
    Linear((Term(1, 1.0),)).check(SPECS, {1: (0.1, 0.2, 0.3)})


@pytest.mark.parametrize(
    ("encodings", "message"),
    [
        ({5: (0.1,)}, "has 3 features"),
        ({0: (0.1,)}, "holds no categories"),
        ({1: (0.1, 0.2)}, "2 numbers, must be 3"),
        ({1: (0.1, 0.2, NAN)}, "must be a finite number"),
    ],
)
def test_encodings_must_fit_the_features(encodings, message):
    with pytest.raises(InputError, match=message):
        check_encodings(encodings, SPECS)
