"""Pictures of several scorers on the same test rows: reliability, gains (with lift), ROC.

Figures are built object by object, without the global state of pyplot, so that they can be made in any thread and leave
nothing behind. What is drawn is what `leadlight.metrics` measures: equal-mass bins, ties as straight lines.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from leadlight.errors import InputError
from leadlight.metrics import auc, reliability, top_decile_lift, wilson_interval
from leadlight.workspace import file_atomically
from training.comparison import SCORER_NAMES
from training.curves import bends, gains_curve, roc_curve

SIZE: Final = (6.4, 5.2)
RESOLUTION: Final = 120
# Told apart by colour-blind readers too: M. Okabe, K. Ito, Color Universal Design (2008).
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def reliability_figure(y: ArrayLike, scores: Mapping[str, ArrayLike | None], title: str = "Reliability") -> Figure:
    """Draw observed against predicted rates in ten bins of equal mass, with 95 % Wilson intervals.

    The intervals take rows as independent: draw one scheduled age at a time.

    Args:
        y: outcomes 0 or 1, shape (n,).
        scores: scorer -> probabilities, shape (n,); None is left out.
        title: above the picture.

    Raises:
        InputError: an argument outside its domain.
    """
    figure, axes = _empty(title, "predicted probability", "observed share of positives")
    top = 0.0
    for colour, name, p in _drawn(scores):
        table = reliability(y, p)
        ends = [wilson_interval(rate * n, n) for rate, n in zip(table.observed, table.mass, strict=True)]
        low, high = np.array(ends).T
        error = np.maximum([table.observed - low, high - table.observed], 0)
        axes.errorbar(
            table.predicted, table.observed, yerr=error, color=colour, label=_label(name), marker="o", capsize=2, lw=1.2
        )
        top = max(top, float(high.max()), float(table.predicted.max()))
    return _finished(figure, axes, min(1.0, 1.05 * top) or 1.0)


def gains_figure(y: ArrayLike, scores: Mapping[str, ArrayLike | None], title: str = "Gains") -> Figure:
    """Draw the share of positives found against the share of rows worked; top-decile lift in the legend.

    Raises:
        InputError: an argument outside its domain.
    """
    figure, axes = _empty(title, "share of snapshots, best score first", "share of positives found")
    for colour, name, p in _drawn(scores):
        lift = top_decile_lift(y, p)
        worked, found = bends(*gains_curve(y, p))
        told = "lift not defined" if lift is None else f"lift {lift:.2f}"
        axes.plot(worked, found, color=colour, label=f"{_label(name)} ({told})")
    return _finished(figure, axes, 1.0)


def roc_figure(y: ArrayLike, scores: Mapping[str, ArrayLike | None], title: str = "ROC") -> Figure:
    """Draw true against false positive rate over all cut-offs; AUC in the legend.

    Raises:
        InputError: an argument outside its domain.
    """
    figure, axes = _empty(title, "false positive rate", "true positive rate")
    for colour, name, p in _drawn(scores):
        area = auc(y, p)
        told = "AUC not defined" if area is None else f"AUC {area:.3f}"
        false, true = bends(*roc_curve(y, p))
        axes.plot(false, true, color=colour, label=f"{_label(name)} ({told})")
    return _finished(figure, axes, 1.0)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; folders are made.

    Raises:
        InputError: the name does not end in `.png`.
    """
    if path.suffix != ".png":
        raise InputError(f"picture `{path.name}` must end in .png; rename it")
    with file_atomically(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _drawn(scores: Mapping[str, ArrayLike | None]) -> list[tuple[str, str, ArrayLike]]:
    """Pair every scorer that exists with a colour of its own; the colour depends on its place, not on the others."""
    return [(COLOURS[place % len(COLOURS)], name, p) for place, (name, p) in enumerate(scores.items()) if p is not None]


def _label(scorer: str) -> str:
    return SCORER_NAMES.get(scorer, scorer).removeprefix("the ")


def _empty(title: str, across: str, up: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE, dpi=RESOLUTION, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set(title=title, xlabel=across, ylabel=up)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _finished(figure: Figure, axes: Any, top: float) -> Figure:
    """Add the diagonal (perfect reliability, or a score that knows nothing), equal limits and the legend."""
    axes.plot([0, top], [0, top], color="grey", ls=":", lw=1)
    axes.set(xlim=(0, top), ylim=(0, top))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize="small")
    return figure
