"""Corners of curves, by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve as sklearn_roc_curve

from leadlight import metrics
from training import curves


def test_gains_by_hand_with_a_tie():
    worked, found = curves.gains_curve([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    assert worked.tolist() == [0, 0.25, 0.75, 1]
    assert found.tolist() == [0, 0.5, 1, 1]


def test_the_roc_curve_is_that_of_scikit_learn_and_its_area_the_auc():
    random = np.random.default_rng(0)
    p = np.round(random.beta(1, 4, 400), 1)
    y = (random.random(400) < p).astype(float)
    false, true = curves.roc_curve(y, p)
    expected = sklearn_roc_curve(y, p, drop_intermediate=False)
    assert false == pytest.approx(expected[0])
    assert true == pytest.approx(expected[1])
    assert np.trapezoid(true, false) == pytest.approx(metrics.auc(y, p))


def test_what_bends_is_the_same_line_of_fewer_corners():
    random = np.random.default_rng(1)
    y, p = (random.random(500) < 0.1).astype(float), random.random(500)
    for x, up in (curves.roc_curve(y, p), curves.gains_curve(y, p)):
        fewer, heights = curves.bends(x, up)
        assert len(fewer) < 200
        assert np.trapezoid(heights, fewer) == pytest.approx(np.trapezoid(up, x), abs=1e-12)
        assert {*zip(fewer, heights, strict=True)} <= {*zip(x, up, strict=True)}
    assert all(len(part) == 0 for part in curves.bends(np.empty(0), np.empty(0)))


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_a_class_that_is_missing_leaves_no_curve(outcome):
    y, p = np.full(5, outcome), np.linspace(0, 1, 5)
    assert len(curves.roc_curve(y, p)[0]) == 0
    assert len(curves.gains_curve(y, p)[0]) == (6 if outcome else 0)
