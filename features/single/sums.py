"""Measures that add up over kinds of activity: summed once by kind, then for all filters together.

With S kinds, F filters and C sums (a weight over a window) this is at most C passes over the activities and one product
of a (C, S) by an (S, F) matrix, however many specifications share them. The newest activity is found in the same way.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.single.clock import Clock, on_the_clock
from features.single.filters import Filters, Floats
from features.single.seen import LONGEST, Indices, Seen, width
from leadlight.measures import Measure
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec

MEASURES: Final[frozenset[Measure]] = frozenset(
    {"count", "momentum", "decayed_count", "trend", "share", "days_since_last"}
)
COUNT: Final = "count"
AGE: Final = "age"

# What is summed: a half-life in µs, a clock, `AGE` or `COUNT`; and over which window in µs.
Weight = float | Clock | str
Sum = tuple[Weight, int | None]


class Sums:
    """The specifications of a plan whose measure is in `MEASURES`."""

    __slots__ = ("_at", "_blocks", "_counted", "_last", "_pairs", "_places", "_recent", "_weighted")

    def __init__(self, placed: Sequence[tuple[int, FeatureSpec]], filters: Filters) -> None:
        """Gather the sums that are needed.

        Args:
            placed: specifications with their places in the row.
            filters: the filters of the plan, theirs among them.
        """
        chosen = [(at, spec, filters.place(spec.filter_key)) for at, spec in placed]
        counts = {wide for _, spec, _ in chosen for wide in _counts(spec)}
        # Longest window first: the places at which they begin ascend.
        self._counted = sorted(counts, key=lambda wide: -math.inf if wide is None else -wide)
        self._blocks = np.arange(len(self._counted) + 1)
        self._weighted = tuple(dict.fromkeys(one for _, spec, _ in chosen if (one := _weighted(spec)) is not None))
        rows: dict[Sum, int] = {(COUNT, wide): place for place, wide in enumerate(self._counted)}
        rows |= {one: len(rows) + place for place, one in enumerate(self._weighted)}

        plain = [one for one in chosen if one[1].measure in {"count", "decayed_count"}]
        self._at = np.array([at for at, _, _ in plain], dtype=np.intp)
        self._places = (
            np.array([rows[_first(spec)] for _, spec, _ in plain], dtype=np.intp),
            np.array([place for _, _, place in plain], dtype=np.intp),
        )
        self._pairs = tuple(
            (at, spec.measure, rows[_first(spec)], rows[COUNT, width(spec.window_days)], place, width(spec.window_days))
            for at, spec, place in chosen
            if spec.measure in {"momentum", "trend", "share"}
        )
        last = [one for one in chosen if one[1].measure == "days_since_last"]
        self._last = tuple((at, column, width(spec.window_days)) for column, (at, spec, _) in enumerate(last))
        self._recent = np.array([place for _, _, place in last], dtype=np.intp)

    def fill(self, out: Floats, seen: Seen, kind: Indices, table: Floats) -> None:
        """Write the measures.

        Args:
            out: the row of all features.
            seen: n > 0 known activities.
            kind: their kinds, shape (n,).
            table: which filter selects which kind, shape (kinds, filters).
        """
        if self._counted or self._weighted:
            totals = self._by_kind(seen, kind, len(table)) @ table
            out[self._at] = totals[self._places]
            for at, measure, left, right, place, window in self._pairs:
                out[at] = _ratio(measure, totals.item(left, place), totals.item(right, place), window)
        if self._last:
            self._fill_last(out, seen, kind, table)

    def _by_kind(self, seen: Seen, kind: Indices, kinds: int) -> Floats:
        """Give every sum by kind, shape (sums, kinds)."""
        counted = len(self._counted)
        rows = np.empty((counted + len(self._weighted), kinds))
        if counted:
            # In block b lie the activities that the windows from the longest to number b - 1 hold, and no shorter one.
            edges = [0, *(seen.starts[wide] for wide in self._counted), seen.n]
            block = (self._blocks * kinds).repeat([end - begin for begin, end in pairwise(edges)])
            blocks = np.bincount(kind + block, minlength=(counted + 1) * kinds).reshape(counted + 1, kinds)
            rows[:counted] = blocks[:0:-1].cumsum(axis=0)[::-1]
        ages = (seen.occurred - seen.as_of).astype(np.float64)  # negative: what a decay needs
        weights: dict[Weight, Floats] = {AGE: ages}
        for place, (weight, wide) in enumerate(self._weighted, counted):
            each = weights.get(weight)
            if each is None:
                each = weights[weight] = _weights(weight, seen, ages)
            start = seen.starts[wide]
            rows[place] = np.bincount(kind[start:], each[start:], kinds)
        return rows

    def _fill_last(self, out: Floats, seen: Seen, kind: Indices, table: Floats) -> None:
        newest = np.zeros(len(table), dtype=np.intp)  # by kind: 1 + place of the newest, 0 where there is none
        np.maximum.at(newest, kind, np.arange(1, seen.n + 1))
        of_filter = (table.take(self._recent, axis=1) * newest[:, np.newaxis]).max(axis=0)
        occurred, starts = seen.occurred, seen.starts
        for at, column, window in self._last:
            place = int(of_filter[column]) - 1
            if place >= starts[window]:
                out[at] = (seen.as_of - occurred.item(place)) / DAY


def _counts(spec: FeatureSpec) -> tuple[int | None, ...]:
    """Give the windows over which activities are counted; that of the specification first."""
    window = width(spec.window_days)
    if spec.measure == "momentum":
        return window, min(2 * (window or 0), LONGEST)
    return () if spec.measure in {"decayed_count", "days_since_last"} else (window,)


def windows(spec: FeatureSpec) -> tuple[int | None, ...]:
    """Give every window that a specification needs."""
    return width(spec.window_days), *_counts(spec)


def _weighted(spec: FeatureSpec) -> Sum | None:
    """Give the sum of weights that a specification needs, None where it only counts."""
    window = width(spec.window_days)
    if spec.measure == "trend":
        return AGE, window
    if spec.measure == "share":
        return Clock.of(spec), window
    return None if spec.half_life_days is None else (float(spec.half_life_days * DAY), window)


def _first(spec: FeatureSpec) -> Sum:
    """Give the sum of a specification: of weights, or the count over its (for momentum: over two of its) window."""
    return _weighted(spec) or (COUNT, _counts(spec)[-1])


def _weights(weight: Weight, seen: Seen, ages: Floats) -> NDArray[np.float64]:
    if isinstance(weight, Clock):
        return seen.of(on_the_clock(seen.activities, weight))
    decayed: Floats = np.exp2(ages * (1 / float(weight)))
    return decayed


def _ratio(measure: Measure, left: float, number: float, window: int | None) -> float:
    """Finish a measure of two sums: the weights (for momentum: the count of two windows), and the number."""
    if measure == "momentum":
        return math.log2((number + 1) / (left - number + 1))
    if number == 0:
        return math.nan
    return left / number if measure == "share" else 1 + 2 * left / number / (window or 1)
