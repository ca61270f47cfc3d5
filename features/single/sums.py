"""Measures that add up over activities, and the newest activity: for all filters together.

Counts are differences of what `Selected` counted once. With n activities, F filters and W sums (a weight over a
window) all sums are one product of matrices of shape (F, n) and (n, W), however many specifications share them.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from features.single.clock import Clock, on_the_clock
from features.single.filters import Filters
from features.single.seen import LONGEST, Seen, Windows, width
from features.single.selected import Floats, Selected
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

    __slots__ = ("_at", "_counted", "_decays", "_last", "_pairs", "_places", "_weighted")

    def __init__(self, placed: Sequence[tuple[int, FeatureSpec]], filters: Filters, windows: Windows) -> None:
        """Gather the sums that are needed.

        Args:
            placed: specifications with their places in the row.
            filters: the filters of the plan, theirs among them.
            windows: the windows of the plan, theirs among them.
        """
        begin = {wide: place for place, wide in enumerate(windows.widths)}
        chosen = [(at, spec, filters.place(spec.filter_key)) for at, spec in placed]
        counts = dict.fromkeys(wide for _, spec, _ in chosen for wide in _counts(spec))
        self._counted = np.array([begin[wide] for wide in counts], dtype=np.intp)
        weighted = dict.fromkeys(one for _, spec, _ in chosen if (one := _weighted(spec)) is not None)
        ordered = sorted(weighted, key=lambda one: not isinstance(one[0], float))  # decays first
        self._weighted = tuple((weight, begin[wide]) for weight, wide in ordered)
        self._decays = np.array([1 / weight for weight, _ in ordered if isinstance(weight, float)])[:, np.newaxis]
        rows: dict[Sum, int] = {(COUNT, wide): place for place, wide in enumerate(counts)}
        rows |= {one: len(rows) + place for place, one in enumerate(ordered)}

        plain = [one for one in chosen if one[1].measure in {"count", "decayed_count"}]
        self._at = np.array([at for at, _, _ in plain], dtype=np.intp)
        self._places = np.array([place * len(rows) + rows[_first(spec)] for _, spec, place in plain], dtype=np.intp)
        self._pairs = tuple(
            (at, spec.measure, rows[_first(spec)], rows[COUNT, width(spec.window_days)], place, width(spec.window_days))
            for at, spec, place in chosen
            if spec.measure in {"momentum", "trend", "share"}
        )
        last = [one for one in chosen if one[1].measure == "days_since_last"]
        self._last = tuple(
            np.array(column, dtype=np.intp)
            for column in zip(*((at, place, begin[width(spec.window_days)]) for at, spec, place in last), strict=True)
        )

    def fill(self, out: Floats, seen: Seen, selected: Selected) -> None:
        """Write the measures.

        Args:
            out: the row of all features.
            seen: n > 0 known activities.
            selected: which filter selects which activity of the record.
        """
        if len(self._counted) or self._weighted:
            weighted = selected.flags[:, : seen.n] @ self._weights(seen).T
            totals = np.concatenate([self._totals(seen, selected), weighted], axis=1)
            out[self._at] = totals.take(self._places)
            for at, measure, left, right, place, window in self._pairs:
                out[at] = _ratio(measure, totals.item(place, left), totals.item(place, right), window)
        if self._last:
            self._fill_last(out, seen, selected)

    def _totals(self, seen: Seen, selected: Selected) -> Floats:
        """Give how many known activities of each counted window each filter selects, shape (F, windows)."""
        begins = seen.begins.take(self._counted)
        totals: Floats = selected.counts[:, seen.n, np.newaxis] - selected.counts.take(begins, axis=1)
        return totals

    def _weights(self, seen: Seen) -> Floats:
        """Give what each known activity adds to each sum, shape (sums, seen.n)."""
        begins, decays = seen.begins, len(self._decays)
        weights = np.empty((len(self._weighted), seen.n))
        ages = (seen.occurred - seen.as_of).astype(np.float64)  # negative, for decays
        part = weights[:decays]
        np.multiply(self._decays, ages, out=part)
        np.exp2(part, out=part)
        for place, (weight, window) in enumerate(self._weighted):
            if weight == AGE:
                weights[place] = ages
            elif isinstance(weight, Clock):
                weights[place] = on_the_clock(seen.activities, weight)[: seen.n]
            if window:  # the first is the whole record
                weights[place, : begins[window]] = 0.0
        return weights

    def _fill_last(self, out: Floats, seen: Seen, selected: Selected) -> None:
        at, rows, windows = self._last
        places = selected.newest[:, seen.n].take(rows)
        days = (seen.as_of - seen.activities.occurred_at.take(places)) / DAY  # of place -1 it is not looked at
        out[at] = np.where(places >= seen.begins.take(windows), days, np.nan)


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
