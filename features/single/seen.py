"""The activities of a record that are known at as_of, oldest first, so that a window is a slice up to the end."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY
from leadlight.timeline import Activities, Instants

T = TypeVar("T", bound=np.generic)
Indices = NDArray[np.intp]
# No window is longer; instants lie within a few 10**15 µs of the epoch, so that differences stay inside int64.
LONGEST: Final = 2**62
NONE: Final[Indices] = np.empty(0, dtype=np.intp)


def microseconds(length: float, unit: int = DAY) -> int:
    """Give a length in whole µs."""
    return round(min(length * unit, float(LONGEST)))


def width(window_days: float | None) -> int | None:
    """Give a window in whole µs; None stays None (no bound)."""
    return None if window_days is None else microseconds(window_days)


class Windows:
    """The windows of a plan, longest first, so that they begin in the order of time.

    Attributes:
        widths: in µs; the first is None, the whole record, which is always there.
    """

    __slots__ = ("_back", "widths")

    def __init__(self, widths: Sequence[int | None]) -> None:
        """Sort the widths (µs)."""
        bounded = sorted({wide for wide in widths if wide is not None}, reverse=True)
        self.widths = (None, *bounded)
        self._back = -np.array([LONGEST, *bounded], dtype=np.int64)

    def begins(self, occurred: Instants, as_of: int) -> Indices:
        """Give for each of `widths` the place in ascending instants at which it begins."""
        return occurred.searchsorted(self._back + as_of)

    def starts(self, occurred: Instants, as_of: int) -> dict[int | None, int]:
        """Give the same by width."""
        return dict(zip(self.widths, self.begins(occurred, as_of).tolist(), strict=True))


class Seen:
    """What is known at as_of of a record's activities.

    Attributes:
        activities: the whole record.
        as_of: µs UTC.
        end: how many of the record occurred before as_of.
        unknown: places (below `end`) of those that were received later, ascending.
        occurred: instants of the known ones, shape (n,), ascending.
        n: their number.
        begins: the place in the record at which each window of the plan begins.
        starts: the place among the known ones at which each window begins, by width.
    """

    __slots__ = ("_known", "activities", "as_of", "begins", "end", "n", "occurred", "starts", "unknown")

    def __init__(self, activities: Activities, as_of: int, windows: Windows) -> None:
        """Find the known ones: those that occurred before as_of, without those that were received later."""
        self.activities = activities
        self.as_of = as_of
        self.end = end = int(activities.occurred_at.searchsorted(as_of))
        self.occurred: Instants = activities.occurred_at[:end]
        self.begins = windows.begins(self.occurred, as_of)
        self.unknown = NONE
        self._known: Indices | None = None
        starts = self.begins
        if activities.last_received() >= as_of:
            known = activities.received_at[:end] < as_of
            self._known = known.nonzero()[0]
            self.unknown = (~known).nonzero()[0]
            self.occurred = self.occurred.take(self._known)
            starts = starts - self.unknown.searchsorted(starts)
        self.n = len(self.occurred)
        self.starts: dict[int | None, int] = dict(zip(windows.widths, starts.tolist(), strict=True))

    def of(self, column: NDArray[T]) -> NDArray[T]:
        """Give the known rows of a column of the record."""
        return column[: self.end] if self._known is None else column.take(self._known)

    def place(self, back: int) -> int:
        """Give the place in the record of a known activity by its place from the end (-1 is the newest)."""
        return self.end + back if self._known is None else int(self._known[back])
