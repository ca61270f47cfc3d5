"""Golden numbers (by hand, scikit-learn, SciPy, papers), identities, degenerate inputs and a matrix of refusals."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from leadlight import metrics
from leadlight.errors import InputError

PROBABILITY_METRICS = [metrics.log_loss, metrics.brier, metrics.ece]
SCORE_METRICS = [metrics.auc, metrics.top_decile_lift]


def sample(seed=0, n=400, ties=False):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, n)
    if ties:
        p = np.round(p, 1)
    y = (rng.random(n) < p).astype(float)
    return y, p, rng.integers(0, 4, n).astype(float)


def test_every_example_in_the_docstrings_holds():
    result = doctest.testmod(metrics)
    assert result.attempted >= 8
    assert result.failed == 0


def test_log_loss_and_brier_by_hand():
    y, p = [1, 1, 0, 0], [0.9, 0.5, 0.5, 0.25]
    expected = -(math.log(0.9) + math.log(0.5) + math.log(0.5) + math.log(0.75)) / 4
    assert metrics.log_loss(y, p) == pytest.approx(expected, abs=1e-15)
    assert metrics.brier(y, p) == pytest.approx((0.01 + 0.25 + 0.25 + 0.0625) / 4, abs=1e-15)


def test_auc_of_the_radiologist_in_hanley_and_mcneil():
    """Table II of Hanley & McNeil 1982: ratings 1-5 of 58 normal and 51 abnormal images; the area is 0.893."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    s = np.concatenate([np.repeat(np.arange(5), normal), np.repeat(np.arange(5), abnormal)])
    y = np.repeat([0, 1], [58, 51])
    assert metrics.auc(y, s) == pytest.approx(0.893, abs=0.0005)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_agreement_with_scikit_learn_and_scipy(ties, weighted):
    y, p, w = sample(3, ties=ties)
    w = w if weighted else None
    inner = np.clip(p, 1e-6, 1 - 1e-6)
    assert metrics.auc(y, p, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), abs=1e-12)
    assert metrics.brier(y, p, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w), abs=1e-12)
    assert metrics.log_loss(y, inner, w) == pytest.approx(sklearn_log_loss(y, inner, sample_weight=w), abs=1e-12)
    if not weighted:
        statistic = mannwhitneyu(p[y == 1], p[y == 0]).statistic
        assert metrics.auc(y, p) == pytest.approx(statistic / (y.sum() * (1 - y).sum()), abs=1e-12)


@pytest.mark.parametrize("metric", [*PROBABILITY_METRICS, *SCORE_METRICS])
def test_an_integer_weight_is_a_repeated_row(metric):
    y, p, w = sample(5, ties=True)
    repeats = w.astype(int)
    weighted = metric(y, p, weights=w)
    assert weighted == pytest.approx(metric(np.repeat(y, repeats), np.repeat(p, repeats)), abs=1e-12)


@pytest.mark.parametrize("metric", [*PROBABILITY_METRICS, *SCORE_METRICS])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), ties=st.booleans())
def test_the_order_of_rows_does_not_matter(metric, seed, ties):
    y, p, w = sample(seed, n=60, ties=ties)
    w += 0.5
    y[0] = 1
    shuffled = np.random.default_rng(seed + 1).permutation(60)
    assert metric(y, p, weights=w) == pytest.approx(metric(y[shuffled], p[shuffled], weights=w[shuffled]), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), ties=st.booleans())
def test_identities_of_the_ranking_measures(seed, ties):
    y, p, _ = sample(seed, n=80, ties=ties)
    y[:2] = 0, 1
    assert metrics.auc(y, p) == pytest.approx(1 - metrics.auc(1 - y, p), abs=1e-12)
    assert metrics.auc(y, p) == pytest.approx(metrics.auc(y, np.exp(5 * p)), abs=1e-12)
    assert metrics.top_decile_lift(y, p, share=1.0) == pytest.approx(1, abs=1e-12)


