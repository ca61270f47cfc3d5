"""Measures that need the selected activities themselves, in their order."""

import math
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.single.clock import distinct, local_days, offset
from features.single.filters import ALL, Filters, Floats
from features.single.seen import LONGEST, Indices, Seen, Windows, microseconds, width
from leadlight.measures import Measure
from leadlight.schema import DAY, MINUTE
from leadlight.spec import FeatureSpec, FilterKey
from leadlight.timeline import Instants

T = TypeVar("T", bound=np.generic)
Mask = NDArray[np.bool_]
NULL: Final = float("nan")


class Answers:
    """The known activities, and which of them may answer an earlier one."""

    __slots__ = ("_filters", "_found", "_kind", "_table", "_waits", "seen")

    def __init__(self, seen: Seen, kind: Indices, table: Floats, filters: Filters) -> None:
        self.seen = seen
        self._kind = kind
        self._table = table.T > 0
        self._filters = filters
        self._found: dict[FilterKey, Mask] = {}
        self._waits: dict[FilterKey, Instants] = {}

    def mask(self, key: FilterKey) -> Mask:
        """Tell which known activities a filter selects."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._table[self._filters.place(key)][self._kind]
        return found

    def waits(self, key: FilterKey) -> Instants:
        """Give how long (µs) after each known activity the next one came that a filter selects; huge where none did."""
        found = self._waits.get(key)
        if found is None:
            occurred = self.seen.occurred
            answers = np.where(self.mask(key), occurred, LONGEST)
            following = np.empty_like(answers)
            following[-1] = LONGEST
            following[:-1] = np.minimum.accumulate(answers[:0:-1])[::-1]
            found = self._waits[key] = following - occurred
        return found


class Chosen:
    """The known activities that one filter selects.

    Attributes:
        answers: all known ones.
        times: instants of the selected ones, ascending, shape (m,).
        starts: the place at which each window begins among them.
    """

    __slots__ = ("_at", "_gaps", "answers", "starts", "times")

    def __init__(self, answers: Answers, key: FilterKey, windows: Windows) -> None:
        self.answers = answers
        self._gaps: Instants | None = None
        seen = answers.seen
        if key == ALL:
            self._at: Indices | None = None
            self.times, self.starts = seen.occurred, seen.starts
        else:
            self._at = answers.mask(key).nonzero()[0]
            self.times = seen.occurred[self._at]
            self.starts = windows.starts(self.times, seen.as_of)

    def of(self, column: NDArray[T], start: int = 0) -> NDArray[T]:
        """Give the selected rows from `start` on of a column of the known activities."""
        return column[start:] if self._at is None else column[self._at[start:]]

    def type(self, back: int) -> str:
        """Give the type of an activity by its place from the end (-1 is the newest)."""
        seen = self.answers.seen
        from_end = back if self._at is None else int(self._at[back]) - seen.n
        return str(seen.activities.type[seen.place(from_end)])

    def gaps(self, start: int) -> Instants:
        """Give the time (µs) from each to the next, from `start` on."""
        if self._gaps is None:
            self._gaps = self.times[1:] - self.times[:-1]
        return self._gaps[start:]


Compute = Callable[[Chosen, int], float]


def then_key(spec: FeatureSpec) -> FilterKey:
    """Give the filter of the later activities of `followed`."""
    return spec.then_types, spec.then_actor, None, None, None


class _Group:
    """The specifications of one filter: where each goes, its window, and how it is computed."""

    __slots__ = ("key", "parts", "windows")

    def __init__(self, key: FilterKey, placed: Sequence[tuple[int, FeatureSpec]]) -> None:
        self.key = key
        self.parts = [(at, width(spec.window_days), MEASURES[spec.measure](spec)) for at, spec in placed]
        self.windows = Windows([wide for _, wide, _ in self.parts])


class Ordered:
    """The specifications of a plan whose measure is in `MEASURES`, by filter."""

    __slots__ = ("_filters", "_groups")

    def __init__(self, placed: Sequence[tuple[int, FeatureSpec]], filters: Filters) -> None:
        """Choose how each is computed.

        Args:
            placed: specifications with their places in the row.
            filters: the filters of the plan, theirs (`then_key` included) among them.
        """
        self._filters = filters
        keys = dict.fromkeys(spec.filter_key for _, spec in placed)
        self._groups = [_Group(key, [one for one in placed if one[1].filter_key == key]) for key in keys]

    def fill(self, out: Floats, seen: Seen, kind: Indices, table: Floats) -> None:
        """Write the measures; arguments as in `Sums.fill`."""
        answers = Answers(seen, kind, table, self._filters)
        for group in self._groups:
            chosen = Chosen(answers, group.key, group.windows)
            if len(chosen.times):
                for at, wide, compute in group.parts:
                    out[at] = compute(chosen, chosen.starts[wide])


def _since_first(_: FeatureSpec) -> Compute:
    def days(chosen: Chosen, start: int) -> float:
        times = chosen.times
        return (chosen.answers.seen.as_of - times.item(start)) / DAY if start < len(times) else NULL

    return days


def _days(spec: FeatureSpec) -> Compute:
    ahead = offset(spec)

    def days(chosen: Chosen, start: int) -> float:
        seen = chosen.answers.seen
        return distinct(chosen.of(seen.of(local_days(seen.activities, ahead)), start))

    return days


def _distinct(spec: FeatureSpec) -> Compute:
    column = "type" if spec.measure == "distinct_types" else "content"

    def different(chosen: Chosen, start: int) -> float:
        coded = chosen.answers.seen.coded(column)
        return int(np.count_nonzero(np.bincount(chosen.of(coded.codes, start))[1:]))  # the first is null

    return different


def _values(_: FeatureSpec) -> Compute:
    def total(chosen: Chosen, start: int) -> float:
        seen = chosen.answers.seen
        return float(chosen.of(seen.of(seen.activities.values_or_zero()), start).sum())

    return total


def _gap_mean(_: FeatureSpec) -> Compute:
    def mean(chosen: Chosen, start: int) -> float:
        times = chosen.times
        gaps = len(times) - start - 1
        return (times.item(-1) - times.item(start)) / gaps / DAY if gaps > 0 else NULL

    return mean


def _gap_spread(_: FeatureSpec) -> Compute:
    def spread(chosen: Chosen, start: int) -> float:
        times = chosen.times
        if start >= len(times) or not (whole := times.item(-1) - times.item(start)):
            return NULL
        gaps = chosen.gaps(start) / whole  # shares of the whole, which add up to 1
        return math.sqrt(float(np.dot(gaps, gaps)) * len(gaps))

    return spread


def _sessions(spec: FeatureSpec) -> Compute:
    pause = microseconds(spec.gap_minutes or 0.0, MINUTE)

    def sessions(chosen: Chosen, start: int) -> float:
        return (start < len(chosen.times)) + int(np.count_nonzero(chosen.gaps(start) > pause))

    return sessions


def _followed(spec: FeatureSpec) -> Compute:
    key, within = then_key(spec), microseconds(spec.within_days or 0.0)
    share = spec.measure == "followed_share"

    def followed(chosen: Chosen, start: int) -> float:
        waits = chosen.of(chosen.answers.waits(key), start)
        if not len(waits):
            return NULL if share else 0.0
        number = int(np.count_nonzero(waits <= within))
        return number / len(waits) if share else number

    return followed


def _last_type(spec: FeatureSpec) -> Compute:
    codes, other, k = spec.codes(), float(len(spec.categories)), spec.k
    return lambda chosen, _: codes.get(chosen.type(-k), other) if len(chosen.times) >= k else NULL


MEASURES: Final[dict[Measure, Callable[[FeatureSpec], Compute]]] = {
    "days_since_first": _since_first,
    "distinct_days": _days,
    "distinct_types": _distinct,
    "distinct_contents": _distinct,
    "value_sum": _values,
    "gap_mean": _gap_mean,
    "gap_spread": _gap_spread,
    "sessions": _sessions,
    "followed": _followed,
    "followed_share": _followed,
    "last_type": _last_type,
}
