"""Base rate, rules as probability, logistic regression: known answers, constraints, degenerate training sides."""

import doctest
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.spec import FeatureSpec
from scoring.scale import probabilities
from tests.training import market
from training import baselines, pipeline, tested
from training.baselines import Logistic, RulesLink, base_rate

COUNT = FeatureSpec(name="visits", family="frequency", measure="count")
AGE = FeatureSpec(name="age", family="age", measure="age_days")
SOURCE = FeatureSpec(
    name="source", family="fit", measure="category", attribute="source", categories=("seminar", "advert")
)
SPECS = (COUNT, AGE, SOURCE)


def points_and_labels(seed=0, n=3000, slope=0.04):
    rng = np.random.default_rng(seed)
    points = rng.gamma(2, 15, n)
    return points, (rng.random(n) < probabilities(-2.5 + slope * points)).astype(float), rng.uniform(0.5, 2, n)


def features(seed=0, n=1500):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.poisson(3, n), rng.uniform(0, 90, n), rng.integers(0, 3, n)]).astype(float)
    effect = np.array([1.0, -0.5, 0.0])[X[:, 2].astype(int)]
    y = (rng.random(n) < probabilities(-2 + 0.9 * np.log1p(X[:, 0]) + effect)).astype(float)
    X[rng.random(n) < 0.2, 1] = np.nan
    X[rng.random(n) < 0.1, 2] = np.nan
    return X, y


def test_every_example_in_the_docstrings_holds():
    result = doctest.testmod(baselines)
    assert result.attempted >= 2
    assert result.failed == 0


def test_the_base_rate_is_the_weighted_share_with_half_a_row_on_each_side():
    assert base_rate([1, 0, 0, 0]) == 1.5 / 5
    assert base_rate([1, 0], [3.0, 1.0]) == 3.5 / 5
    assert base_rate([0] * 9) == 0.05
    assert base_rate([1] * 9) == 0.95


def test_the_rules_link_finds_the_parameters_that_made_the_data():
    points, y, _ = points_and_labels(n=40_000)
    a, b = RulesLink.fit(points, y)
    assert a == pytest.approx(-2.5, abs=0.1)
    assert b == pytest.approx(0.04, abs=0.003)


def test_the_rules_link_is_the_weighted_maximum_of_the_stated_objective():
    points, y, w = points_and_labels(n=400)
    mean = np.average(points, weights=w)
    spread = np.sqrt(np.average((points - mean) ** 2, weights=w))
    x, t, m = np.append(points, [mean, mean]), np.append(y, [1, 0]), np.append(w, [0.5, 0.5])

    def objective(theta):
        eta = theta[0] + theta[1] * (x - mean) / spread
        return m @ (np.logaddexp(0, eta) - t * eta) + theta[1] ** 2 / 50

    best = minimize(objective, [0.0, 0.0], method="BFGS", options={"gtol": 1e-7}).x
    link = RulesLink.fit(points, y, w)
    assert link.b * spread == pytest.approx(best[1], abs=1e-4)
    assert link.a + link.b * mean == pytest.approx(best[0], abs=1e-4)


def test_an_integer_weight_is_a_repeated_row():
    points, y, _ = points_and_labels(n=300)
    w = np.random.default_rng(1).integers(0, 3, 300)
    assert RulesLink.fit(points, y, w) == pytest.approx(RulesLink.fit(np.repeat(points, w), np.repeat(y, w)), abs=1e-9)


def test_rules_that_point_the_wrong_way_are_worth_nothing_and_never_negative():
    points, y, _ = points_and_labels()
    link = RulesLink.fit(-points, y)
    assert link.b == 0
    assert probabilities(np.array(link.a)) == pytest.approx(base_rate(y))


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_one_class_falls_back_to_the_base_rate(labels):
    link = RulesLink.fit([0, 10, 20, 30], labels)
    assert link.b == 0
    assert link.probability(np.array([0.0, 500.0])) == pytest.approx([base_rate(labels)] * 2)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.floats(-200, 200), min_size=1, max_size=12),
    bits=st.lists(st.booleans(), min_size=12, max_size=12),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_the_rules_link_stays_finite_whatever_the_rows(points, bits, scale):
    """Separation, constant points and tiny samples included."""
    x = np.array(points) * scale
    link = RulesLink.fit(x, np.array(bits[: len(x)], dtype=float))
    assert np.isfinite(link.a)
    assert link.b >= 0
    p = link.probability(x)
    assert np.all((p > 0) & (p < 1))


