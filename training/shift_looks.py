"""When recent scores are looked at, and how sure each look has to be, so that all of them together keep one level.

A test that errs in one of a hundred looks errs in a third of all years if it is done every week. Looks are therefore
numbered: the first is at the end of the record that the bundle was trained on, and one is due every week after that.
Look k may err with probability 6 / (pi^2 k^2) of the whole, and these shares add up to 1: however long one looks,
however the looks depend on each other (Bonferroni), a bundle whose base rate never changes raises a false alarm with
1 % in all its life. Between two looks the last one is the answer, so running daily or hourly is no further look.

Which look is due follows from the bundle and the end of the record: nothing is kept between two runs.
"""

import math
from dataclasses import dataclass
from typing import Final

from leadlight.schema import DAY
from training.shift import ALARM_ERROR

EVERY: Final = 7 * DAY
# Sum of 1 / k^2 over k = 1, 2, ... (L. Euler, 1735).
ALL_SHARES: Final = math.pi**2 / 6


@dataclass(frozen=True, slots=True)
class Turn:
    """A look that is due.

    Attributes:
        number: 1 for the first.
        until: the end of the record for this look, µs UTC: it sees no later snapshot.
        following: when the next one is due, µs UTC.
        error: how likely it may raise a false alarm.
    """

    number: int
    until: int
    following: int
    error: float


def due(trained_until: int, observed_until: int) -> Turn:
    """Give the last look that is due.

    Args:
        trained_until: end of the record that the bundle was trained on, µs UTC.
        observed_until: end of the record, µs UTC; where it lies before the other, that is the first look.

    >>> due(0, 8 * DAY).number, due(0, 8 * DAY).until == due(0, 13 * DAY).until == 7 * DAY
    (2, True)
    """
    weeks = max(0, (observed_until - trained_until) // EVERY)
    number = weeks + 1
    until = min(observed_until, trained_until + weeks * EVERY)
    return Turn(number, until, trained_until + number * EVERY, ALARM_ERROR / (ALL_SHARES * number**2))
