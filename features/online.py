"""Feature specifications on the record of one lead and its colleagues, numpy only: what the service computes with.

Gives the same numbers as `features.batch` on the same record (property-tested). What can be known of a catalog before
a lead is seen is known once, in a `Plan`; then a row costs some dozen passes over small arrays, however many features
share them.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.single import lead, order, sums
from features.single.company import Colleagues, Company
from features.single.filters import Filters
from features.single.order import Ordered, then_key
from features.single.seen import Seen, Windows
from features.single.sums import Sums
from leadlight.spec import FeatureSpec
from leadlight.timeline import Timeline

Floats = NDArray[np.float64]
__all__ = ["Colleagues", "Plan", "row"]


class Plan:
    """A catalog made ready; immutable, and safe to share between threads.

    Attributes:
        specs: what is computed.
        needs_colleagues: whether a specification looks at colleagues.
    """

    __slots__ = (
        "_company",
        "_empty",
        "_filters",
        "_lead",
        "_ordered",
        "_sums",
        "_windows",
        "needs_colleagues",
        "specs",
    )

    def __init__(self, specs: Sequence[FeatureSpec]) -> None:
        """Sort the specifications by how they are computed."""
        self.specs = tuple(specs)
        placed = list(enumerate(self.specs))
        added = [(at, spec) for at, spec in placed if spec.measure in sums.MEASURES]
        ordered = [(at, spec) for at, spec in placed if spec.measure in order.MEASURES]
        colleagues = [(at, spec) for at, spec in placed if spec.facts.source == "colleagues"]
        keys = [spec.filter_key for _, spec in added + ordered]
        keys += [then_key(spec) for _, spec in ordered if spec.within_days is not None]
        self._filters = Filters(keys)
        self._windows = Windows([wide for _, spec in added + ordered for wide in sums.windows(spec)])
        self._sums = Sums(added, self._filters, self._windows)
        self._ordered = Ordered(ordered, self._filters)
        self._lead = [(at, lead.MEASURES[spec.measure](spec)) for at, spec in placed if spec.measure in lead.MEASURES]
        self._company = Company(colleagues)
        self._empty = np.array([0.0 if spec.facts.empty == "zero" else np.nan for spec in self.specs])
        self.needs_colleagues = bool(colleagues)

    def colleagues_since(self, as_of: int) -> int | None:
        """Give the instant (µs UTC) from which on activities of colleagues matter at as_of; None = from the first.

        It is as_of itself where none do: a store need not read what is not looked at.
        """
        return self._company.since(as_of)

    def row(self, timeline: Timeline, as_of: int, colleagues: Sequence[Timeline] | Colleagues = ()) -> Floats:
        """Compute the features of one lead as of an instant.

        Args:
            timeline: the record; whatever lies at or after as_of is ignored.
            as_of: µs UTC.
            colleagues: records of the other leads of its account, in any order and number (the lead itself is left
                out; who counts is chosen here); read only where `needs_colleagues`.

        Returns:
            Shape (len(specs),); NaN = null; categorical measures as codes.
        """
        out: Floats = self._empty.copy()
        for at, measure in self._lead:
            out[at] = measure(timeline, as_of)
        if self.needs_colleagues:
            ready = colleagues if isinstance(colleagues, Colleagues) else Colleagues(colleagues)
            self._company.fill(out, timeline, as_of, ready)
        if self._filters.keys:
            seen = Seen(timeline.activities, as_of, self._windows)
            if seen.n:
                selected = self._filters.selected(seen.activities)
                self._sums.fill(out, seen, selected)
                self._ordered.fill(out, seen, selected)
        return out


def row(
    timeline: Timeline, as_of: int, specs: Sequence[FeatureSpec], colleagues: Sequence[Timeline] | Colleagues = ()
) -> Floats:
    """Compute the features of one lead as of an instant; arguments as in `Plan.row`, which is faster for many leads."""
    return _plan(tuple(specs)).row(timeline, as_of, colleagues)


@lru_cache(maxsize=32)
def _plan(specs: tuple[FeatureSpec, ...]) -> Plan:
    return Plan(specs)