def test_perfect_separation_is_shrunk_and_not_infinite():
    points = np.array([0.0] * 30 + [50.0] * 30)
    link = RulesLink.fit(points, (points > 0).astype(float))
    assert 0.9 < link.probability(np.array([50.0]))[0] < 0.9999
    assert 0.0001 < link.probability(np.array([0.0]))[0] < 0.1


def test_logistic_regression_finds_the_signal_and_is_deterministic():
    X, y = features()
    before = X.copy()
    order = np.arange(len(y))
    model = Logistic.fit(X[:1000], y[:1000], SPECS, order=order[:1000])
    again = Logistic.fit(X[:1000], y[:1000], SPECS, order=order[:1000])
    p = model.probability(X[1000:])
    assert np.array_equal(X, before, equal_nan=True)
    assert np.array_equal(p, again.probability(X[1000:]))
    assert model.penalty in {0.001, 0.01, 0.1, 1.0}
    assert roc_auc_score(y[1000:], p) > 0.65
    assert p.mean() == pytest.approx(y[1000:].mean(), abs=0.05)


def test_it_is_the_ridge_of_scikit_learn_at_every_penalty(monkeypatch):
    X, y = features()
    X = np.column_stack([X[:, 0], np.full(len(X), 7.0), X[:, 2]])  # one column says nothing
    w = np.random.default_rng(3).uniform(0.2, 3.0, len(y))
    for penalty in baselines.PENALTIES:
        monkeypatch.setattr(baselines, "USUAL_PENALTY", penalty)
        found = Logistic.fit(X, y, SPECS, w)
        other = LogisticRegression(C=penalty, solver="newton-cholesky", tol=baselines.FLAT)
        other.fit(found.columns.expand(X), y, sample_weight=w / w.mean())
        assert found.coefficients == pytest.approx(other.coef_[0], abs=1e-12)  # step by step the same search
        assert found.intercept == pytest.approx(other.intercept_[0], abs=1e-12)


def test_columns_stand_for_quantities_codes_and_missing_values():
    X, y = features()
    columns = Logistic.fit(X, y, SPECS).columns
    assert columns.codes == (0, 0, 3)
    assert columns.missing.tolist() == [False, True, True]
    Z = columns.expand(X)
    assert Z.shape == (1500, 1 + 2 + 4)
    assert Z.mean(axis=0) == pytest.approx(np.zeros(7), abs=1e-9)
    assert Z.std(axis=0) == pytest.approx(np.ones(7), abs=1e-9)
    null = columns.expand(np.array([[2.0, np.nan, np.nan]])) * columns.scale + columns.mean
    median = np.log1p(np.nanmedian(X[:, 1]))
    assert null[0] == pytest.approx([np.log1p(2), median, 1, 0, 0, 0, 1])


def test_it_makes_no_difference_in_how_many_parts_rows_are_predicted(monkeypatch):
    X, y = features()
    fitted = Logistic.fit(X, y, SPECS)
    whole = fitted.probability(X)
    monkeypatch.setattr(baselines, "EXPANDED_ROWS", 7)
    np.testing.assert_allclose(fitted.probability(X), whole, rtol=1e-12)
    assert fitted.probability(X[:0]).shape == (0,)


def test_of_many_codes_the_later_ones_share_a_column():
    spec = FeatureSpec("c", "fit", "category", attribute="c", categories=tuple(f"c{n}" for n in range(5_000)))
    X = np.array([[0.0], [99.0], [100.0], [4_999.0], [5_000.0]])
    columns, learnt = baselines.Columns.learn(X, [spec])
    assert np.array_equal(learnt, columns.expand(X))
    Z = learnt * columns.scale + columns.mean
    assert Z.shape == (5, 101)
    assert Z.argmax(axis=1).tolist() == [0, 99, 100, 100, 100]


def test_a_null_that_training_never_saw_is_predicted_all_the_same():
    X, y = features()
    X = np.nan_to_num(X)
    model = Logistic.fit(X, y, SPECS)
    assert np.isfinite(model.probability(np.full((1, 3), np.nan))).all()


