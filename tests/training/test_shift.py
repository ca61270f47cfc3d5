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
from tests.training import made
from training import shift


def drawn(n, rate, seed=1):
    """Scores calibrated to a rate of 5 % whose two classes are drawn at another rate: N(m -+ d^2 / 2, d^2)."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < rate).astype(float)
    d2 = 1.5**2
    z = logit(0.05) + random.normal(np.where(y == 1, d2 / 2, -d2 / 2), np.sqrt(d2))
    return z, y


def em_step(z, base_rate, current):
    """E: probabilities under the current base rate. M: their mean."""
    return float(probabilities(z + logit(current) - logit(base_rate)).mean())


def by_em(z, base_rate, steps=5_000):
    """Iterate; a rate that falls further than a correction may go ends there."""
    rate, least = base_rate, float(probabilities(np.array([logit(base_rate) - shift.LARGEST]))[0])
    for _ in range(steps):
        rate = max(em_step(z, base_rate, rate), least)
    return rate


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.2, 0.6])
def test_the_base_rate_is_found_again_and_probabilities_are_calibrated(rate):
    z, y = drawn(40_000, rate)
    found = shift.estimate(z, 0.05)
    assert found.after == pytest.approx(rate, rel=0.1 if rate >= 0.02 else 0.3)
    assert found.low < rate < found.high
    corrected = probabilities(z + found.log_odds)
    assert metrics.ece(y, corrected) <= max(metrics.ece_bar(corrected, 0), 0.006)
    assert found.alarm == (rate != 0.05)
    assert found.log_odds == (found.estimate if found.alarm else 0.0)


@given(st.integers(0, 1_000), st.floats(0.03, 0.5), st.floats(0.02, 0.3))
@settings(max_examples=15, deadline=None)
def test_bisection_finds_the_fixed_point_of_em(seed, rate, base_rate):
    z, _ = drawn(800, rate, seed)
    found = shift.estimate(z, base_rate)
    assert by_em(z, base_rate) == pytest.approx(found.after, rel=1e-3, abs=1e-6)


def test_false_alarms_are_rare_and_true_ones_sure():
    quiet = [shift.estimate(drawn(1_500, 0.05, seed)[0], 0.05).alarm for seed in range(200)]
    loud = [shift.estimate(drawn(1_500, 0.2, seed)[0], 0.05).alarm for seed in range(20)]
    assert sum(quiet) <= 7  # 1 % of 200, and its noise
    assert all(loud)


def test_rows_of_one_lead_are_no_independent_evidence():
    z, _ = drawn(300, 0.08, seed=3)
    once = shift.estimate(z, 0.05)
    many = shift.estimate(np.tile(z, 10), 0.05, leads=np.tile([f"l{i}" for i in range(300)], 10))
    assert many.estimate == pytest.approx(once.estimate)
    assert (many.low, many.high) == pytest.approx((once.low, once.high))
    assert many.leads == 300
    assert shift.estimate(np.tile(z, 10), 0.05).high < many.high


def test_an_uncertain_base_rate_makes_the_interval_wider():
    z, _ = drawn(3_000, 0.05)
    assert shift.estimate(z, 0.05, known_leads=200).high > shift.estimate(z, 0.05).high


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
    naive = shift.estimate(weak(3_000, 0.05, 1, bias=-0.3)[0], 0.05)
    assert naive.alarm


def test_a_move_against_matured_leads_is_found_and_corrected_in_one_number():
    reference, y = weak(20_000, 0.05, 1, bias=-0.3)
    z, outcome = weak(20_000, 0.2, 2, bias=-0.3)
    found = shift.against(z, reference, y)
    assert found.alarm
    assert found.after == pytest.approx(0.2, abs=0.05)
    assert found.log_odds == pytest.approx(0.3 + logit(0.2) - logit(0.05), abs=0.35)
    assert probabilities(z + found.log_odds).mean() == pytest.approx(outcome.mean(), abs=0.05)
    assert shift.against(z[:40], reference[:400], y[:400]).low < found.low
    with pytest.raises(NotEnoughDataError, match="one outcome only"):
        shift.against(z, reference, np.zeros(20_000))
    with pytest.raises(InputError, match="same matured rows"):
        shift.against(z, reference, y[1:])


def test_scores_all_alike_tell_nothing():
    found = shift.estimate(np.full(1_000, -1.0), 0.05)
    assert not found.alarm
    assert found.log_odds == 0.0
    assert (found.low, found.high) == pytest.approx((0.0, 1.0))


def test_a_hundred_thousand_scores_take_well_under_a_second():
    z, _ = drawn(100_000, 0.2)
    shift.estimate(z[:10], 0.05)
    start = time.perf_counter()
    shift.estimate(z, 0.05)
    assert time.perf_counter() - start < 1.0


def test_the_assumption_is_said_and_the_scorer_gets_the_number():
    found = shift.estimate(drawn(5_000, 0.2)[0], 0.05)
    data = json.loads(json.dumps(found.to_json()))
    assert "P(features | outcome) is unchanged" in data["assumption"]
    assert data["assumption"] in found.why
    scorer = found.into(Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}))
    assert scorer.shift == found.log_odds
    assert scorer.base == pytest.approx(found.log_odds)


def test_base_rates_are_known_by_age():
    rows = made.rows(900, per_lead=3)
    age = np.tile([1, 2, 3], 300)
    y = np.where(age == 3, 0.0, rows.y)
    rows = type(rows)(rows.frame.with_columns(age=age), rows.X, rows.points, y, np.where(y == 1, 2.0, 1.0))
    found = shift.known_rates(rows)
    assert set(found) == {1, 2}
    positive = y[age == 1].mean()
    assert found[1] == {"rate": pytest.approx(2 * positive / (1 + positive)), "leads": 300}


def leads_of(n):
    return np.array([f"l{i}" for i in range(n)], dtype=object)


def test_outcomes_bear_a_true_shift_out_and_take_a_false_one_back():
    z, y = drawn(4_000, 0.2)
    true = shift.check(1.6, z, y, leads_of(4_000))
    assert (true.verdict, true.undone, true.shift) == ("better", False, 1.6)
    z, y = drawn(4_000, 0.05)
    false = shift.check(1.6, z, y, leads_of(4_000))
    assert (false.verdict, false.undone, false.shift) == ("worse", True, 0.0)
    assert "taken back" in false.why
    assert false.low > 0
    scorer = Scorer("rules", "sql", None, 0.3, 0.0, 0.1, {}, shift=1.6)
    assert shift.undo(scorer, false).shift == 0.0
    assert json.loads(json.dumps(false.to_json()))["undone"] is True


def test_features_that_changed_look_like_a_shift_until_outcomes_come():
    """The assumption broken: everybody became busier, nobody likelier."""
    z, y = drawn(4_000, 0.05)
    busier = z + 1.0
    found = shift.estimate(busier, 0.05)
    assert found.alarm
    assert shift.check(found.log_odds, busier, y, leads_of(4_000)).undone


def test_a_handful_of_outcomes_disproves_nothing():
    z, y = drawn(12, 0.05)
    found = shift.check(0.4, z, y, leads_of(12))
    assert (found.verdict, found.undone, found.shift) == ("not distinguishable", False, 0.4)
    one = shift.check(1.0, z[:1], y[:1], leads_of(1))
    assert one.verdict == "not distinguishable"


def test_bad_input_is_refused():
    with pytest.raises(NotEnoughDataError, match="no recent score"):
        shift.estimate([], 0.05)
    with pytest.raises(InputError, match="base_rate == 0"):
        shift.estimate([0.0], 0)
    with pytest.raises(InputError, match="finite"):
        shift.estimate([np.inf], 0.05)
    with pytest.raises(InputError, match="same rows"):
        shift.estimate([0.0, 1.0], 0.05, leads=["a"])
    with pytest.raises(InputError, match="same matured rows"):
        shift.check(1.0, [0.0], [np.nan], ["a"])
