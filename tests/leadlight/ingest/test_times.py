from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadlight.ingest.times import parse_instants

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(moment: datetime) -> int:
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def parse(text, time="iso", zone="UTC"):
    return parse_instants(pl.Series([text], dtype=pl.String), time, zone)[0]


@pytest.mark.parametrize(
    "text",
    [
        "2011-10-30T02:30:00.250+02:00",
        "2011-10-30T02:30:00.250+0200",
        "2011-10-30 02:30:00.250+02",
        "2011-10-30T00:30:00.25Z",
        "2011-10-29 14:30:00.250-1000",
    ],
)
def test_a_time_with_offset_is_that_instant(text):
    assert parse(text, zone="Asia/Tokyo") == us(datetime(2011, 10, 30, 0, 30, 0, 250_000, tzinfo=UTC))


def test_offsets_may_change_inside_one_column():
    texts = pl.Series(
        ["2011-10-30T02:30:00+02:00", "2011-10-30T02:30:00+01:00", None, "2011-10-30 02:30", "2011-10-30"]
    )
    summer, winter, none, naive, day = parse_instants(texts, "iso", "Europe/Amsterdam")
    assert winter - summer == 3_600_000_000
    assert none is None
    assert naive == summer  # it happened twice: the first is meant
    assert day == us(datetime(2011, 10, 29, 22, tzinfo=UTC))


def test_a_time_that_never_was_is_read_with_the_offset_before():
    assert parse("2011-03-27 02:30", zone="Europe/Amsterdam") == us(datetime(2011, 3, 27, 1, 30, tzinfo=UTC))
    # midnight was left out in São Paulo: the day begins at one
    assert parse("2017-10-15", zone="America/Sao_Paulo") == us(datetime(2017, 10, 15, 3, tzinfo=UTC))
    # Samoa left out a whole day
    assert parse("2011-12-30 12:00", zone="Pacific/Apia") == us(datetime(2011, 12, 30, 22, tzinfo=UTC))


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"]),
)
@example(datetime(2011, 3, 27, 2, 30), "Europe/Amsterdam")  # noqa: DTZ001
@example(datetime(2011, 10, 30, 2, 30), "Europe/Amsterdam")  # noqa: DTZ001
def test_naive_times_are_read_as_python_reads_them(local, zone):
    expected = us(local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    assert parse(local.isoformat(sep=" "), zone=zone) == expected


@pytest.mark.parametrize(
    ("text", "time", "expected"),
    [
        ("1320000000", "epoch_s", 1_320_000_000_000_000),
        ("1320000000.5", "epoch_s", 1_320_000_000_500_000),
        ("1320000000123", "epoch_ms", 1_320_000_000_123_000),
        ("1320000000123456", "epoch_us", 1_320_000_000_123_456),
        ("-1", "epoch_s", -1_000_000),
        ("99999999999999999", "epoch_s", None),
        ("inf", "epoch_s", None),
        ("nan", "epoch_ms", None),
        ("soon", "epoch_s", None),
    ],
)
def test_epochs(text, time, expected):
    assert parse(text, time) == expected


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020/1/2 3:04", "%Y/%m/%d %H:%M"),
        ("2020年01月02日 03時04分", "%Y年%m月%d日 %H時%M分"),
        ("02.01.2020 03:04", "%d.%m.%Y %H:%M"),
        ("2020-01-01T18:04:00 +0000", "%Y-%m-%dT%H:%M:%S %z"),
    ],
)
def test_formats(text, time):
    assert parse(text, time, "Asia/Tokyo") == us(datetime(2020, 1, 1, 18, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["", "soon", "2020-13-01", "2020-02-30", "2020-01-01T25:00", "20:00", "2020-01-01T10:00:00-9000"]
)
def test_what_is_no_time_is_null(text):
    assert parse(text) is None
