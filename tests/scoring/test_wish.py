import pytest

from leadlight.errors import InputError
from scoring.wish import Wish, parse


@pytest.mark.parametrize(
    ("rate", "capacity", "expected"),
    [
        ("0.30:0.50", "40/week", Wish(0.3, 0.5, 40)),
        ("30%:50%", None, Wish(0.3, 0.5, None)),
        (".25 : 1", "8 / day", Wish(0.25, 1.0, 56)),
        ("0:1", "100/month", Wish(0.0, 1.0, 700 / (365.25 / 12))),
    ],
)
def test_parse(rate, capacity, expected):
    found = parse(rate, capacity)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.capacity_per_week == pytest.approx(expected.capacity_per_week)


@pytest.mark.parametrize("rate", ["", "0.3", "0.5:0.3", "a:b", "0.3:", "30:50", "-0.1:0.5", "nan:0.5", "0.3:0.4:0.5"])
def test_a_bad_rate_is_refused(rate):
    with pytest.raises(InputError, match=r"such as 0\.30:0\.50"):
        parse(rate, None)


@pytest.mark.parametrize("capacity", ["", "40", "forty/week", "0/week", "-3/week", "40/year", "1e999/week", "nan/week"])
def test_a_bad_capacity_is_refused(capacity):
    with pytest.raises(InputError, match="such as 40/week"):
        parse("0.3:0.5", capacity)
