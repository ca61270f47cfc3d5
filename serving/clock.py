"""Instants: int64 µs UTC inside, ISO 8601 outside."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def now() -> int:
    """Give the present instant in µs."""
    return time.time_ns() // 1_000


def to_us(instant: datetime) -> int:
    """Give the µs of an aware datetime."""
    return (instant - EPOCH) // MICROSECOND


def to_datetime(us: int) -> datetime:
    """Give the UTC datetime of µs.

    >>> to_datetime(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return EPOCH + us * MICROSECOND
