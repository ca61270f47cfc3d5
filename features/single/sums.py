"""Measures that add up over kinds of activity: summed once by kind, then for all filters together.

With n activities of S kinds, F filters and C sums (a weight over a window) this is the product of matrices of shape
(C, n), (n, S) and (S, F), however many specifications share them. The newest activity is found by kind too.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

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

    __slots__ = ("_at", "_counted", "_decays", "_filters", "_last", "_pairs", "_places", "_recent", "_weighted")

    def __init__(self, placed: Sequence[tuple[int, FeatureSpec]], filters: Filters) -> None:
        """Gather the sums that are needed.

        Args:
            placed: specifications with their places in the row.
            filters: the filters of the plan, theirs among them.
        """
        self._filters = filters
        chosen = [(at, spec, filters.place(spec.filter_key)) for at, spec in placed]
        counts = dict.fromkeys(wide for _, spec, _ in chosen for wide in _counts(spec))
        self._counted = tuple(counts)
        weighted = dict.fromkeys(one for _, spec, _ in chosen if (one := _weighted(spec)) is not None)
        self._weighted = tuple(sorted(weighted, key=lambda one: not isinstance(one[0], float)))  # decays first
        self._decays = np.array([[1 / weight] for weight, _ in self._weighted if isinstance(weight, float)])
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
            indicators = seen.of(self._filters.indicators(seen.activities))
            totals = self._weights(seen) @ indicators @ table
            out[self._at] = totals[self._places]
            for at, measure, left, right, place, window in self._pairs:
                out[at] = _ratio(measure, totals.item(left, place), totals.item(right, place), window)
        if self._last:
            self._fill_last(out, seen, kind, table)

    def _weights(self, seen: Seen) -> Floats:
        """Give what each known activity adds to each sum, shape (sums, n)."""
        starts, counted, decays = seen.starts, len(self._counted), len(self._decays)
        weights = np.zeros((counted + len(self._weighted), seen.n))
        for place, wide in enumerate(self._counted):
            weights[place, starts[wide] :] = 1.0
        ages = seen.occurred - seen.as_of  # negative: what a decay needs
        if decays:
            part = weights[counted : counted + decays]
            np.multiply(self._decays, ages, out=part)
            np.exp2(part, out=part)
        for place, (weight, wide) in enumerate(self._weighted, counted):
            start = starts[wide]
            if weight == AGE:
                weights[place, start:] = ages[start:]
            elif isinstance(weight, Clock):
                weights[place, start:] = seen.of(on_the_clock(seen.activities, weight))[start:]
            elif start:
                weights[place, :start] = 0.0
        return weights

    def _fill_last(self, out: Floats, seen: Seen, kind: Indices, table: Floats) -> None:
        newest = np.zeros(len(table), dtype=np.intp)  # by kind: 1 + place of the newest, 0 where there is none
        newest[kind] = np.arange(1, seen.n + 1)  # of repeated places the last is left
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


def _ratio(measure: Measure, left: float, number: float, window: int | None) -> float:
    """Finish a measure of two sums: the weights (for momentum: the count of two windows), and the number."""
    if measure == "momentum":
        return math.log2((number + 1) / (left - number + 1))
    if number == 0:
        return math.nan
    return left / number if measure == "share" else 1 + 2 * left / number / (window or 1)
