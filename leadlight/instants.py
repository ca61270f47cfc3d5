"""Instants as people write them: ISO 8601 outside, int64 µs UTC inside."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from leadlight.errors import InputError
from leadlight.schema import DAY, MICROSECONDS_PER_SECOND

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOW: Final = "now"


def parse(text: str, option: str) -> int:
    """Read `now`, a date (its midnight UTC) or an instant (UTC unless it has an offset).

    Args:
        text: what the user wrote.
        option: the option it belongs to, for the message.

    Raises:
        InputError: another form.

    >>> parse("1970-01-02", "--from") == DAY, parse("1970-01-01T09:00:00+09:00", "--from")
    (True, 0)
    """
    if text.strip().lower() == NOW:
        return time.time_ns() // 1_000
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as unreadable:
        raise InputError(
            f"{option} `{text}`: write a date or an instant such as 2026-03-01 or 2026-03-01T09:00:00+09:00"
        ) from unreadable
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def iso(instant: int) -> str:
    """Write an instant for people and for JSON.

    >>> iso(0), iso(90_000_000)
    ('1970-01-01', '1970-01-01T00:01:30Z')
    """
    at = EPOCH + timedelta(microseconds=instant - instant % MICROSECONDS_PER_SECOND)
    return f"{at:%Y-%m-%d}" if instant % DAY == 0 else f"{at:%Y-%m-%dT%H:%M:%SZ}"
