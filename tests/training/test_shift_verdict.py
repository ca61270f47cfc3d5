import json

import numpy as np
import pytest

from leadlight.errors import InputError
from tests.training.test_shift import drawn
from training import shift, shift_verdict


def leads_of(n):
    return np.array([f"l{i}" for i in range(n)], dtype=object)


def test_outcomes_bear_a_true_shift_out_and_take_a_false_one_back():
    z, y = drawn(4_000, 0.2)
    true = shift_verdict.check(1.6, z, y, leads_of(4_000))
    assert (true.verdict, true.undone, true.shift) == ("better", False, 1.6)
    z, y = drawn(4_000, 0.05)
    false = shift_verdict.check(1.6, z, y, leads_of(4_000))
    assert (false.verdict, false.undone, false.shift) == ("worse", True, 0.0)
    assert "taken back" in false.why
    assert false.evidence > shift_verdict.BEYOND_NOISE
    assert json.loads(json.dumps(false.to_json()))["undone"] is True


def test_features_that_changed_look_like_a_shift_until_outcomes_come():
    """The assumption broken: everybody became busier, nobody likelier."""
    z, y = drawn(4_000, 0.05)
    busier = z + 1.0
    found = shift.against(busier, *drawn(40_000, 0.05, seed=99))
    assert found.alarm
    assert shift_verdict.check(found.log_odds, busier, y, leads_of(4_000)).undone


def test_a_handful_of_outcomes_disproves_nothing():
    z, y = drawn(12, 0.05)
    found = shift_verdict.check(0.4, z, y, leads_of(12))
    assert (found.verdict, found.undone, found.shift) == ("not distinguishable", False, 0.4)
    one = shift_verdict.check(1.0, z[:1], y[:1], leads_of(1))
    assert one.verdict == "not distinguishable"


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="same matured rows"):
        shift_verdict.check(1.0, [0.0], [np.nan], ["a"])