def test_log_losses_of_log_odds_are_those_of_their_probabilities_and_know_no_floor():
    z, y = np.array([-3.0, -0.5, 0.0, 2.0, 30.0]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    expected = metrics.log_losses(y, 1 / (1 + np.exp(-z)))
    assert metrics.log_losses_of_log_odds(y, z) == pytest.approx(expected, rel=1e-9, abs=1e-14)
    far = metrics.log_losses_of_log_odds(np.array([1.0, 0.0, 1.0, 0.0]), np.array([-800.0, 800.0, 800.0, -800.0]))
    assert far.tolist() == [800.0, 800.0, 0.0, 0.0]


def test_identities_of_the_probability_measures():
    y, p, _ = sample(7)
    assert metrics.log_loss(y, p) == pytest.approx(metrics.log_losses(y, p).mean(), abs=1e-15)
    assert metrics.log_loss(y, p) == pytest.approx(metrics.log_loss(1 - y, 1 - p), abs=1e-12)
    assert metrics.brier(y, y) == 0
    assert metrics.log_loss(y, y) == pytest.approx(0, abs=1e-12)
    rate = np.full(len(y), y.mean())
    assert metrics.brier(y, rate) == pytest.approx(y.mean() * (1 - y.mean()), abs=1e-12)
    assert metrics.ece(y, rate) == pytest.approx(0, abs=1e-12)


def test_lift_by_hand_with_and_without_ties_at_the_cut():
    y = np.zeros(20)
    y[[0, 1, 5, 6]] = 1
    assert metrics.top_decile_lift(y, -np.arange(20.0)) == 5.0  # 2 of 2 against 4 of 20
    tied = np.where(np.arange(20) < 8, 1.0, 0.0)  # 8 rows share the best score, half of them positive
    assert metrics.top_decile_lift(y, tied) == pytest.approx(2.5)
    assert metrics.top_decile_lift(y, np.zeros(20)) == pytest.approx(1.0)
    # 15 rows: the cut falls inside a row (1.5 rows are the top decile)
    assert metrics.top_decile_lift([1, 1] + [0] * 13, -np.arange(15.0)) == pytest.approx(7.5)


def test_ece_by_hand():
    y = [0, 0, 0, 1, 1, 1, 0, 1]
    p = [0.1, 0.1, 0.2, 0.2, 0.6, 0.6, 0.8, 0.8]
    # two bins of four: predicted 0.15 and 0.7, observed 0.25 and 0.75
    assert metrics.ece(y, p, bins=2) == pytest.approx(0.075, abs=1e-12)
    table = metrics.reliability(y, p, bins=2)
    assert table.mass.tolist() == [4, 4]
    assert table.predicted == pytest.approx([0.15, 0.7])
    assert table.observed == pytest.approx([0.25, 0.75])


def test_bins_have_equal_mass_and_keep_ties_together():
    assert np.bincount(metrics.equal_mass_bins(np.random.default_rng(0).random(1000))).tolist() == [100] * 10
    tied = metrics.equal_mass_bins([0.2] * 6 + [0.1, 0.9, 0.9, 0.9], bins=5)
    assert len(set(tied[:6])) == 1
    assert len(set(tied[7:])) == 1
    assert metrics.equal_mass_bins([0.4] * 7, bins=10).tolist() == [5] * 7
    assert metrics.equal_mass_bins([1.0, 2.0, 3.0], bins=2, weights=[8, 1, 1]).tolist() == [0, 1, 1]


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_only(outcome):
    y, p = np.full(50, outcome), np.linspace(0.1, 0.9, 50)
    assert metrics.auc(y, p) is None
    assert metrics.top_decile_lift(y, p) == (None if outcome == 0 else pytest.approx(1.0))
    assert metrics.brier(y, p) == pytest.approx(np.mean((p - outcome) ** 2))
    assert metrics.log_loss(y, p) == pytest.approx(-np.mean(np.log(1 - p)))  # the grid is symmetric
    assert metrics.ece(y, p) == pytest.approx(0.5)


def test_a_class_without_weight_counts_as_absent():
    assert metrics.auc([0, 1, 1], [0.1, 0.2, 0.3], weights=[0, 1, 1]) is None
    assert metrics.top_decile_lift([0, 1], [0.1, 0.2], weights=[1, 0]) is None


def test_constant_score():
    y = np.array([0.0, 1, 0, 0, 1])
    constant = np.full(5, 0.3)
    assert metrics.auc(y, constant) == 0.5
    assert metrics.top_decile_lift(y, constant) == pytest.approx(1)
    assert metrics.ece(y, constant) == pytest.approx(0.1)


def test_a_certain_and_wrong_probability_costs_much_but_not_infinitely():
    assert metrics.log_loss([1], [0.0]) == pytest.approx(-math.log(1e-15))
    assert metrics.log_loss([0], [1.0]) == pytest.approx(-math.log(1e-15), rel=1e-2)


def test_bars_of_several_scorers_are_those_of_each():
    rng = np.random.default_rng(4)
    columns = [rng.random(300), np.round(rng.random(300), 1), np.full(300, 0.25)]
    bars = metrics.ece_bars(columns, seed=3, draws=200)
    assert bars == [metrics.ece_bar(p, seed=3, draws=200) for p in columns]
    assert len(set(bars)) == 3
    with pytest.raises(InputError, match="different lengths"):
        metrics.ece_bars([columns[0], columns[1][:-1]], seed=3)


def test_the_ece_bar_is_seeded_and_is_the_quantile_of_a_perfect_model():
    rng = np.random.default_rng(11)
    p = rng.beta(1, 5, 800)
    bar = metrics.ece_bar(p, seed=1)
    assert bar == metrics.ece_bar(p, seed=1)
    assert bar == metrics.ece_bar(p[::-1], seed=1)
    assert bar != metrics.ece_bar(p, seed=2)
    assert bar == pytest.approx(metrics.ece_bar(p, seed=2), rel=0.05)
    perfect = [metrics.ece((rng.random(800) < p).astype(float), p) for _ in range(600)]
    assert np.mean(np.array(perfect) <= bar) == pytest.approx(0.95, abs=0.03)
    assert metrics.ece_bar(p, seed=1, quantile=0.5) < bar
    assert metrics.ece_bar(np.repeat(p, 16), seed=1) == pytest.approx(bar / 4, rel=0.15)


def test_the_ece_bar_draws_the_same_outcomes_in_chunks(monkeypatch):
    p = np.random.default_rng(2).random(50)
    whole = metrics.ece_bar(p, seed=3, draws=40)
    monkeypatch.setattr(metrics, "CHUNK_CELLS", 350)
    assert metrics.ece_bar(p, seed=3, draws=40) == pytest.approx(whole, abs=1e-6)


def test_psi_by_hand_and_its_identities():
    old, new = [0.0] * 60 + [1.0] * 40, [0.0] * 30 + [1.0] * 70
    e, a = np.array([60.5, 40.5]) / 101, np.array([30.5, 70.5]) / 101
    assert metrics.psi(old, new) == pytest.approx(np.sum((a - e) * np.log(a / e)), abs=1e-12)
    assert metrics.psi(old, new) == pytest.approx(metrics.psi(new, old), abs=1e-12)
    x = np.random.default_rng(0).normal(size=5000)
    assert metrics.psi(x, x) == 0
    assert metrics.psi(x, x + 1) > 0.25
    assert metrics.psi(x, np.random.default_rng(1).normal(size=5000)) < 0.02


def test_psi_sees_nulls_new_values_and_a_move_of_a_constant():
    nan = float("nan")
    assert metrics.psi([1.0, 1, 1, nan], [1.0, nan, nan, nan]) > 0.25
    assert metrics.psi([1.0] * 10, [1.0] * 10) == 0
    assert metrics.psi([1.0] * 10, [0.0] * 10) > 1
    assert metrics.psi([1.0] * 10, [2.0] * 10) > 1
    assert metrics.psi([nan] * 4, [nan] * 4) == 0


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 7), (15, 148), (20, 20), (81, 263)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_agrees_with_scipy(k, n, level):
    expected = binomtest(k, n).proportion_ci(level, method="wilson")
    assert metrics.wilson_interval(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_newcombes_table_and_at_its_ends():
    """Newcombe (1998), doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3."""
    assert metrics.wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert metrics.wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert metrics.wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)
    assert metrics.wilson_interval(0, 9)[0] == 0.0
    assert metrics.wilson_interval(9, 9)[1] == 1.0


