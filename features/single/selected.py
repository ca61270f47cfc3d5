"""What the filters of a plan select of one record, whatever the instant it is looked at: derived once, then sliced."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.single.seen import LONGEST, Indices, Seen
from leadlight.timeline import Activities

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NEVER: Final = np.array([LONGEST])


class Selected:
    """The activities of a record that each of F filters selects; n activities, oldest first.

    Attributes:
        flags: 1 where a filter (row) selects an activity (column) and 0 elsewhere, shape (F, n).
        counts: how many of the first i activities each selects, shape (F, n + 1), i from 0.
    """

    __slots__ = ("_activities", "_answered", "_following", "_places", "counts", "flags")

    def __init__(self, activities: Activities, kinds: Indices, table: Floats) -> None:
        """Derive from the kind of each activity, shape (n,), and which filter selects which, shape (kinds, F)."""
        self._activities = activities
        self.flags: Floats = table.T.take(kinds, axis=1)
        self.counts: Floats = np.zeros((table.shape[1], len(kinds) + 1))
        np.cumsum(self.flags, axis=1, out=self.counts[:, 1:])
        self._places: dict[int, Indices] = {}
        self._following: dict[int, Indices] = {}
        self._answered: dict[tuple[int, int], Indices] = {}

    def places(self, row: int) -> Indices:
        """Give the places of the activities that a filter selects, ascending."""
        found = self._places.get(row)
        if found is None:
            found = self._places[row] = self.flags[row].nonzero()[0]
        return found

    def known(self, seen: Seen, row: int) -> Indices:
        """Give the places of the known activities that a filter selects, ascending."""
        places = self.places(row)[: int(self.counts.item(row, seen.end))]
        if not self._unknown(seen, row):
            return places
        return places[self._activities.received_at.take(places) < seen.as_of]

    def answered(self, seen: Seen, row: int, within: int) -> Indices:
        """Give for each activity the place of the first later one that a filter selects and that is known.

        Returns:
            Shape at least (seen.end,); `seen.end` or more where none came within so many µs.
        """
        found = self._answered.get((row, within))
        if found is None:
            following = self._following[row] = _following(self.flags[row] > 0)
            occurred = self._activities.occurred_at
            waits = np.concatenate([occurred, NEVER])[following] - occurred
            found = self._answered[row, within] = np.where(waits <= within, following, len(occurred))
        if unknown := self._unknown(seen, row):
            found = found.copy()
            self._answer_later(found, unknown, seen.end, row, within)
        return found

    def _unknown(self, seen: Seen, row: int) -> list[int]:
        """Give the places of what a filter selects of what was received later."""
        return [place for place in seen.unknown.tolist() if self.flags.item(row, place)]

    def _answer_later(self, answered: Indices, unknown: list[int], end: int, row: int, within: int) -> None:
        """Let what came before an answer that is not known yet be answered by the next one that is."""
        occurred, later = self._activities.occurred_at, self._following[row]
        next_known: dict[int, int] = {}
        for place in reversed(unknown):
            following = later.item(place)
            following = next_known[place] = next_known.get(following, following)
            rank = int(self.counts.item(row, place))
            before = slice(self.places(row).item(rank - 1) if rank else 0, place)
            answered[before] = end
            if following < end:
                answered[before][occurred.item(following) - occurred[before] <= within] = following


def _following(flags: Mask) -> Indices:
    """Give for each place that of the first later flag, their number where there is none."""
    n = len(flags)
    places = np.where(flags, np.arange(n), n)
    following = np.full(n, n)
    following[:-1] = np.minimum.accumulate(places[:0:-1])[::-1]
    return following
