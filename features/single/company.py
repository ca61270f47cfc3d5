"""Colleagues: the other leads of the account, their logs as one log."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.single.filters import ALL, Filters
from features.single.seen import Indices, Seen, Windows, width
from features.single.selected import Floats
from leadlight.measures import MOST_COLLEAGUES, Measure
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec, FilterKey
from leadlight.timeline import Activities, Timeline, text

LOGS: Final[frozenset[Measure]] = frozenset({"colleagues_active", "most_active_colleague", "colleague_recency"})
FIRST_LOOK: Final = 64  # activities; the newest selected one is mostly among them


class Colleagues:
    """The leads of one account, made ready once and then read at any instant; the lead itself may be among them.

    Attributes:
        timelines: sorted by (created_at, lead_id), so that the newest of those created before an instant are a slice.
        log: the activities of all, as one record.
        owner: whose each activity is, shape (activities,): places in `timelines`.
    """

    __slots__ = ("_created", "_places", "_texts", "log", "owner", "timelines")

    def __init__(self, timelines: Iterable[Timeline]) -> None:
        """Sort the leads, and merge their logs."""
        self.timelines = tuple(sorted(timelines, key=lambda one: (one.created_at, one.lead_id)))
        self._created = [one.created_at for one in self.timelines]
        self._places = {one.lead_id: place for place, one in enumerate(self.timelines)}
        self._texts: dict[str, tuple[list[str | None], list[int]]] = {}
        self.log, self.owner = _merged([one.activities for one in self.timelines])

    def chosen(self, lead_id: str, as_of: int) -> tuple[int, int, int | None]:
        """Give who counts for a lead: places from (inclusive), to (exclusive), and which of these is the lead itself.

        They are the newest `MOST_COLLEAGUES` of those created before as_of.
        """
        end = bisect_left(self._created, as_of)
        own = self._places.get(lead_id)
        start = max(0, end - MOST_COLLEAGUES)
        if own is None or not start <= own < end:
            return start, end, None
        return max(0, end - MOST_COLLEAGUES - 1), end, own

    def values(self, name: str, chosen: tuple[int, int, int | None], as_of: int) -> set[str]:
        """Give the different values (as text) of an attribute at as_of; null is none."""
        if name not in self._texts:
            changed = [at for at, one in enumerate(self.timelines) if any(c.field == name for c in one.changes)]
            fixed = [text(one.attributes.get(name)) for one in self.timelines]
            for at in changed:
                fixed[at] = None
            self._texts[name] = fixed, changed
        (fixed, changed), (start, end, own) = self._texts[name], chosen
        own = end if own is None else own
        found = {*fixed[start:own], *fixed[own + 1 : end]}
        found |= {text(self.timelines[at].attribute(name, as_of)) for at in changed if start <= at < end and at != own}
        return {value for value in found if value is not None}


class Company:
    """The specifications of a plan that look at colleagues."""

    __slots__ = ("_filters", "_log", "_number", "_roles", "_windows")

    def __init__(self, placed: Sequence[tuple[int, FeatureSpec]]) -> None:
        """Group those that read logs by what they select and their window.

        Args:
            placed: specifications with their places in the row.
        """
        self._number = [at for at, spec in placed if spec.measure == "colleagues"]
        self._roles = [(at, spec.attribute or "") for at, spec in placed if spec.measure == "roles"]
        logs = [(at, spec) for at, spec in placed if spec.measure in LOGS]
        self._filters = Filters(spec.filter_key for _, spec in logs)
        self._windows = Windows([width(spec.window_days) for _, spec in logs])
        self._log: dict[FilterKey, dict[int | None, list[tuple[int, Measure]]]] = {}
        for at, spec in logs:
            windows = self._log.setdefault(spec.filter_key, {})
            windows.setdefault(width(spec.window_days), []).append((at, spec.measure))

    def since(self, as_of: int) -> int | None:
        """Give the instant from which on activities matter; None = from the first, as_of = none do."""
        widths = [wide for windows in self._log.values() for wide in windows]
        return None if None in widths else as_of - max((wide for wide in widths if wide is not None), default=0)

    def fill(self, out: Floats, timeline: Timeline, as_of: int, colleagues: Colleagues) -> None:
        """Write the measures of a lead as of an instant (µs UTC) into the row of all features."""
        chosen = colleagues.chosen(timeline.lead_id, as_of)
        start, end, own = chosen
        number = end - start - (own is not None)
        for at in self._number:
            out[at] = number
        for at, name in self._roles:
            values = colleagues.values(name, chosen, as_of) if number else set()
            mine = text(timeline.attribute(name, as_of))
            out[at] = len(values if mine is None else values | {mine})
        if number and self._log and len(colleagues.log):
            self._fill_logs(out, colleagues, as_of, chosen)

    def _fill_logs(self, out: Floats, colleagues: Colleagues, as_of: int, chosen: tuple[int, int, int | None]) -> None:
        log = colleagues.log
        seen = Seen(log, as_of, self._windows)
        kinds, table = self._filters.kinds(seen.activities)
        kinds, owners = kinds[: seen.n], seen.of(colleagues.owner)
        counted = np.zeros(len(colleagues.timelines), dtype=np.bool_)
        counted[chosen[0] : chosen[1]] = True
        if chosen[2] is not None:
            counted[chosen[2]] = False
        for place, key in enumerate(self._filters.keys):
            selects = None if key == ALL else table[:, place] > 0
            for wide, wanted in self._log[key].items():
                part = slice(seen.starts[wide], None)
                picks = _Picks(owners[part], None if selects is None else kinds[part], selects, counted)
                for at, measure in wanted:
                    if measure == "colleague_recency":
                        newest = picks.newest()
                        out[at] = np.nan if newest is None else (as_of - int(seen.occurred[part][newest])) / DAY
                    else:
                        counts = picks.counts()
                        out[at] = np.count_nonzero(counts) if measure == "colleagues_active" else counts.max()


class _Picks:
    """Activities in a window, of which those of certain kinds and certain leads are counted."""

    __slots__ = ("_counts", "counted", "kinds", "owners", "selects")

    def __init__(
        self,
        owners: Indices,
        kinds: Indices | None,
        selects: NDArray[np.bool_] | None,
        counted: NDArray[np.bool_],
    ) -> None:
        self.owners, self.kinds, self.selects, self.counted = owners, kinds, selects, counted
        self._counts: NDArray[np.intp] | None = None

    def counts(self) -> NDArray[np.intp]:
        """Give the number of activities for each lead, 0 for who is not counted."""
        if self._counts is None:
            owners = self.owners
            if self.kinds is not None and self.selects is not None:
                owners = owners[self.selects[self.kinds]]
            self._counts = np.bincount(owners, minlength=len(self.counted)) * self.counted
        return self._counts

    def newest(self) -> int | None:
        """Give the place of the newest activity; looks back in steps that double."""
        end, step = len(self.owners), FIRST_LOOK
        while end > 0:
            part = slice(max(0, end - step), end)
            mask = self.counted[self.owners[part]]
            if self.kinds is not None and self.selects is not None:
                mask = mask & self.selects[self.kinds[part]]
            if (hits := mask.nonzero()[0]).size:
                return int(part.start + hits[-1])
            end, step = part.start, 2 * step
        return None


def _merged(parts: Sequence[Activities]) -> tuple[Activities, Indices]:
    """Put the activities of several leads into one record sorted by time; and say whose each is."""
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if not len(owner):
        return Activities.from_rows([]), owner
    order = np.concatenate([part.occurred_at for part in parts]).argsort(kind="stable")

    def merged(column: str) -> Any:
        return np.concatenate([getattr(part, column) for part in parts])[order]

    return Activities(
        activity_id=merged("activity_id"),
        type=merged("type"),
        occurred_at=merged("occurred_at"),
        received_at=merged("received_at"),
        actor=merged("actor"),
        channel=merged("channel"),
        content=merged("content"),
        detail=merged("detail"),
        value=merged("value"),
    ), owner[order]
