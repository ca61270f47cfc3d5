"""Local clock time of instants: hour, weekday and calendar day at a fixed distance from UTC."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Instants

THURSDAY = 3  # 1970-01-01 was one


def offset(spec: FeatureSpec) -> int:
    """Give how far local time is ahead of UTC in µs."""
    return round(spec.utc_offset_hours * HOUR)


@dataclass(frozen=True, slots=True)
class Clock:
    """Hours of the day and days of the week in local time.

    Attributes:
        hours: from (inclusive) and to (exclusive); empty = all.
        weekdays: 0 = Monday; empty = all.
        ahead: of UTC in µs.
    """

    hours: tuple[float, ...]
    weekdays: tuple[int, ...]
    ahead: int

    @classmethod
    def of(cls, spec: FeatureSpec) -> Self:
        """Read a specification."""
        return cls(spec.hours, spec.weekdays, offset(spec))


def on_the_clock(instants: Instants, clock: Clock) -> NDArray[np.float64]:
    """Give 1 for instants (µs UTC) that lie in the hours and on the weekdays of a clock and 0 for others."""
    local = instants + clock.ahead
    day = local // DAY
    inside = np.ones(len(instants), dtype=np.bool_)
    if clock.hours:
        hour = (local - day * DAY) / HOUR
        inside = (hour >= clock.hours[0]) & (hour < clock.hours[1])
    if clock.weekdays:
        week = np.zeros(7, dtype=np.bool_)
        week[list(clock.weekdays)] = True
        inside &= week[(day + THURSDAY) % 7]
    return inside.astype(np.float64)


def distinct_days(instants: Instants, ahead: int) -> int:
    """Count the local calendar days of ascending instants (µs UTC)."""
    if not len(instants):
        return 0
    days = (instants + ahead) // DAY
    return 1 + int(np.count_nonzero(days[1:] != days[:-1]))
