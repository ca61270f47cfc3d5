import pytest

from benchmarks.training.shift_looks import CHANGED, HORIZON, alarms
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


def test_a_year_in_which_single_looks_err_raises_no_alarm():
    assert list(alarms(28, error=shift.ALARM_ERROR))
    assert not list(alarms(28))


def test_a_rise_is_seen_within_the_horizon_even_late_in_the_year():
    assert CHANGED < next(alarms(0, rarer=3, first=31)) <= CHANGED + HORIZON


@pytest.mark.slow
def test_false_alarms_of_a_year_stay_at_the_level():
    # 1 % of them; were every look to err by the whole level, it would be 40 % (`benchmarks.training.shift_looks`)
    assert sum(any(alarms(seed)) for seed in range(12)) <= 1
