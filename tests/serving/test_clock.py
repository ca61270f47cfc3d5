from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from serving import clock


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(-timedelta(hours=14))])))
def test_instants_survive_to_the_microsecond(instant):
    us = clock.to_us(instant)
    assert clock.EPOCH + us * clock.MICROSECOND == instant


def test_now_is_now():
    assert abs(clock.to_us(datetime.now(UTC)) - clock.now()) < 5_000_000
    assert clock.to_datetime(0).isoformat() == "1970-01-01T00:00:00+00:00"
