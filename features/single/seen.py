"""The activities of a record that are known at as_of, oldest first, so that a window is a slice up to the end."""

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY
from leadlight.timeline import Activities, Coded, Instants

T = TypeVar("T", bound=np.generic)
Indices = NDArray[np.intp]
# No window is longer; instants lie within a few 10**15 µs of the epoch, so that differences stay inside int64.
LONGEST: Final = 2**62


def microseconds(length: float, unit: int = DAY) -> int:
    """Give a length in whole µs."""
    return round(min(length * unit, float(LONGEST)))


def width(window_days: float | None) -> int | None:
    """Give a window in whole µs; None stays None (no bound)."""
    return None if window_days is None else microseconds(window_days)


class Windows:
    """The windows of a plan, longest first, so that they begin in the order of time."""

    __slots__ = ("_back", "widths")

    def __init__(self, widths: Sequence[int | None]) -> None:
        """Sort the widths (µs); None, the whole record, is always there."""
        self.widths = tuple(sorted({wide for wide in widths if wide is not None}, reverse=True))
        self._back = -np.array(self.widths, dtype=np.int64)

    def starts(self, occurred: Instants, as_of: int) -> dict[int | None, int]:
        """Give for each width the place in ascending instants at which it begins; 0 for None."""
        starts: dict[int | None, int] = {None: 0}
        if self.widths:
            starts.update(zip(self.widths, occurred.searchsorted(self._back + as_of).tolist(), strict=True))
        return starts


class Seen:
    """What is known at as_of of a record's activities.

    Attributes:
        activities: the whole record.
        as_of: µs UTC.
        occurred: instants of the known ones, shape (n,), ascending.
        n: their number.
        starts: the place at which each window begins, see `Windows.starts`.
    """

    __slots__ = ("_coded", "_known", "activities", "as_of", "n", "occurred", "starts")

    def __init__(self, activities: Activities, as_of: int, windows: Windows) -> None:
        """Find the known ones: those that occurred before as_of, without those that were received later."""
        end = int(activities.occurred_at.searchsorted(as_of))
        self._known: slice | Indices = slice(0, end)
        if activities.last_received() >= as_of:
            self._known = np.flatnonzero(activities.received_at[:end] < as_of)
        self._coded: dict[str, Coded] = {}
        self.activities = activities
        self.as_of = as_of
        self.occurred: Instants = activities.occurred_at[self._known]
        self.n = len(self.occurred)
        self.starts = windows.starts(self.occurred, as_of)

    def of(self, column: NDArray[T]) -> NDArray[T]:
        """Give the known rows of a column of the record."""
        known = self._known
        return column[known] if isinstance(known, slice) else column.take(known, axis=0)

    def place(self, back: int) -> int:
        """Give the place in the record of a known activity by its place from the end (-1 is the newest)."""
        known = self._known
        return known.stop + back if isinstance(known, slice) else int(known[back])

    def coded(self, column: str) -> Coded:
        """Give the known rows of a column of texts as codes."""
        found = self._coded.get(column)
        if found is None:
            whole = self.activities.coded(column)
            found = self._coded[column] = Coded(self.of(whole.codes), whole.words)
        return found
