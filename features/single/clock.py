"""Local clock time of instants: hour, weekday and calendar day at a fixed distance from UTC."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, Instants

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


def local_days(activities: Activities, ahead: int) -> Instants:
    """Give the local calendar day of every activity of a record, counted from 1970-01-01; computed once."""
    key = ("local_days", ahead)
    found: Instants | None = activities.memo.get(key)
    if found is None:
        found = activities.memo[key] = (activities.occurred_at + ahead) // DAY
    return found


def on_the_clock(activities: Activities, clock: Clock) -> NDArray[np.float64]:
    """Give 1 for activities that lie in the hours and on the weekdays of a clock and 0 for others; computed once."""
    found: NDArray[np.float64] | None = activities.memo.get(clock)
    if found is None:
        days = local_days(activities, clock.ahead)
        inside = np.ones(len(activities), dtype=np.bool_)
        if clock.hours:
            since_midnight = activities.occurred_at + (clock.ahead - days * DAY)
            low, high = (round(hour * HOUR) for hour in clock.hours)  # whole µs, as on every engine
            inside &= (since_midnight >= low) & (since_midnight < high)
        if clock.weekdays:
            inside &= np.isin(np.arange(7), clock.weekdays).take((days + THURSDAY) % 7)
        found = activities.memo[clock] = inside.astype(np.float64)
    return found


def distinct(days: Instants) -> int:
    """Count the different ones of ascending days."""
    return int(np.count_nonzero(days[1:] != days[:-1])) + bool(len(days))
