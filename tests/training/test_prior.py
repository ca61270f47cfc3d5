import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.bundle import Scorer
from leadlight.errors import InputError
from leadlight.schema import TARGETS
from rules import parse
from scoring.scale import probabilities
from tests.training import made
from training import prior as priors
from training.baselines import RulesLink
from training.prior import Prior, recalibrated

STANDARD = parse.builtin("standard")
SILENT = STANDARD.model_copy(update={"rule_prior": None})
PRIOR = Prior(-2.0, 0.04, 1.0, 0.04, "test")


def card(*rules, **changes):
    """Make a card that states no prior."""
    parts = {"behaviour": [], "fit": []}
    for side, name, points, more in rules:
        parts[side].append({"name": name, "label": {"en": "x", "ja": "x"}, "points": points, **more})
    head = {
        "name": "made",
        "label": {"en": "x", "ja": "x"},
        "temperature": {"hot": 50, "warm": 20},
        "fit_grades": {"A": 15, "B": 5, "C": 0},
        "engagement_levels": {"2": 10, "3": 25, "4": 50},
    }
    return parse.from_json({**head, **parts, **changes})


WHEN = {"when": {"attribute": "industry", "one_of": ["mining"]}}


def at(prior, points):
    return float(prior.link.probability(np.array([float(points)]))[0])


def test_usual_ranges_multiply_along_the_funnel():
    assert priors.usual_range("sql", of_mqls=False) == pytest.approx((0.03, 0.10))
    assert priors.usual_range("opportunity", of_mqls=True) == pytest.approx((0.15, 0.35))
    assert priors.usual_range("customer", of_mqls=True) == pytest.approx((0.03, 0.14))
    assert priors.usual_range("customer", of_mqls=False) == (0.01, 0.05)


def test_a_card_that_states_its_prior_is_taken_at_its_word():
    prior = Prior.of(STANDARD, "sql")
    assert at(prior, 50) == pytest.approx(0.30)
    odds = at(prior, 70) / (1 - at(prior, 70))
    assert odds == pytest.approx(2 * 0.30 / 0.70)
    assert prior.source == "the card's rule_prior"


@pytest.mark.parametrize(("target", "expected"), [("opportunity", 0.15), ("customer", 0.03)])
def test_for_later_stages_it_is_multiplied_by_the_usual_rates_from_there(target, expected):
    prior = Prior.of(STANDARD, target)
    assert at(prior, 50) == pytest.approx(expected)
    assert prior.b == Prior.of(STANDARD, "sql").b


@pytest.mark.parametrize("target", TARGETS)
def test_a_card_that_states_nothing_gives_the_usual_ranges(target):
    prior = Prior.of(SILENT, target)
    low, high = priors.usual_range(target, of_mqls=True)
    assert low < at(prior, SILENT.threshold) < high
    assert at(prior, 0) == pytest.approx(priors.usual_range(target, of_mqls=False)[0])
    assert prior.b > 0


def test_a_threshold_that_cannot_be_reached_is_not_waited_for():
    small = card(("behaviour", "page", 5, {"activity": "blog_view", "cap": 10}))
    prior = Prior.of(small, "sql")
    assert 0.30 < at(prior, 10) < 0.50
    assert at(prior, 0) == pytest.approx(0.03)


def test_where_points_are_only_deducted_none_is_the_usual_rate():
    prior = Prior.of(card(("fit", "bad", -10, WHEN)), "sql")
    assert 0.03 < at(prior, 0) < 0.10
    assert at(prior, -10) == pytest.approx(0.03)
    assert prior.b > 0


def test_a_card_that_tells_nobody_apart_is_the_usual_rate_for_all():
    silent = card(("behaviour", "silent", -10, {"when": {"older_than": "30d"}}))  # behaviour never falls below 0
    for prior in (Prior.of(silent, "sql"), Prior.of(STANDARD, "sql", np.zeros(9)), Prior.of(SILENT, "sql", [5, 5])):
        assert prior.b == 0
        assert 0.03 < at(prior, 5) < 0.10
        assert prior.b_sd > 0
    assert Prior.of(STANDARD, "sql", []).b > 0


@pytest.mark.parametrize("changes", [{"a": math.nan}, {"b": -0.1}, {"a_sd": 0.0}, {"b_sd": 0.0}, {"b_sd": math.inf}])
def test_a_prior_without_meaning_is_refused(changes):
    with pytest.raises(InputError, match="prior"):
        replace(PRIOR, **changes)


