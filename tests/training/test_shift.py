import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight import metrics
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.scorer import Scorer
from scoring.scale import logit, probabilities
from training import shift


def drawn(n, rate, seed=1):
    """Scores calibrated to a rate of 5 % whose two classes are drawn at another rate: N(m -+ d^2 / 2, d^2)."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < rate).astype(float)
    d2 = 1.5**2
    z = logit(0.05) + random.normal(np.where(y == 1, d2 / 2, -d2 / 2), np.sqrt(d2))
    return z, y


def against_calibrated(z, matured=40_000, **given):
    """Hold scores against calibrated ones of which 5 % succeeded."""
    return shift.against(z, *drawn(matured, 0.05, seed=99), **given)


def em_step(z, base_rate, current):
    """E: probabilities under the current base rate. M: their mean."""
    return float(probabilities(z + logit(current) - logit(base_rate)).mean())


def by_em(z, base_rate, steps=5_000):
    """Iterate until nothing moves; a rate that falls further than a correction may go ends there."""
    rate, least = base_rate, float(probabilities(np.array([logit(base_rate) - shift.LARGEST]))[0])
    for _ in range(steps):
        before, rate = rate, max(em_step(z, base_rate, rate), least)
        if rate == before:
            break
    return rate


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.2, 0.6])
def test_the_base_rate_is_found_again_and_probabilities_are_calibrated(rate):
    z, y = drawn(40_000, rate)
    found = against_calibrated(z)
    assert found.after == pytest.approx(rate, rel=0.1 if rate >= 0.02 else 0.3)
    assert found.low < rate < found.high
    corrected = probabilities(z + found.log_odds)
    assert metrics.ece(y, corrected) <= max(metrics.ece_bar(corrected, 0), 0.006)
    assert found.alarm == (rate != 0.05)
    assert (found.log_odds != 0.0) == found.alarm


@given(st.integers(0, 1_000), st.floats(0.03, 0.5), st.floats(0.02, 0.3))
@settings(max_examples=15, deadline=None)
def test_bisection_finds_the_fixed_point_of_em(seed, rate, base_rate):
    z, _ = drawn(800, rate, seed)
    successes = round(1_000 * base_rate)
    y = np.repeat([1.0, 0.0], [successes, 1_000 - successes])
    found = shift.against(z, np.full(1_000, logit(successes / 1_000)), y)  # at their rate already: nothing to level
    assert by_em(z, successes / 1_000) == pytest.approx(found.after, rel=1e-3, abs=1e-6)


def test_false_alarms_are_rare_and_true_ones_sure():
    matured = [drawn(2_000, 0.05, seed + 500) for seed in range(60)]
    quiet = [shift.against(drawn(1_500, 0.05, seed)[0], *matured[seed]).alarm for seed in range(60)]
    loud = [shift.against(drawn(1_500, 0.2, seed)[0], *matured[seed]).alarm for seed in range(10)]
    assert sum(quiet) <= 3  # 1 % of 60, and its noise
    assert all(loud)


def test_rows_of_one_lead_are_no_independent_evidence():
    z, _ = drawn(300, 0.08, seed=3)
    reference, y = drawn(900, 0.05, seed=4)
    once = shift.against(z, reference, y)
    tenfold = np.tile(z, 10), np.tile(reference, 10), np.tile(y, 10)
    leads = {
        f"{which}_leads": np.tile([f"l{i}" for i in range(n)], 10) for which, n in (("recent", 300), ("reference", 900))
    }
    many = shift.against(*tenfold, **leads)
    assert many.estimate == pytest.approx(once.estimate)
    assert (many.low, many.high) == pytest.approx((once.low, once.high))
    assert (many.leads, many.scores) == (300, 3_000)
    assert shift.against(*tenfold).high < many.high


def test_an_uncertain_base_rate_makes_the_interval_wider():
    z, _ = drawn(3_000, 0.05)
    few, many = against_calibrated(z, 400), against_calibrated(z)
    assert few.high - few.low > many.high - many.low


def weak(n, rate, seed, bias=0.0):
    """Scores that tell little (AUC about 0.7), off by a constant."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < rate).astype(float)
    d2 = 0.75**2
    return logit(0.05) + bias + random.normal(np.where(y == 1, d2 / 2, -d2 / 2), np.sqrt(d2)), y


def test_what_is_off_for_matured_leads_already_is_no_change():
    alarms = 0
    for seed in range(60):
        reference, y = weak(3_000, 0.05, seed, bias=-0.3)
        alarms += shift.against(weak(3_000, 0.05, seed + 500, bias=-0.3)[0], reference, y).alarm
    assert alarms <= 3  # 1 % of 60, and its noise
    reference, y = weak(3_000, 0.05, 1)
    assert shift.against(weak(3_000, 0.05, 501, bias=-0.3)[0], reference, y).alarm


def test_a_move_against_matured_leads_is_found_and_corrected_in_one_number():
    reference, y = weak(20_000, 0.05, 1, bias=-0.3)
    z, outcome = weak(20_000, 0.2, 2, bias=-0.3)
    found = shift.against(z, reference, y)
    assert found.alarm
    assert found.after == pytest.approx(0.2, abs=0.05)
    assert found.log_odds == pytest.approx(0.3 + logit(0.2) - logit(0.05), abs=0.35)
    assert probabilities(z + found.log_odds).mean() == pytest.approx(outcome.mean(), abs=0.05)
    assert shift.against(z[:40], reference[:400], y[:400]).low < found.low
    with pytest.raises(NotEnoughDataError, match="none of 20,000 matured snapshots succeeded"):
        shift.against(z, reference, np.zeros(20_000))
    with pytest.raises(InputError, match="same matured rows"):
        shift.against(z, reference, y[1:])


