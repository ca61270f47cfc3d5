"""What moves scores, drawn: a swarm of dots per part, and a bar per family."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.influence import RULES, Influence, sample
from training.ranks import ranks
from training.svg import Axis, Chart, Margins, Markup

Floats = NDArray[np.float64]

MOST_PARTS: Final = 14
MOST_DOTS: Final = 500
ROW_HEIGHT: Final = 34.0
# Swarms are stacked in columns of so many pixels, dots of one column this far apart.
COLUMN: Final = 3.2
APART: Final = 2.6
COLOURS: Final = 7
# The widest tenth of a percent is not worth the room it takes.
TAIL: Final = 0.001
WITHOUT_ORDER: Final = "qn"


def swarm(found: Influence, seed: int, name: str = "swarm") -> Markup:
    """Draw a dot per row and part: to the right it raised the score; blue are low values, red high ones.

    Args:
        found: parts of at least one row, at least one of which moves scores.
        seed: of the rows drawn.
        name: of the chart.
    """
    places = found.strongest(MOST_PARTS)
    chosen = sample(len(found.points), MOST_DOTS, seed)
    points, values = found.points[chosen], found.values[chosen]
    low, high = np.quantile(points[:, places], [TAIL, 1 - TAIL])
    room = 0.04 * (high - low) or 1.0
    names = [found.names[place] for place in places]
    margins = Margins(8, 14, 46, 240)
    x = Axis(float(low - room), float(high + room), "points added to the score, against the average lead")
    chart = Chart(x, Axis.of_names(names), 960, 54 + ROW_HEIGHT * len(places), margins)
    chart.vertical(0.0, "zero")
    for line, place in enumerate(places):
        _draw_row(chart, line, points[:, place], _colours(values[:, place], ordered=not found.categorical[place]))
    told = ", ".join(f"{found.names[place]} {found.mean[place]:.1f}" for place in places)
    return chart.svg(name, "What moves scores, row by row", f"Mean absolute points per part: {told}.")


def _draw_row(chart: Chart, line: int, points: Floats, colours: NDArray[np.int64]) -> None:
    """Draw the dots of one part, dots of one colour in one path."""
    across = np.array([chart.across(value) for value in points])
    middle = chart.up(-float(line))
    heights = middle + stacked(across)
    for colour in np.unique(colours):
        own = np.flatnonzero(colours == colour)
        drawn = "".join(f"M{across[row]:.1f} {heights[row]:.1f}h0" for row in own)
        css = WITHOUT_ORDER if colour < 0 else f"q{colour}"
        chart.marks.append(f'<path class="dots swarm {css}" stroke-width="3.4" d="{drawn}"/>')


def stacked(across: Floats) -> Floats:
    """Give each dot its distance from the middle of its row, in pixels, so that dots of one column do not overlap.

    >>> stacked(np.array([10.0, 10.1, 10.2, 50.0])).tolist()
    [0.0, 2.6, -2.6, 0.0]
    """
    column = np.round(across / COLUMN).astype(np.int64)
    order = np.argsort(column, kind="stable")
    sizes = np.unique(column, return_counts=True)[1]
    place = np.concatenate([np.arange(size) for size in sizes]) if len(sizes) else np.empty(0)
    steps = (place + 1) // 2 * np.where(place % 2 == 1, 1, -1)
    most = ROW_HEIGHT / 2 - 2
    offsets = np.empty(len(across))
    offsets[order] = np.clip(steps * APART, -most, most)
    return offsets + 0.0


def _colours(values: Floats, *, ordered: bool) -> NDArray[np.int64]:
    """Give each value its colour, low to high by rank; -1 without an order or a value."""
    colours = np.full(len(values), -1)
    known = ~np.isnan(values)
    if ordered and known.any():
        position = ranks(values[known]) / max(int(np.count_nonzero(known)) - 1, 1)
        colours[known] = np.minimum((position * COLOURS).astype(np.int64), COLOURS - 1)
    return colours


def family_bars(found: Influence, name: str = "families") -> Markup:
    """Draw by how many points every family moves a score on average."""
    families = found.by_family()
    longest = max(value for _, value in families)
    names = [family for family, _ in families]
    x = Axis(0, longest * 1.12, "points of the score, on average up or down")
    chart = Chart(x, Axis.of_names(names), 460, 58 + 24 * len(names), Margins(6, 16, 42, 110))
    for place, (family, value) in enumerate(families):
        chart.box(0, value, -place - 0.32, -place + 0.32, f"bar {'rules' if family == RULES else 'model'}")
        chart.words(chart.across(value) + 5, chart.up(-place) + 4, f"{value:.1f}", "on")
    told = ", ".join(f"{family} {value:.1f}" for family, value in families)
    return chart.svg(name, "What moves scores, by family", f"{told}.")
