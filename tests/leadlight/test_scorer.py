import json
import time
from dataclasses import fields, replace
from functools import lru_cache

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from leadlight.steps import Isotonic, VennAbers
from leadlight.terms import Linear, Term

NAN = float("nan")
SPECS = (
    FeatureSpec("views", "frequency", "count", types=("page_view",)),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail", "mining")),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("team", "fit", "category", attribute="team", categories=("east", "west")),
)
PLAIN = Scorer("rules", "sql", None, reference=0.3, rule_a=-2.0, rule_b=0.05, card={"name": "standard"})
ENCODING = {1: (-1.0, 0.3, 1.2, 0.1)}
TEAM = Term(3, levels=(0.4, -0.3, 0.05), missing=-0.1)
CARD = Scorer(
    "scorecard", "sql", None, reference=0.3, rule_a=-2.0, rule_b=0.05, card={}, specs=SPECS,
    linear=Linear((Term(0, 0.5, 3.0, 2.0, missing=-0.2), Term(2, -0.3, missing=0.1, high=9.0), TEAM)),
)  # fmt: skip


def rows(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Give features with nulls, and points."""
    random = np.random.default_rng(seed)
    X = np.column_stack(
        [random.poisson(3, n), random.integers(0, 4, n), random.normal(4, 5, n), random.integers(0, 3, n)]
    ).astype(float)
    X[random.random(X.shape) < 0.15] = NAN
    return X, random.integers(0, 60, n).astype(float)


@lru_cache
def trees(encoded: bool) -> tuple[lightgbm.Booster, float]:
    """Train a booster over codes, or over the numbers that stand for the industry; give its expected value too."""
    X, points = rows(400)
    if encoded:
        X[:, 1] = np.array([*ENCODING[1], NAN])[np.where(np.isnan(X[:, 1]), 4, X[:, 1]).astype(int)]
    y = (np.nan_to_num(X[:, 0]) + 2 * np.nan_to_num(X[:, 1]) + np.random.default_rng(4).normal(size=400) > 4).astype(
        int
    )
    data = lightgbm.Dataset(
        X, y, init_score=-2.0 + 0.05 * points, categorical_feature=[3] if encoded else [1, 3], params={"verbosity": -1}
    )
    settings_ = {"objective": "binary", "num_leaves": 6, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(settings_ | {"min_data_per_group": 5, "cat_smooth": 1.0}, data, num_boost_round=20)
    return booster, float(booster.predict(X[:1], pred_contrib=True)[0, -1])


def model(*, encoded: bool = True, **changes: object) -> Scorer:
    """Give a scorer with trees."""
    booster, expected = trees(encoded)
    encodings = ENCODING if encoded else {}
    given_ = {"kind": "lightgbm", "booster": booster, "expected_value": expected, "encodings": encodings}
    return replace(CARD, **({"linear": None} | given_ | changes))


SMALL = st.floats(-1, 1)
STEPS = st.lists(st.floats(-3, 3), min_size=1, max_size=6).map(sorted)
ISOTONIC = STEPS.flatmap(
    lambda values: st.lists(st.floats(-4, 4), min_size=len(values) - 1, max_size=len(values) - 1, unique=True).map(
        lambda knots: Isotonic(tuple(sorted(knots)), tuple(values))
    )
)
TERMS = st.lists(
    st.builds(
        Term,
        place=st.sampled_from([0, 2]),
        weight=st.floats(-2, 2),
        center=st.floats(-5, 5),
        missing=SMALL,
        log=st.booleans(),
    )
    | st.builds(Term, place=st.just(3), levels=st.tuples(*[st.floats(-2, 2)] * 3), missing=SMALL)
    | st.builds(Term, place=st.just(1), levels=st.tuples(*[st.floats(-2, 2)] * 4)),
    max_size=5,
).map(lambda terms: Linear(tuple(terms)))


@pytest.mark.parametrize("kind", ["rules", "base_rate", "scorecard", "lightgbm", "encoded"])
@settings(max_examples=60, deadline=None)
@given(
    n=st.sampled_from([0, 1, 40]),
    seed=st.integers(0, 99),
    linear=TERMS,
    isotonic=st.none() | ISOTONIC,
    shift=st.just(0.0) | st.floats(-4, 4),
    slope=st.floats(0.1, 3),
    intercept=st.floats(-3, 3),
    share=st.just(1.0) | st.floats(0, 1),
)
def test_parts_add_up_to_the_log_odds(*, kind, n, seed, linear, isotonic, shift, slope, intercept, share):
    base = {"lightgbm": model(encoded=False), "encoded": model(), "scorecard": CARD}.get(kind, PLAIN)
    changes = {} if base is PLAIN else {"linear": linear}
    if kind == "base_rate":
        changes["rule_b"] = 0.0
    changes |= {"isotonic": isotonic, "shift": shift, "slope": slope, "intercept": intercept, "rule_share": share}
    scorer = replace(base, **changes)
    X, points = rows(n, seed)
    X = X[:, : len(scorer.specs)]
    served = scorer.log_odds(X, points)
    log_odds, parts = scorer.explained(X, points)
    assert np.array_equal(log_odds, served)
    assert parts.features.shape == (n, len(scorer.specs))
    assert parts.extra.shape == (n,)
    total = parts.base + parts.rule_scale * points + parts.features.sum(axis=1) + parts.extra
    assert np.array_equal(parts.log_odds(points), total)
    assert np.abs(total - served).max(initial=0) <= 1e-9
    assert np.isfinite(served).all()
    again = scorer.contributions(X, points)
    assert np.array_equal(again.features, parts.features)
    assert np.array_equal(again.extra, parts.extra)
    assert isotonic is not None or not parts.extra.any()


def test_each_part_stands_where_its_formula_says():
    X, points = np.array([[5.0, 2.0, NAN, 1.0]]), np.array([20.0])
    linear = 0.5 * (5 - 3) / 2 + 0.1 - 0.3
    z = 0.8 * (-2.0 + 0.05 * 20 + linear) - 0.1
    found = replace(CARD, slope=0.8, intercept=-0.1)
    assert found.log_odds(X, points) == pytest.approx([z])
    assert found.contributions(X).features[0] == pytest.approx([0.8 * 0.5, 0.0, 0.8 * 0.1, 0.8 * -0.3])
    found = replace(found, shift=0.7, isotonic=Isotonic((-3.0, 3.0), (-3.0, -0.25, 3.0)))
    assert found.log_odds(X, points) == pytest.approx([-0.25 + 0.7])
    assert found.contributions(X, points).extra == pytest.approx([-0.25 - z])
    assert found.base == pytest.approx(0.8 * -2.0 - 0.1 + 0.7)


def test_a_share_of_the_rules_counts_beside_what_else_speaks():
    X, points = rows(20)
    found = replace(CARD, slope=0.8, intercept=-0.1, rule_share=0.25)
    other = CARD.linear.of(X, X).sum(axis=1)
    assert found.log_odds(X, points) == pytest.approx(0.8 * (0.25 * (-2.0 + 0.05 * points) + other) - 0.1)
    assert (found.base, found.rule_scale) == pytest.approx((0.8 * 0.25 * -2.0 - 0.1, 0.8 * 0.25 * 0.05))
    assert found.rules_alone().rule_share == 1.0


def test_encodings_reach_the_trees_and_leave_the_rows_alone():
    X, points = rows(50)
    before = X.copy()
    scorer = model()
    encoded = X.copy()
    encoded[:, 1] = [NAN if np.isnan(code) else ENCODING[1][int(code)] for code in X[:, 1]]
    expected = -2.0 + 0.05 * points + scorer.booster.predict(encoded, raw_score=True)
    assert scorer.log_odds(X, points) == pytest.approx(expected, abs=1e-12)
    assert np.array_equal(X, before, equal_nan=True)


def test_trees_and_terms_of_a_feature_are_one_contribution():
    X, _ = rows(50)
    alone, both = model(), model(linear=Linear((TEAM, Term(0, 0.1))))
    team = [-0.1 if np.isnan(code) else TEAM.levels[int(code)] for code in X[:, 3]]
    difference = both.contributions(X).features - alone.contributions(X).features
    assert difference[:, 3] == pytest.approx(team)
    assert difference[:, 0] == pytest.approx(np.where(np.isnan(X[:, 0]), 0.0, 0.1 * np.nan_to_num(X[:, 0])))
    assert np.array_equal(difference[:, 1:3], np.zeros((50, 2)))


def test_one_row_scores_as_it_does_among_many():
    X, points = rows(30)
    scorer = model(linear=CARD.linear, isotonic=Isotonic((-2.0, 0.0), (-2.5, -1.0, 1.0)), shift=0.3)
    together = scorer.log_odds(X, points)
    assert together.tolist() == [scorer.log_odds(X[[at]], points[[at]])[0] for at in range(30)]


def test_the_interval_moves_with_the_base_rate():
    assert PLAIN.interval_of(np.zeros(2)) is None
    interval = VennAbers((0.0,), (0.1, 0.5), (0.2, 0.6))
    scorer = replace(PLAIN, interval=interval)
    low, high = scorer.interval_of(np.array([-0.5, 0.5]))
    assert (low.tolist(), high.tolist()) == ([0.1, 0.5], [0.2, 0.6])
    moved = replace(scorer, shift=2.0).interval_of(np.array([1.5, 2.5]))
    for end, before in zip(moved, (low, high), strict=True):
        assert np.log(end / (1 - end)) == pytest.approx(np.log(before / (1 - before)) + 2.0)


def test_the_rules_under_a_model_stand_alone():
    full = model(
        linear=CARD.linear, slope=0.5, isotonic=Isotonic((), (0.0,)), shift=1.0, interval=VennAbers((), (0.1,), (0.2,))
    )
    assert full.rules_alone() == replace(PLAIN, card=full.card)
    full = replace(full, alone=(-1.0, 0.1))
    assert full.rules_alone() == replace(PLAIN, card=full.card, rule_a=-1.0, rule_b=0.1)
    assert replace(full, alone=(-1.0, 0.0)).rules_alone().kind == "base_rate"
    assert Scorer.from_json(json.loads(json.dumps(full.to_json())), full.booster).rule_line == (-1.0, 0.1)
    older = {name: value for name, value in full.to_json().items() if name != "alone"}
    assert Scorer.from_json(older, full.booster).rule_line == (full.rule_a, full.rule_b)


@pytest.mark.parametrize("alone", [(float("nan"), 0.1), (0.0, -0.1)])
def test_a_rule_line_that_means_nothing_is_refused(alone):
    with pytest.raises(InputError, match="alone"):
        replace(PLAIN, alone=alone)


def test_the_part_of_calibration_needs_the_points():
    scorer = replace(PLAIN, isotonic=Isotonic((), (0.0,)))
    with pytest.raises(InputError, match="rule points"):
        scorer.contributions(np.zeros((1, 0)))


@pytest.mark.parametrize(
    ("base", "change", "message"),
    [
        (PLAIN, {"reference": 0.0}, "reference"),
        (PLAIN, {"reference": 1.0}, "reference"),
        (PLAIN, {"rule_b": -0.1}, "rule_b"),
        (PLAIN, {"slope": NAN}, "slope"),
        (PLAIN, {"rule_share": 1.5}, "between 0 and 1"),
        (PLAIN, {"rule_share": True}, "rule_share"),
        (PLAIN, {"rule_a": float("inf")}, "rule_a"),
        (PLAIN, {"shift": NAN}, "shift"),
        (PLAIN, {"shift": 31.0}, "between -30"),
        (PLAIN, {"linear": CARD.linear}, "has 0 features"),
        (PLAIN, {"encodings": ENCODING}, "has 0 features"),
        (CARD, {"encodings": {3: (0.1,)}}, "1 numbers, must be 3"),
        (CARD, {"linear": Linear((Term(1, 1.0),))}, "holds categories"),
    ],
)
def test_numbers_without_meaning_are_refused(base, change, message):
    with pytest.raises(InputError, match=message):
        replace(base, **change)


@pytest.mark.parametrize(
    ("base", "change", "message"),
    [
        (PLAIN, {"kind": "lightgbm"}, "does not fit the model file"),
        (PLAIN, {"kind": "scorecard"}, "needs linear terms"),
        (CARD, {"kind": "rules"}, "has no linear terms"),
        (CARD, {"kind": "guess"}, "kind of scorer `guess` does not exist"),
    ],
)
def test_a_kind_has_its_parts(base, change, message):
    with pytest.raises(InputError, match=message):
        replace(base, **change).check_kind()


@pytest.mark.parametrize(
    "scorer",
    [
        PLAIN,
        CARD,
        replace(
            CARD,
            encodings=ENCODING,
            rule_share=0.5,
            isotonic=Isotonic((0.5,), (0.0, 1.0)),
            shift=-0.4,
            interval=VennAbers((0.5,), (0.1, 0.2), (0.3, 0.4)),
        ),
    ],
)
def test_a_scorer_comes_back_from_json(scorer):
    assert Scorer.from_json(scorer.to_json(), None) == scorer
    named = {f.name for f in fields(Scorer) if f.init} - {"booster"}
    assert scorer.to_json().keys() == named


def test_in_a_scorer_written_before_there_were_shares_the_rules_count_in_full():
    told = PLAIN.to_json()
    del told["rule_share"]
    assert Scorer.from_json(told, None) == PLAIN


def test_one_row_costs_microseconds_however_many_categories():
    names = tuple(f"company {number}" for number in range(10_000))
    specs = (*SPECS[:3], replace(SPECS[3], categories=names))
    numbers = tuple(np.linspace(-1, 1, len(names) + 1).tolist())
    linear = Linear((*CARD.linear.terms[:2], Term(3, levels=numbers)))
    knots = tuple(np.linspace(-3, 3, 500).tolist())
    interval = VennAbers(knots, (0.1,) * 501, (0.2,) * 501)
    scorer = replace(CARD, specs=specs, linear=linear, encodings={3: numbers}, shift=0.4, interval=interval)
    X, points = np.array([[3.0, 1.0, NAN, 7_777.0]]), np.array([20.0])
    times = []
    for _ in range(300):
        start = time.perf_counter()
        scorer.interval_of(scorer.explained(X, points)[0])
        times.append(time.perf_counter() - start)
    assert min(times) < 300e-6
