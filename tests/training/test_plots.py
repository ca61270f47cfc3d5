"""Curves with known corners, figures without global state, files that are whole."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import roc_curve as sklearn_roc_curve

from leadlight import metrics
from leadlight.errors import InputError
from training import plots


def rows(n=500):
    rng = np.random.default_rng(0)
    p = rng.beta(1, 4, n)
    return (rng.random(n) < p).astype(float), {"model": p, "rules": np.round(p, 1), "oracle": None}


def lines(figure):
    return {line.get_label(): line.get_xydata() for line in figure.axes[0].get_lines()}


def test_gains_by_hand_with_a_tie():
    worked, found = plots.gains_curve([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1])
    assert worked.tolist() == [0, 0.25, 0.75, 1]
    assert found.tolist() == [0, 0.5, 1, 1]


def test_the_roc_curve_is_that_of_scikit_learn_and_its_area_the_auc():
    y, scores = rows()
    false, true = plots.roc_curve(y, scores["rules"])
    expected = sklearn_roc_curve(y, scores["rules"], drop_intermediate=False)
    assert false == pytest.approx(expected[0])
    assert true == pytest.approx(expected[1])
    assert np.trapezoid(true, false) == pytest.approx(metrics.auc(y, scores["rules"]))


def test_each_scorer_that_exists_is_drawn_with_its_figure():
    y, scores = rows()
    drawn = lines(plots.roc_figure(y, scores))
    area = metrics.auc(y, scores["model"])
    assert f"model (AUC {area:.3f})" in drawn
    assert sum("AUC" in label for label in drawn) == 2
    lift = metrics.top_decile_lift(y, scores["model"])
    assert f"model (lift {lift:.2f})" in lines(plots.gains_figure(y, scores))


def test_reliability_draws_the_bins_of_the_metric():
    y, scores = rows()
    figure = plots.reliability_figure(y, {"model": scores["model"]})
    table = metrics.reliability(y, scores["model"])
    points = figure.axes[0].get_lines()[0].get_xydata()
    assert points == pytest.approx(np.column_stack([table.predicted, table.observed]))
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "model"


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("draw", [plots.reliability_figure, plots.gains_figure, plots.roc_figure])
def test_one_class_and_constant_scores_still_make_a_picture(tmp_path, draw, outcome):
    figure = draw(np.full(30, outcome), {"model": np.full(30, 0.2), "rules": np.linspace(0, 1, 30)})
    plots.save(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_no_scorer_leaves_an_empty_picture(tmp_path):
    plots.save(plots.roc_figure([0, 1], {"oracle": None}), tmp_path / "none.png")
    assert (tmp_path / "none.png").stat().st_size > 0


def test_a_scorer_keeps_its_colour_when_another_is_absent():
    y, scores = rows()
    with_all = plots.roc_figure(y, scores).axes[0].get_lines()[1].get_color()
    without = plots.roc_figure(y, {**scores, "model": None}).axes[0].get_lines()[0].get_color()
    assert with_all == without


def test_the_same_figure_is_the_same_file_and_nothing_else_is_left(tmp_path):
    y, scores = rows()
    for name in ("one.png", "two.png"):
        plots.save(plots.gains_figure(y, scores), tmp_path / "new" / name)
    assert (tmp_path / "new" / "one.png").read_bytes() == (tmp_path / "new" / "two.png").read_bytes()
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["one.png", "two.png"]


def test_a_failure_half_way_leaves_no_file(tmp_path):
    class Broken:
        def savefig(self, target, **_):
            target.write_bytes(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        plots.save(Broken(), tmp_path / "x.png")
    with pytest.raises(InputError, match=r"must end in \.png"):
        plots.save(Broken(), tmp_path / "x.svg")
    assert list(tmp_path.iterdir()) == []


def test_pyplot_is_never_imported():
    code = "import sys, training.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