def test_false_alarms_stay_rare_where_scores_tell_little_and_the_interval_holds_the_truth():
    quiet, held = 0, 0
    for seed in range(50):
        reference, y = weak(1_500, 0.05, seed, bias=-0.3)
        found = shift.against(weak(2_000, 0.12, seed + 500, bias=-0.3)[0], reference, y)
        held += found.low <= 0.12 <= found.high
        quiet += shift.against(weak(2_000, 0.05, seed + 900, bias=-0.3)[0], reference, y).alarm
    assert quiet <= 3  # 1 % of 50, and its noise
    assert held >= 47


def two_ages(n, rates, seed, mix=0.5, bias=(0.0, 0.0)):
    """Scores of two ages, each calibrated to a base rate of its own up to a bias, drawn at other rates."""
    random = np.random.default_rng(seed)
    age = (random.random(n) < mix).astype(int)
    y = (random.random(n) < np.array(rates)[age]).astype(float)
    base = np.array([logit(0.05), logit(0.2)])[age] + np.array(bias)[age]
    return base + random.normal(np.where(y == 1, 1.125, -1.125), 1.5), y, age


def test_another_mix_of_ages_is_no_change():
    alarms = naive = 0
    for seed in range(20):
        reference, y, known = two_ages(4_000, (0.05, 0.2), seed, mix=0.2, bias=(0.4, -0.4))
        z, _, age = two_ages(3_000, (0.05, 0.2), seed + 500, mix=0.9, bias=(0.4, -0.4))
        alarms += shift.against(z, reference, y, recent_ages=age, reference_ages=known).alarm
        naive += shift.against(z, reference, y).alarm
    assert alarms <= 1
    assert naive == 20


def test_a_change_is_found_at_all_ages_together():
    reference, y, known = two_ages(8_000, (0.05, 0.2), 1, bias=(0.4, -0.4))
    moved = [1 / (1 + np.exp(-logit(rate) - 1.0)) for rate in (0.05, 0.2)]
    z, outcome, age = two_ages(8_000, moved, 2, mix=0.3, bias=(0.4, -0.4))
    found = shift.against(z, reference, y, recent_ages=age, reference_ages=known)
    assert found.alarm
    assert found.estimate == pytest.approx(1.0, abs=0.2)
    assert probabilities(z + found.log_odds).mean() == pytest.approx(outcome.mean(), abs=0.02)


def test_an_age_of_which_nothing_matured_is_left_out():
    reference, y = weak(2_000, 0.05, 1)
    z, _ = weak(2_000, 0.05, 2)
    age = np.repeat([1, 2], 1_000)
    found = shift.against(z, reference, y, recent_ages=age, reference_ages=np.ones(2_000))
    assert found.scores == 1_000
    assert found.estimate == pytest.approx(shift.against(z[:1_000], reference, y).estimate)


def test_scores_all_alike_tell_nothing():
    found = against_calibrated(np.full(1_000, -1.0))
    assert not found.alarm
    assert found.log_odds == 0.0
    assert (found.low, found.high) == pytest.approx((0.0, 1.0))


def test_a_hundred_thousand_scores_take_seconds():
    z, _ = drawn(100_000, 0.2)
    reference, y = drawn(100_000, 0.05)
    shift.against(z[:10], reference, y)
    start = time.process_time()
    shift.against(z, reference, y)
    assert time.process_time() - start < 10.0


def test_the_interval_is_told_at_the_level_of_this_look():
    z, _ = drawn(2_000, 0.05)
    first, later = (against_calibrated(z, error=error) for error in (0.01, 0.00152))
    assert f"(99 % interval {first.low:.1%} to {first.high:.1%})" in first.why
    assert f"(99.8 % interval {later.low:.1%} to {later.high:.1%})" in later.why
    assert later.high - later.low > first.high - first.low
    assert later.to_json()["error"] == 0.00152
    told = [shift.level(error) for error in (0.05, 0.006, 0.0000022)]
    assert told == ["95 %", "99.4 %", "99.9998 %"]


def test_the_assumption_is_said_and_the_scorer_gets_the_number():
    found = against_calibrated(drawn(5_000, 0.2)[0])
    data = json.loads(json.dumps(found.to_json()))
    assert "P(features | outcome) is unchanged" in data["assumption"]
    assert data["assumption"] in found.why
    scorer = found.into(Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}))
    assert scorer.shift == found.log_odds
    assert scorer.base == pytest.approx(found.log_odds)


def test_bad_input_is_refused():
    with pytest.raises(NotEnoughDataError, match="no recent score"):
        against_calibrated([])
    with pytest.raises(InputError, match="finite"):
        against_calibrated([np.inf])
    with pytest.raises(InputError, match="leads has 1 rows"):
        against_calibrated([0.0, 1.0], recent_leads=["a"])
    with pytest.raises(InputError, match="leads has 3 rows"):
        against_calibrated([0.0, 1.0], reference_leads=["a", "b", "c"])
    with pytest.raises(InputError, match="ages has 1 rows"):
        shift.against([0.0, 1.0], [0.0, 1.0], [0, 1], recent_ages=[1])
