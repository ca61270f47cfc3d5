import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.steps import Isotonic, VennAbers

KNOTS = (-1.0, 0.5)


def test_a_step_holds_from_its_knot_on():
    steps = Isotonic(KNOTS, (-2.0, 0.0, 1.5))
    assert steps.of(np.array([-9.0, -1.0, 0.49, 0.5, 9.0])).tolist() == [-2.0, 0.0, 0.0, 1.5, 1.5]
    interval = VennAbers(KNOTS, (0.1, 0.2, 0.3), (0.2, 0.2, 0.9))
    low, high = interval.of(np.array([-1.1, -1.0, 0.5]))
    assert (low.tolist(), high.tolist()) == ([0.1, 0.2, 0.3], [0.2, 0.2, 0.9])


def test_without_a_knot_one_step_holds_everywhere():
    assert Isotonic((), (0.3,)).of(np.array([-1e9, 1e9])).tolist() == [0.3, 0.3]
    assert [end.tolist() for end in VennAbers((), (0.1,), (0.4,)).of(np.array([0.0]))] == [[0.1], [0.4]]


@pytest.mark.parametrize("steps", [Isotonic(KNOTS, (-2, 0.0, 1.5)), VennAbers(KNOTS, (0, 0.2, 0.3), (0.2, 0.2, 1))])
def test_numbers_come_back_from_json(steps):
    assert type(steps).from_json(steps.to_json()) == steps


@given(st.floats(-30, 30), st.floats(0, 1), st.floats(0, 1), st.floats(-20, 20))
def test_a_shift_multiplies_the_odds_of_both_ends(shift, one, other, z):
    low, high = sorted([one, other])
    found = VennAbers((), (low,), (high,)).of(np.array([z]), shift)
    for end, before in zip(found, (low, high), strict=True):
        assert 0.0 <= end[0] <= 1.0
        if 0 < before < 1:
            odds = before / (1 - before) * math.exp(shift)
            assert end[0] == pytest.approx(odds / (1 + odds), rel=1e-9)
        else:
            assert end[0] == before
    assert found[0][0] <= found[1][0] + 1e-15


def test_knots_lie_where_the_log_odds_were_before_the_shift():
    interval = VennAbers((0.0,), (0.1, 0.3), (0.2, 0.4))
    served = np.array([0.9, 1.1])
    assert interval.of(served)[0].tolist() == [0.3, 0.3]
    before = interval.of(served - 1.0)[0]
    shifted = interval.of(served, 1.0)[0]
    assert shifted / (1 - shifted) == pytest.approx(before / (1 - before) * math.e)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Isotonic((1.0, 1.0), (0.0, 0.0, 0.0)), "isotonic.knots must rise"),
        (lambda: Isotonic((1.0, 0.0), (0.0, 0.0, 0.0)), "isotonic.knots must rise"),
        (lambda: Isotonic((float("nan"),), (0.0, 0.0)), r"isotonic.knots\[0\] == nan"),
        (lambda: Isotonic((0.0,), (0.0,)), "isotonic.values has 1 values, must have 2"),
        (lambda: Isotonic((0.0,), (0.0, float("inf"))), r"isotonic.values\[1\] == inf"),
        (lambda: Isotonic((0.0,), (0.0, "1")), r"isotonic.values\[1\] == '1'"),
        (lambda: Isotonic((0.0,), (0.0, True)), r"isotonic.values\[1\] == True"),
        (lambda: Isotonic((0.0,), (1.0, 0.0)), "must never fall"),
        (lambda: VennAbers((0.0,), (0.1,), (0.2, 0.3)), "interval.lower has 1 values, must have 2"),
        (lambda: VennAbers((0.0,), (0.1, 0.2), (0.2, 0.3, 0.4)), "interval.upper has 3 values, must have 2"),
        (lambda: VennAbers((0.0,), (0.1, 0.4), (0.2, 0.3)), "lower 0.4, upper 0.3"),
        (lambda: VennAbers((), (-0.1,), (0.3,)), "lower -0.1"),
        (lambda: VennAbers((), (0.1,), (1.3,)), "upper 1.3"),
        (lambda: VennAbers((), (None,), (1.0,)), r"interval.lower\[0\] == None"),
    ],
)
def test_steps_without_meaning_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
