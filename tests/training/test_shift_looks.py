import numpy as np
import pytest

from leadlight.schema import DAY
from training import shift, shift_looks

WEEK = 7 * DAY


def test_a_look_is_due_every_week_and_between_two_the_last_one_is_the_answer():
    first = shift_looks.due(100 * DAY, 100 * DAY)
    assert (first.number, first.until, first.following) == (1, 100 * DAY, 107 * DAY)
    assert shift_looks.due(100 * DAY, 107 * DAY - 1) == first
    second = shift_looks.due(100 * DAY, 107 * DAY)
    assert (second.number, second.until) == (2, 107 * DAY)
    assert shift_looks.due(100 * DAY, 400 * DAY).number == 43


def test_a_record_that_ends_before_the_training_is_looked_at_as_it_is():
    found = shift_looks.due(100 * DAY, 90 * DAY)
    assert (found.number, found.until) == (1, 90 * DAY)


def test_the_errors_of_all_looks_together_are_the_level():
    errors = [shift_looks.due(0, week * WEEK).error for week in range(20_000)]
    assert errors == sorted(errors, reverse=True)
    assert shift.ALARM_ERROR * 0.999 < sum(errors) < shift.ALARM_ERROR


def year(seed, *, changed=None, error=None, first=0, per_day=20, horizon=60):
    """Look once a week for a year at leads of one age; give the days with an alarm.

    Args:
        changed: day from which on failures are three times rarer; None = never.
        error: of every single look; None = as the looks are due.
        first: week of the first look that is taken.
    """
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(480), per_day)
    z = random.normal(-3.2, 1.3, len(day))
    y = (random.random(len(day)) < 1 / (1 + np.exp(-z))).astype(float)
    if changed is not None:
        kept = (day < changed) | (y == 1) | (random.random(len(day)) < 1 / 3)
        day, z, y = day[kept], z[kept], y[kept]
    for week in range(first, 52):
        until = 120 + 7 * week
        recent, known = (day > until - horizon) & (day <= until), day <= until - horizon
        level = shift_looks.due(0, week * WEEK).error if error is None else error
        if shift.against(z[recent], z[known], y[known], error=level).alarm:
            yield until


def test_a_year_in_which_single_looks_err_raises_no_alarm():
    assert list(year(28, error=shift.ALARM_ERROR))
    assert not list(year(28))


def test_a_rise_is_seen_within_the_horizon_even_late_in_the_year():
    assert 330 < next(year(0, changed=330, first=31)) <= 330 + 60


@pytest.mark.slow
def test_false_alarms_of_a_year_stay_at_the_level():
    assert sum(any(year(seed)) for seed in range(40)) <= 2  # 1 % of 40, and its noise
