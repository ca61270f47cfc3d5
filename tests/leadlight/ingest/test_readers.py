from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from leadlight.errors import RawDataError
from leadlight.ingest.mapping import RawFile
from leadlight.ingest.readers import ROW, BadRow, open_raw

RAW = RawFile.model_validate({"file": "x", "tables": [{"table": "leads", "columns": {"lead_id": "a"}}]})


def read(path, wanted, **described):
    opened = open_raw(path, RAW.model_copy(update=described))
    rows, bad = [], []
    for batch in opened.batches(wanted):
        assert batch.frame.columns == [ROW, *wanted]
        rows += batch.frame.rows()
        bad += batch.bad
    return opened.columns, rows, bad


def test_parquet_values_become_the_texts_they_mean(tmp_path):
    frame = pl.DataFrame(
        {
            "when": [datetime(2026, 1, 1, 9, tzinfo=UTC)],
            "naive": [datetime(2026, 1, 1, 9)],  # noqa: DTZ001
            "day": [date(2026, 1, 1)],
            "number": [1.5],
            "count": [3],
            "flag": [True],
            "text": [None],
            "price": [Decimal("1.20")],
        },
        schema_overrides={"when": pl.Datetime("ms", "Asia/Tokyo"), "text": pl.String},
    )
    frame.write_parquet(tmp_path / "raw.parquet")
    columns, rows, bad = read(tmp_path / "raw.parquet", frame.columns)
    assert columns == frame.columns
    assert rows == [
        (1, "2026-01-01T09:00:00.000000Z", "2026-01-01 09:00:00.000000", "2026-01-01", "1.5", "3", "true", None, "1.20")
    ]
    assert bad == []


def test_parquet_is_streamed_with_row_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("leadlight.ingest.readers._PARQUET_ROWS", 10)
    pl.DataFrame({"a": range(1, 36)}).write_parquet(tmp_path / "raw.parquet")
    _, rows, _ = read(tmp_path / "raw.parquet", ["a"])
    assert rows == [(n, str(n)) for n in range(1, 36)]


def test_ndjson(tmp_path, monkeypatch):
    monkeypatch.setattr("leadlight.ingest.readers._BATCH_ROWS", 2)
    path = tmp_path / "raw.jsonl"
    lines = [
        '\ufeff{"a": 1.50, "b": {"c": "x"}}',
        "",
        "[1]",
        '{"a": "y", "b.c": "z", "d": [1]}',
        '{"a": NaN',
        '{"a": NaN, "b": null, "d": true}',
        r'{"a": "\ud800"}',
        r'{"a": "\u00e9"}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    columns, rows, bad = read(path, ["a", "b.c", "d"])
    assert columns is None
    assert rows == [(1, "1.50", "x", None), (4, "y", "z", '["1"]'), (6, "NaN", None, "true"), (8, "é", None, None)]
    assert bad == [
        BadRow(3, "malformed row: not a JSON object", "[1]"),
        BadRow(5, "malformed row: not JSON", '{"a": NaN'),
        BadRow(7, "malformed row: not JSON", r'{"a": "\ud800"}'),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("raw.parquet", b"PAR1 not really", "raw.parquet is not a readable Parquet file"),
        ("raw.ndjson", b"", "raw.ndjson is empty"),
        ("raw.ndjson.gz", b"no gzip", "raw.ndjson.gz cannot be read after line 0"),
        ("raw.xlsx", b"PK", "raw.xlsx: its suffix does not tell the format"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RawDataError, match=message):
        read(tmp_path / name, ["a"])


def test_a_missing_file(tmp_path):
    with pytest.raises(RawDataError, match=r"none\.csv does not exist; check the name and --data"):
        open_raw(tmp_path / "none.csv", RAW)