NAN, INF = float("nan"), float("inf")
REFUSED = [
    (metrics.log_loss, ([0, 1], [0.5, 1.5]), {}, r"p holds 1.5, must be a probability in \[0, 1\]"),
    (metrics.brier, ([0, 1], [-0.1, 0.5]), {}, r"p holds -0.1"),
    (metrics.ece, ([0, 1], [NAN, 0.5]), {}, r"p holds NaN or infinity"),
    (metrics.auc, ([0, 1], [INF, 0.5]), {}, r"s holds NaN or infinity"),
    (metrics.top_decile_lift, ([0, 1], [0.5]), {}, r"y has 2 rows, s has 1"),
    (metrics.top_decile_lift, ([0, 1], [0.5, 0.6]), {"share": 0.0}, r"share == 0.0, must be in \(0, 1\]"),
    (metrics.log_loss, ([0, 2], [0.5, 0.5]), {}, r"neither 0 nor 1"),
    (metrics.log_loss, ([0, NAN], [0.5, 0.5]), {}, r"y holds NaN"),
    (metrics.brier, ([], []), {}, r"shape \(0,\), must be \(n,\) with n >= 1"),
    (metrics.auc, ([[0, 1]], [[0.5, 0.6]]), {}, r"y has shape \(1, 2\)"),
    (metrics.auc, (["a", "b"], [0.5, 0.6]), {}, r"y is not numeric"),
    (metrics.auc, ([0, 1], [0.5, 0.6]), {"weights": [1.0]}, r"weights has 1 rows, must have 2"),
    (metrics.brier, ([0, 1], [0.5, 0.6]), {"weights": [1.0, -1.0]}, r"weights must be >= 0"),
    (metrics.brier, ([0, 1], [0.5, 0.6]), {"weights": [0.0, 0.0]}, r"not all 0"),
    (metrics.brier, ([0, 1], [0.5, 0.6]), {"weights": [NAN, 0.0]}, r"weights holds NaN"),
    (metrics.ece, ([0, 1], [0.5, 0.6]), {"bins": 0}, r"bins == 0, must be >= 1"),
    (metrics.ece_bar, ([0.5, 2.0], 0), {}, r"p holds 2.0"),
    (metrics.ece_bar, ([0.5], 0), {"quantile": 1.0}, r"quantile == 1.0"),
    (metrics.ece_bar, ([0.5], 0), {"draws": 0}, r"draws == 0"),
    (metrics.psi, ([1.0], [INF]), {}, r"actual holds an infinity"),
    (metrics.psi, ([], [1.0]), {}, r"expected has shape \(0,\)"),
    (metrics.psi, ([1.0], [1.0]), {"bins": 1}, r"bins == 1, must be >= 2"),
    (metrics.wilson_interval, (3, 2), {}, r"successes == 3, trials == 2"),
    (metrics.wilson_interval, (-1, 2), {}, r"successes == -1"),
    (metrics.wilson_interval, (NAN, 2), {}, r"successes == nan"),
    (metrics.wilson_interval, (1, INF), {}, r"trials == inf"),
    (metrics.wilson_interval, (1, 2), {"level": 1.0}, r"level == 1.0"),
]


@pytest.mark.parametrize(("function", "arguments", "options", "message"), REFUSED)
def test_what_lies_outside_a_domain_is_refused_by_name(function, arguments, options, message):
    with pytest.raises(InputError, match=message):
        function(*arguments, **options)
