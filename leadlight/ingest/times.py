"""Texts -> instants in µs UTC.

A time with an offset is that instant, whatever the zone. A time without one is read in the given IANA zone: where
clocks went back and it happened twice, the first occurrence is meant; where clocks went forward and it never
happened, it is read with the offset in force before the change (02:30 becomes 03:30), as Python does for `fold=0`.
A date alone is its first instant.
"""

from typing import Final

import polars as pl

_MICROSECONDS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_OFFSET: Final = r"([Zz]|[+-]\d{2}(?::?\d{2})?)$"
_OFFSET_CHARS: Final = 6
_DATE_CHARS: Final = 10  # a date alone ends like an offset: 2020-01-02
_NAIVE_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_LARGEST_OFFSET: Final = 1800  # hhmm, as in java.time and ISO practice
_LARGEST_GAP_HOURS: Final = 25  # Samoa left out a whole day in 2011
_FIRST_US: Final = -62_135_596_800_000_000  # year 1
_LAST_US: Final = 253_402_300_799_999_999  # year 9999


def parse_instants(texts: pl.Series, time: str, zone: str) -> pl.Series:
    """Read times.

    Args:
        texts: shape (n,), trimmed; null stays null.
        time: `iso`, `epoch_s`, `epoch_ms`, `epoch_us`, or a chrono format (`%z` for an offset).
        zone: IANA zone of times without offset.

    Returns:
        Shape (n,), Int64 µs UTC; null where the text is null or cannot be read.
    """
    if time in _MICROSECONDS:
        return _epoch(texts, _MICROSECONDS[time])
    if time == "iso":
        return _iso(texts, zone)
    if "%z" in time or "%:z" in time or "%#z" in time:
        parsed = texts.str.to_datetime(time, time_unit="us", time_zone="UTC", strict=False)
        return parsed.to_physical()
    return _from_zone(texts.str.to_datetime(time, time_unit="us", strict=False), zone)


def _epoch(texts: pl.Series, unit: int) -> pl.Series:
    whole = texts.cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"whole": whole, "real": texts.cast(pl.Float64, strict=False)})
    real = pl.when(pl.col("real").is_finite()).then(pl.col("real"))
    instant = (
        pl.when(pl.col("whole").abs() <= _LAST_US // unit)
        .then(pl.col("whole") * unit)
        .when(pl.col("whole").is_null() & (real.abs() <= _LAST_US / unit))
        .then((real * unit).round().cast(pl.Int64, strict=False))
    )
    return frame.select(pl.when(instant.is_between(_FIRST_US, _LAST_US)).then(instant).alias("i"))["i"]


def _iso(texts: pl.Series, zone: str) -> pl.Series:
    tail = pl.when(pl.col("t").str.len_bytes() > _DATE_CHARS).then(pl.col("t").str.tail(_OFFSET_CHARS))
    offset = texts.to_frame("t").select(tail.str.extract(_OFFSET, 1))["t"]
    body = texts
    if offset.null_count() < len(texts):
        frame = pl.DataFrame({"t": texts, "o": offset})
        length = pl.col("t").str.len_chars() - pl.col("o").str.len_chars().fill_null(0)
        body = frame.select(pl.col("t").str.slice(0, length))["t"]
    naive = _iso_naive(body.str.replace("T", " ", literal=True))
    if offset.null_count() == len(texts):
        return _from_zone(naive, zone)
    frame = pl.DataFrame({"n": naive.to_physical(), "o": offset}).with_columns(
        m=pl.col("o").str.replace_all(r"[^\d]", "").str.pad_end(4, "0").cast(pl.Int64, strict=False)
    )
    sound = pl.col("m") <= _LARGEST_OFFSET
    seconds = (pl.col("m") // 100 * 3600 + pl.col("m") % 100 * 60).fill_null(0)
    shift = pl.when(pl.col("o").str.starts_with("-")).then(-seconds).otherwise(seconds)
    local = _from_zone(naive, zone) if offset.null_count() else naive.to_physical()
    return frame.with_columns(z=local).select(
        i=pl.when(pl.col("o").is_null()).then("z").when(sound).then(pl.col("n") - shift * 1_000_000)
    )["i"]


def _iso_naive(body: pl.Series) -> pl.Series:
    """Read `YYYY-MM-DD[ HH:MM[:SS[.f]]]`, trying the rarer forms only where the first fails."""
    body = body.str.strip_chars()
    found = body.str.to_datetime(_NAIVE_FORMATS[0], time_unit="us", strict=False)
    for form in _NAIVE_FORMATS[1:]:
        if found.null_count() == body.null_count():
            break
        more = body.str.to_datetime(form, time_unit="us", strict=False)
        found = found.zip_with(found.is_not_null(), more)
    return found


def _from_zone(naive: pl.Series, zone: str) -> pl.Series:
    """Read local times in a zone; the rule for doubled and skipped times is in the module's docstring."""
    if zone == "UTC":
        return naive.to_physical()

    def read(local: pl.Series) -> pl.Series:
        return (
            local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC")
            .to_physical()
        )

    instants = read(naive)
    if instants.null_count() == naive.null_count():
        return instants
    gap = pl.duration(hours=_LARGEST_GAP_HOURS)
    earlier = read(naive.to_frame("n").select(pl.col("n") - gap)["n"])
    return instants.zip_with(instants.is_not_null(), earlier + _LARGEST_GAP_HOURS * 3_600_000_000)
