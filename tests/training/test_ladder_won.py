import numpy as np
import pytest

from training.ladder_won import carried


@pytest.mark.parametrize(
    ("ended", "rung", "words"),
    [
        (None, "prior", "only successes are known at the cut, those of 2 leads, and no failure"),
        ([0, 0, 0], "prior", "only quick successes are known at the cut, those of 2 leads, and no failure yet"),
        ([1, 0, 0], "prior", "the horizon of 1 of 3 snapshots had ended, the others are known for having been quick"),
        ([1, 1, 0], "rules", "the horizon of 2 of 3 snapshots had ended, and all succeeded"),
    ],
)
def test_only_ended_horizons_say_that_all_win(ended, rung, words):
    found, told = carried(2, None if ended is None else np.array(ended, dtype=bool), 0.5)
    assert found == rung
    assert words in told


def test_one_lead_is_counted_as_one():
    assert "those of 1 lead," in carried(1, None, 0.5)[1]
