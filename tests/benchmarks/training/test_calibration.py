import json
from functools import partial

import numpy as np
import pytest

from benchmarks.training import bars, calibration
from training import evaluate, reliability


def slice_(off, n=4_000):
    random = np.random.default_rng(1)
    p = random.beta(1, 9, n)
    y = (random.random(n) < np.clip(p + off, 0, 1)).astype(float)
    return reliability.slices(y, p, 0)[0]


def test_the_share_of_successes_is_drawn_without_repeating_a_lead():
    y = (np.arange(2_000) % 20 == 0).astype(float)
    rows = calibration.drawn_by_outcome(y, 0.2, np.random.default_rng(0))
    assert len(np.unique(rows)) == len(rows)
    assert y[rows].mean() == pytest.approx(0.2)
    assert y[rows].sum() == 100
    few = calibration.drawn_by_outcome(1 - y, 0.2, np.random.default_rng(0))
    assert (1 - y)[few].mean() == pytest.approx(0.2, abs=0.01)


def test_log_odds_are_the_inverse_and_finite():
    p = np.array([0.0, 0.2, 1.0])
    assert calibration.log_odds(p)[1] == pytest.approx(np.log(0.25))
    assert np.isfinite(calibration.log_odds(p)).all()


def moved(corrected, alarm=True):
    plain = slice_(0.1)
    return calibration.Moved(0, 0.05, 0.2, 0.2, alarm, True, plain, corrected)


@pytest.mark.parametrize(
    ("off", "after", "alarm", "passes"),
    [(0.0, 0.0, True, True), (0.1, 0.0, True, False), (0.0, 0.1, True, False), (0.0, 0.0, False, False)],
)
def test_the_bars_can_be_missed_one_by_one(off, after, alarm, passes):
    found = calibration.figures([slice_(0.0), slice_(off)], [moved(slice_(after), alarm)])
    assert (not bars.missed(found)) is passes
    assert found["ece_newest"] == pytest.approx(slice_(off).ece)
    json.dumps(found, allow_nan=False)


@pytest.mark.slow
def test_a_small_market_from_end_to_end(monkeypatch, capsys):
    monkeypatch.setattr(calibration, "TRIALS", 1)
    monkeypatch.setattr(calibration, "Options", partial(calibration.Options, rung="model"))
    monkeypatch.setattr(evaluate, "compare", partial(evaluate.compare, replicates=50))
    status = calibration.run(["--seeds", "1", "--leads", "2500", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status in {0, 1}
    assert found["details"]["shifts"] == 1
    assert 0 <= found["ece_newest"] <= 1
