"""What the filters of a plan select of one record, whatever the instant it is looked at: derived once, then sliced."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.single.seen import LONGEST, Indices
from leadlight.spec import FilterKey
from leadlight.timeline import Activities, Instants

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NEVER: Final = np.array([LONGEST])


class Selected:
    """The activities of a record that each of F filters selects; n activities, oldest first.

    Attributes:
        flags: 1 where a filter (row) selects an activity (column) and 0 elsewhere, shape (F, n).
        counts: how many of the first i activities each selects, shape (F, n + 1), i from 0.
        newest: the place of the last of these, -1 where there is none; of the same shape.
    """

    __slots__ = ("_activities", "_answered", "_places", "_rows", "counts", "flags", "newest")

    def __init__(self, activities: Activities, kinds: Indices, table: Floats, rows: Mapping[FilterKey, int]) -> None:
        """Derive from the kind of each activity, shape (n,), and which filter selects which, shape (kinds, F).

        Args:
            activities: the record.
            kinds: of its activities.
            table: of the kinds.
            rows: filter -> its row in what is derived here, its column in the table.
        """
        self._activities = activities
        self._rows = rows
        self.flags: Floats = table.T.take(kinds, axis=1)
        self.counts: Floats = np.zeros((table.shape[1], len(kinds) + 1))
        np.cumsum(self.flags, axis=1, out=self.counts[:, 1:])
        self.newest: Indices = np.full(self.counts.shape, -1, dtype=np.intp)
        np.maximum.accumulate(np.where(self.flags > 0, np.arange(len(kinds)), -1), axis=1, out=self.newest[:, 1:])
        self._places: dict[int, tuple[Indices, Instants]] = {}
        self._answered: dict[tuple[FilterKey, int], Indices] = {}

    def places(self, row: int) -> tuple[Indices, Instants]:
        """Give the places of the activities that a filter selects, ascending, and their instants."""
        found = self._places.get(row)
        if found is None:
            places = self.flags[row].nonzero()[0]
            found = self._places[row] = places, self._activities.occurred_at[places]
        return found

    def answered(self, key: FilterKey, within: int) -> Indices:
        """Give for each activity the place of the first later one that a filter selects, n where none came in time.

        Args:
            key: the filter.
            within: time in µs.
        """
        found = self._answered.get((key, within))
        if found is None:
            occurred = self._activities.occurred_at
            following = _following(self.flags[self._rows[key]] > 0)
            waits = np.concatenate([occurred, NEVER])[following] - occurred
            found = self._answered[key, within] = np.where(waits <= within, following, len(occurred))
        return found


def _following(flags: Mask) -> Indices:
    """Give for each place that of the first later flag, their number where there is none."""
    n = len(flags)
    places = np.where(flags, np.arange(n), n)
    following = np.full(n, n)
    following[:-1] = np.minimum.accumulate(places[:0:-1])[::-1]
    return following
