import time
from dataclasses import replace

import numpy as np
import pytest

from leadlight.bundle import Scorer
from leadlight.spec import FeatureSpec
from rules import parse
from tests.training import made
from training import scorecard
from training.prior import Prior, fit_rules

PRIOR = Prior(-1.5, 0.05, 1.0, 0.05, "test")
EMPTY = Scorer(
    kind="lightgbm",
    target="sql",
    horizon_us=1,
    reference=0.3,
    rule_a=0.0,
    rule_b=0.0,
    card=parse.to_json(parse.builtin("standard")),
)


def fit(rows, specs=made.SPECS, **changes):
    return scorecard.fit(rows, specs, 0, prior=PRIOR, **changes)


def log_loss(rows, raw):
    return float(np.mean(np.logaddexp(0, raw) - rows.y * raw))


def wide(n, columns, seed=0, true=3, per_lead=1):
    """Make rows with many numeric columns, of which the first few tell something; the last repeats the first."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, columns))
    X[:, -1] = X[:, 0]
    base = made.rows(n, per_lead=per_lead, seed=seed)
    log_odds = -2.0 + 0.04 * base.points + X[:, :true].sum(axis=1) * 0.7
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
    specs = tuple(FeatureSpec(f"x{at}", "fit", "number", attribute=f"x{at}") for at in range(columns))
    frame = base.frame.with_columns(label=y)
    return replace(base, frame=frame, X=X, y=y), specs


def test_it_tells_more_than_the_rules_on_rows_that_it_did_not_see():
    found, later = fit(made.rows(1_500)), made.rows(3_000, seed=6)
    rules = fit_rules(made.rows(1_500), PRIOR)
    assert log_loss(later, found.raw(later)) < log_loss(later, rules.raw(later)) - 0.02
    assert found.link.b > 0
    assert found.penalty in scorecard.PENALTIES
    views = next(term for term in found.linear.terms if term.place == 0)
    assert views.weight / views.scale == pytest.approx(0.5, abs=0.15)


def test_it_chooses_few_features_and_the_right_ones():
    rows, specs = wide(3_000, 80)
    found = fit(rows, specs)
    assert len(found.linear.terms) <= scorecard.MOST_TERMS
    assert {1, 2} <= set(found.places)
    assert {0, 79} & set(found.places)
    assert len(fit(rows, specs, most_terms=2).linear.terms) == 2


def test_where_features_tell_nothing_they_weigh_little_however_few_the_outcomes():
    later, specs = wide(2_000, 40, true=0, seed=1)
    for n in (60, 200, 3_000):
        found = fit(wide(n, 40, true=0)[0], specs)
        assert (found.raw(later) - found.link.log_odds(later.points)).std() < 0.4


def test_it_is_deterministic_and_leaves_the_rows_alone():
    rows = made.rows(800)
    before = rows.X.copy()
    assert fit(rows) == fit(rows)
    assert np.array_equal(rows.X, before, equal_nan=True)


def test_snapshots_of_the_same_leads_are_not_more_evidence():
    rows, specs = wide(400, 6)
    doubled = np.repeat(np.arange(400), 2)
    twice = replace(
        rows,
        frame=rows.frame[doubled.tolist()],
        X=rows.X[doubled],
        points=rows.points[doubled],
        y=rows.y[doubled],
        weight=np.ones(800),
    )
    assert fit(twice, specs).raw(rows) == pytest.approx(fit(rows, specs).raw(rows), abs=0.01)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_is_the_rules(outcome):
    rows = made.rows(200)
    same = replace(rows, y=np.full(200, outcome))
    found = fit(same)
    assert found.linear.terms == ()
    assert found.raw(same) == pytest.approx(fit_rules(same, PRIOR).raw(same))


def test_nothing_that_varies_is_the_rules():
    rows = made.rows(200)
    flat = replace(rows, X=np.full_like(rows.X, 2.0))
    assert fit(flat).linear.terms == ()
    none = replace(rows, X=rows.X[:, :0])
    assert fit(none, ()).raw(none) == pytest.approx(fit_rules(none, PRIOR).raw(none))


def test_points_that_tell_nothing_beside_the_features_are_never_turned_around():
    rows, specs = wide(3_000, 5)
    against = replace(rows, points=np.round(20 - 10 * rows.X[:, 0] + 8 * rows.X[:, 1]))
    found = fit(against, specs)
    assert found.link.b >= 0
    same = replace(rows, points=np.full(3_000, 10.0))
    assert np.isfinite(fit(same, specs).raw(same)).all()


def test_separation_and_wild_values_stay_finite():
    rows = made.rows(300)
    X = rows.X.copy()
    X[:, 0] = rows.y * 1e12
    parted = replace(rows, X=X)
    raw = fit(parted).raw(replace(parted, X=X * 1e6))
    assert np.isfinite(raw).all()
    assert np.abs(raw).max() < 30


def test_the_scorer_says_the_same_from_its_own_few_columns():
    rows = made.rows(1_500)
    found = fit(rows)
    scorer = found.into(EMPTY, made.SPECS)
    assert scorer.kind == "scorecard"
    assert scorer.specs == tuple(made.SPECS[place] for place in found.places)
    X = rows.X[:, list(found.places)]
    assert scorer.log_odds(X, rows.points) == pytest.approx(found.raw(rows), abs=1e-12)
    parts = scorer.contributions(X)
    total = parts.base + parts.rule_scale * rows.points + parts.features.sum(axis=1) + parts.extra
    assert total == pytest.approx(found.raw(rows), abs=1e-9)
    scorer.check_kind()


def test_many_rows_take_seconds():
    rows, specs = wide(20_000, 120, per_lead=4)
    start = time.process_time()
    fit(rows, specs)
    assert time.process_time() - start < 20
