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
    """What is known at as_of of a record's activities: the first n of a record that holds nothing unknown.

    Attributes:
        activities: the record without what occurred before as_of and was received later.
        kept: places of these in the whole record; None = all.
        as_of: µs UTC.
        n: how many of `activities` occurred before as_of.
        occurred: their instants, shape (n,), ascending.
        begins: the place at which each window of the plan begins.
        starts: the same by width.
    """

    __slots__ = ("activities", "as_of", "begins", "kept", "n", "occurred", "starts")

    def __init__(self, record: Activities, as_of: int, windows: Windows) -> None:
        """Find the known ones: those that occurred before as_of, without those that were received later."""
        self.as_of = as_of
        self.activities, self.kept = record, None
        self.n = int(record.occurred_at.searchsorted(as_of))
        if record.last_received() >= as_of:
            self.activities, self.kept = _arrived(record, as_of, self.n)
            self.n -= len(record) - len(self.activities)
        self.occurred: Instants = self.activities.occurred_at[: self.n]
        self.begins = windows.begins(self.occurred, as_of)
        self.starts: dict[int | None, int] = dict(zip(windows.widths, self.begins.tolist(), strict=True))

    def of(self, column: NDArray[T]) -> NDArray[T]:
        """Give the known rows of a column of the whole record."""
        return (column if self.kept is None else column.take(self.kept))[: self.n]


def _arrived(record: Activities, as_of: int, end: int) -> tuple[Activities, Indices | None]:
    """Leave out what of the first `end` activities was received at as_of or later.

    The answer is kept with the record, for it is mostly looked at again while the same is missing.
    """
    late = (record.received_at[:end] >= as_of).nonzero()[0]
    if not len(late):
        return record, None
    key = late.tobytes()
    found: tuple[bytes, Activities, Indices] | None = record.memo.get("arrived")
    if found is None or found[0] != key:
        kept = np.delete(np.arange(len(record)), late)
        found = record.memo["arrived"] = key, record.take(kept), kept
    return found[1], found[2]
