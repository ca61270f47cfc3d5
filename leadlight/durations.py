"""Durations as people write them: a whole or decimal number and a unit, such as `1h`, `7d` or `8w`."""

import math
import re
from typing import Final

from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR

UNITS: Final = {"h": HOUR, "d": DAY, "w": 7 * DAY}
# Longer than any lead lives; keeps every sum of instants inside int64.
LONGEST: Final = 100 * 365 * DAY


def parse(text: str, option: str) -> int:
    """Read a duration, in µs.

    Args:
        text: what the user wrote.
        option: the option it belongs to, for the message.

    Raises:
        InputError: another form, nothing, or more than a hundred years.

    >>> parse("36h", "--horizon") == parse("1.5d", "--horizon")
    True
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z])\s*", text.lower(), flags=re.ASCII)
    if found is None or found[2] not in UNITS:
        raise InputError(f"{option} `{text}`: write a number and h, d or w, such as 1h, 7d or 8w")
    duration = round(min(float(found[1]) * UNITS[found[2]], math.ldexp(1.0, 62)))
    if not 0 < duration <= LONGEST:
        raise InputError(f"{option} `{text}`: must be more than nothing and at most a hundred years")
    return duration


def parse_ages(text: str, option: str = "--ages") -> tuple[int, ...]:
    """Read ages separated by commas, in µs, each once, youngest first.

    Raises:
        InputError: an age of another form, or none.

    >>> [age // DAY for age in parse_ages("7d, 1d,7d")]
    [1, 7]
    """
    return tuple(sorted({parse(part, option) for part in text.split(",")}))


def write(duration: int) -> str:
    """Write a duration in the largest unit that makes it a whole number (days rather than weeks), else in hours.

    >>> write(14 * DAY), write(HOUR), write(DAY + 12 * HOUR)
    ('14d', '1h', '36h')
    """
    if duration % DAY == 0:
        return f"{duration // DAY}d"
    return f"{duration / HOUR:g}h"
