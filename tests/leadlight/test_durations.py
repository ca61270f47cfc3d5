import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight import durations
from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1h", HOUR), ("7d", 7 * DAY), (" 2W ", 14 * DAY), ("1.5d", 36 * HOUR), ("36500d", 36_500 * DAY)],
)
def test_a_duration_is_a_number_and_a_unit(text, expected):
    assert durations.parse(text, "--horizon") == expected


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 months", "1e3d", "7d 2h", "nan d", "\u0667d", "7y"])
def test_another_form_is_refused_with_an_example(text):
    with pytest.raises(InputError, match=r"--horizon .*such as 1h, 7d or 8w"):
        durations.parse(text, "--horizon")


@pytest.mark.parametrize("text", ["0d", "0.0h", "36501d", "9" * 400 + "d"])
def test_nothing_and_more_than_a_century_are_refused(text):
    with pytest.raises(InputError, match="hundred years"):
        durations.parse(text, "--horizon")


def test_ages_are_sorted_and_each_once():
    assert durations.parse_ages("14d,1h, 7d ,168h") == (HOUR, 7 * DAY, 14 * DAY)


@pytest.mark.parametrize("text", ["", "1d,", "1d;7d"])
def test_a_list_with_a_hole_is_refused(text):
    with pytest.raises(InputError, match="--ages"):
        durations.parse_ages(text)


@given(st.integers(1, 24 * 3_650))
def test_what_is_written_can_be_read(hours):
    assert durations.parse(durations.write(hours * HOUR), "--horizon") == hours * HOUR