def test_weights_count_as_rows():
    X, y = features(n=600)
    w = np.random.default_rng(2).integers(1, 4, 600)
    weighted = Logistic.fit(X, y, SPECS, w)
    assert weighted.intercept != Logistic.fit(X, y, SPECS).intercept
    doubled = Logistic.fit(X, y, SPECS, 2.0 * w)
    assert doubled.coefficients == pytest.approx(weighted.coefficients, abs=1e-10)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_logistic_of_one_class_is_the_base_rate(outcome):
    X, _ = features(n=40)
    y = np.full(40, outcome)
    model = Logistic.fit(X, y, SPECS, order=np.arange(40))
    assert model.penalty is None
    assert model.probability(X) == pytest.approx(np.full(40, base_rate(y)))


def test_logistic_stands_columns_without_content():
    rng = np.random.default_rng(0)
    y = (rng.random(50) < 0.4).astype(float)
    X = np.column_stack([np.full(50, 3.0), np.full(50, np.nan), np.full(50, np.nan)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = Logistic.fit(X, y, SPECS, order=np.arange(50)).probability(X)
    assert p == pytest.approx(np.full(50, y.mean()), abs=1e-4)
    nothing = Logistic.fit(np.empty((50, 0)), y, ())
    assert nothing.probability(np.empty((2, 0))) == pytest.approx([base_rate(y)] * 2)


def test_separation_and_wild_values_leave_probabilities_inside():
    X = np.column_stack([np.arange(40.0) * 1e6, np.zeros(40), np.zeros(40)])
    y = (np.arange(40) >= 20).astype(float)
    p = Logistic.fit(X, y, SPECS).probability(X * 1e3)
    assert np.all((p > 0) & (p < 1))


REFUSED = [
    (lambda: base_rate([]), NotEnoughDataError, "no training snapshot"),
    (lambda: base_rate([0, 1], [0, 0]), NotEnoughDataError, "no training snapshot"),
    (lambda: base_rate([0, float("nan")]), InputError, "neither 0 nor 1"),
    (lambda: base_rate([0, 1], [1, -1]), InputError, "weights must be finite and >= 0"),
    (lambda: base_rate([0, 1], [1]), InputError, "weights"),
    (lambda: RulesLink.fit([1], [0, 1]), InputError, r"points have shape \(1,\)"),
    (lambda: RulesLink.fit([1, float("inf")], [0, 1]), InputError, "finite"),
    (lambda: RulesLink.fit([], []), NotEnoughDataError, "no training snapshot"),
    (lambda: Logistic.fit(np.zeros((2, 1)), [0, 1], SPECS), InputError, r"X has shape \(2, 1\)"),
    (lambda: Logistic.fit(np.full((2, 3), np.inf), [0, 1], SPECS), InputError, "infinity"),
    (lambda: Logistic.fit(*features(n=50), SPECS).probability(np.zeros((2, 2))), InputError, r"must be \(n, 3\)"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_cannot_be_fitted_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_where_the_logistic_regression_is_less_than_a_full_one_it_says_so():
    wide = FeatureSpec("city", "fit", "category", attribute="city", categories=tuple(f"c{n}" for n in range(140)))
    narrow = FeatureSpec("industry", "fit", "category", attribute="industry", categories=("a", "b"))
    assert baselines.simplified(900, 900, (narrow,)) == ()
    rows, levels = baselines.simplified(900, 1_200, (wide, narrow))
    assert "fitted on 900 of 1,200 training snapshots" in rows
    assert "the first 100 values" in levels
    assert "`city` (140)" in levels
    assert "industry" not in levels


def test_a_baseline_that_was_simplified_is_told_in_bundle_and_card(frames, tmp_path, monkeypatch, first):
    assert first[1].bundle.training["simplified"] == []
    monkeypatch.setattr(tested, "REFERENCE_ROWS", 400)
    trained = pipeline.train(market.publish(tmp_path / "ws", frames), market.options(trials=1, rung="rules"))
    (told,) = trained.bundle.training["simplified"]
    assert told.startswith("the logistic regression was fitted on ")
    assert told[1:] in trained.card.read_text(encoding="utf-8")
