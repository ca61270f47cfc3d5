"""The bars that the product set itself on the speed of features; they hold for 20 million activities on two cores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEYS: Final = (
    "ratio_best_handwritten",
    "growth_100m_20m",
    "peak_mb",
    "ages8_ratio",
    "incremental_ratio",
    "online_us",
    "parity_cells",
    "parity_differences",
)
# Of building with hygiene to building without; of an update in which all rows of the touched companies are computed; of
# a lead's record that was not looked at before.
WITHOUT_BAR: Final = ("hygiene_ratio", "incremental_all_rows", "online_first_us")
INCREMENTAL_SHARE: Final = 0.05  # of a full build, and one second besides
_MOST: Final[Mapping[str, tuple[float, str]]] = {
    "ratio_best_handwritten": (1.2, "at most 1.2 times the faster of SQL and Polars written by hand"),
    "growth_100m_20m": (1.3, "at most 1.3 times the seconds per activity of a log a fifth as large"),
    "peak_mb": (6_000, "at most 6,000 MB for the large log"),
    "ages8_ratio": (3.0, "eight ages a lead at most 3 times one"),
    "incremental_ratio": (
        INCREMENTAL_SHARE,
        "a day with 1 % of leads active at most 5 % of a full build, plus one second",
    ),
    "online_us": (200.0, "at most 200 µs for a lead with 500 events in memory"),
    "parity_differences": (0, "no cell different"),
}
_LEAST: Final[Mapping[str, tuple[float, str]]] = {"parity_cells": (1_000_000, "millions of cells compared")}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its JSON key, what must hold, what was found, and whether it holds (what is not measured does not)."""

    key: str
    demand: str
    found: str
    passed: bool


def bars_of(found: Mapping[str, float | int | None]) -> list[Bar]:
    """Hold the figures against the bars, in the order of the keys.

    Args:
        found: the figures; `incremental_bar` is what one second besides makes of that bar at the size measured.
    """
    bars = []
    for key in KEYS:
        value = found.get(key)
        bound, demand = _MOST[key] if key in _MOST else _LEAST[key]
        if key == "incremental_ratio":
            bound = found.get("incremental_bar") or bound
            demand += f": {bound:.4g} here"
        passed = value is not None and (value <= bound if key in _MOST else value >= bound)
        bars.append(Bar(key, demand, "not measured" if value is None else f"{value:,.4g}", passed))
    return bars