def sample(n, a=-1.0, b=0.06, seed=0):
    random = np.random.default_rng(seed)
    points = random.integers(0, 60, n).astype(float)
    return points, (random.random(n) < probabilities(a + b * points)).astype(float), np.ones(n)


def test_without_outcomes_it_is_the_prior():
    assert recalibrated([], [], [], PRIOR) == PRIOR.link
    points, y, _ = sample(50)
    assert recalibrated(points, y, np.zeros(50), PRIOR) == pytest.approx(PRIOR.link)


def test_few_outcomes_move_it_a_little_and_many_wholly():
    distances = []
    for n in (0, 10, 100, 1_000, 100_000):
        link = recalibrated(*sample(n), PRIOR)
        distances.append(abs(link.a + 1.0) + 30 * abs(link.b - 0.06))
    assert distances[0] == pytest.approx(1.6)
    assert distances[-1] < 0.05
    assert distances[1] > distances[-1]
    many = sample(20_000)
    assert recalibrated(*many, PRIOR) == pytest.approx(RulesLink.fit(*many), rel=0.01, abs=0.01)


def test_it_is_the_point_where_the_penalised_likelihood_is_flat():
    points, y, mass = sample(80, seed=3)
    link = recalibrated(points, y, mass, PRIOR)
    wrong = probabilities(link.a + link.b * points) - y
    assert wrong.sum() + (link.a - PRIOR.a) / PRIOR.a_sd**2 == pytest.approx(0, abs=1e-6)
    assert wrong @ points + (link.b - PRIOR.b) / PRIOR.b_sd**2 == pytest.approx(0, abs=1e-4)


def test_one_class_moves_the_level_and_stays_finite():
    points = np.linspace(0, 60, 2_000)
    none = recalibrated(points, np.zeros(2_000), np.ones(2_000), PRIOR)
    every = recalibrated(points, np.ones(2_000), np.ones(2_000), PRIOR)
    assert none.probability(points).max() < 0.02
    assert every.probability(points).min() > 0.5
    assert np.isfinite([*none, *every]).all()
    assert none.b >= 0


def test_points_are_never_turned_around():
    points, y, mass = sample(3_000, a=1.0, b=-0.1)
    link = recalibrated(points, y, mass, PRIOR)
    assert link.b == 0
    assert link.probability(np.zeros(1))[0] == pytest.approx(y.mean(), abs=0.01)


@given(
    st.lists(st.tuples(st.floats(-1e4, 1e4), st.integers(0, 1), st.floats(0, 20)), max_size=40),
    st.floats(-6, 2),
    st.floats(0, 0.2),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_rows_it_is_finite_and_rises(rows, a, b):
    columns = np.array(rows, dtype=float).reshape(-1, 3).T
    link = recalibrated(*columns, Prior(a, b, 1.0, 0.05, "test"))
    assert np.isfinite(link).all()
    assert link.b >= 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [0, 1], [1, 1]), "shapes"),
        (([math.inf], [0], [1]), "finite"),
        (([1.0], [0.5], [1]), "0 or 1"),
        (([1.0], [1], [-1]), "weights"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        recalibrated(*arguments, PRIOR)


def test_evidence_counts_leads_and_not_their_snapshots():
    rows = made.rows(300, per_lead=3)
    assert priors.evidence(rows).sum() == pytest.approx(100)
    assert priors.evidence(rows.take(np.zeros(300, dtype=bool))).shape == (0,)
    places = np.repeat(np.arange(300), 4)
    again = replace(
        rows, frame=rows.frame[places.tolist()], points=rows.points[places], y=rows.y[places], weight=np.ones(1_200)
    )
    assert priors.fit_rules(again, PRIOR).link == pytest.approx(priors.fit_rules(rows, PRIOR).link)


def test_a_line_becomes_a_scorer_that_says_the_same():
    rows = made.rows(300)
    empty = Scorer(
        kind="lightgbm", target="sql", horizon_us=1, reference=0.3, rule_a=0.0, rule_b=0.0, card=parse.to_json(STANDARD)
    )
    line = priors.fit_rules(rows, PRIOR)
    scorer = line.into(empty)
    assert scorer.kind == "rules"
    assert scorer.log_odds(rows.X[:, :0], rows.points) == pytest.approx(line.raw(rows))
    flat = priors.fit_prior(replace(PRIOR, b=0.0))
    assert flat.into(empty).kind == "base_rate"
    assert flat.raw(rows) == pytest.approx(np.full(300, PRIOR.a))
