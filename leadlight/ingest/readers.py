"""Raw files as a stream of batches of texts with row numbers; single bad rows are set aside with their cause."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import polars as pl

from leadlight.errors import RawDataError
from leadlight.ingest.csv_reader import CsvFile
from leadlight.ingest.mapping import RawFile

ROW: Final = "__row__"  # number of the record in its file; no raw column may have this name
_BATCH_ROWS: Final = 65_536
_PARQUET_ROWS: Final = 131_072


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that could not be read: its number in the file, why, and its text."""

    row: int
    cause: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a file.

    Attributes:
        frame: column `ROW` (Int64) and the raw columns asked for (String), shape (n, 1 + columns).
        bad: records that could not be read.
        keys: of NDJSON: the keys met so far, as long as one that is wanted was not among them; else None.
    """

    frame: pl.DataFrame
    bad: list[BadRow]
    keys: frozenset[str] | None = None

    @property
    def read(self) -> int:
        """Number of records, good and bad."""
        return len(self.frame) + len(self.bad)


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A raw file whose columns are known and whose records are still to be read.

    Attributes:
        path: where it is.
        raw: how it is described.
        columns: its columns; None for NDJSON, whose lines each bring their own.
    """

    path: Path
    raw: RawFile
    columns: list[str] | None

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """Stream the columns in `wanted`; rows count from 1, the header of a CSV included, as a spreadsheet shows.

        Raises:
            RawDataError: the file cannot be read on.
        """
        kind = self.raw.format_of(self.path.name)
        if kind == "parquet":
            return _parquet(self.path, wanted)
        if kind == "ndjson":
            return _ndjson(self.path, self.raw.encoding, wanted)
        return _csv(self.path, self.raw, wanted)


def open_raw(path: Path, raw: RawFile) -> OpenedFile:
    """Open a raw file and read its columns.

    Raises:
        RawDataError: it is missing, empty, of unknown format, or not what its format says.
    """
    if not path.is_file():
        raise RawDataError(f"{path} does not exist; check the name and --data")
    kind = raw.format_of(path.name)
    if kind is None:
        raise RawDataError(
            f"{path.name}: its suffix does not tell the format; add `format: csv`, `parquet` or `ndjson`"
        )
    if kind == "parquet":
        return OpenedFile(path, raw, _parquet_columns(path))
    if kind == "ndjson":
        return OpenedFile(path, raw, None)
    return OpenedFile(path, raw, CsvFile(path, raw).columns())


def _csv(path: Path, raw: RawFile, wanted: Sequence[str]) -> Iterator[Batch]:
    for frame, bad in CsvFile(path, raw).batches(wanted, ROW):
        yield Batch(frame, [BadRow(*problem) for problem in bad])


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow as pa  # noqa: PLC0415  (as below: slow to load, and not every mapping has Parquet)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return [str(name) for name in pq.read_schema(path).names]
    except (pa.ArrowInvalid, OSError) as damaged:
        raise RawDataError(f"{path.name} is not a readable Parquet file: {damaged}") from damaged


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Batch]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    row = 1
    try:
        with pq.ParquetFile(path) as file:
            for record_batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(wanted)):
                if wanted:
                    arrow = pl.DataFrame(pa.Table.from_batches([record_batch]))
                    frame = arrow.select(_native_text(arrow[name]) for name in wanted)
                else:
                    frame = pl.DataFrame()
                rows = pl.int_range(row, row + record_batch.num_rows, dtype=pl.Int64, eager=True).alias(ROW)
                yield Batch(frame.insert_column(0, rows) if wanted else rows.to_frame(), [])
                row += record_batch.num_rows
    except (pa.ArrowInvalid, OSError) as damaged:
        raise RawDataError(f"{path.name} cannot be read after row {row - 1}: {damaged}") from damaged


def _native_text(column: pl.Series) -> pl.Series:
    """Write a typed column as the text that its value has in a mapping (instants as ISO 8601)."""
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is not None:
            return column.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
        return column.dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    if isinstance(column.dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(column.dtype, pl.List | pl.Array):
        return pl.Series(column.name, [None if item is None else str(item.to_list()) for item in column], pl.String)
    if column.dtype == pl.Binary:
        return column.cast(pl.String, strict=False)
    return column.cast(pl.String)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, unpacked where its name ends in `.gz`."""
    if path.name.lower().endswith(".gz"):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _ndjson(path: Path, encoding: str, wanted: Sequence[str]) -> Iterator[Batch]:
    """Read one JSON object a line; nested objects are reached by dots (`page.url`)."""
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    bad: list[BadRow] = []
    unseen, keys = set(wanted), set[str]()
    number = 0
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                record = _record(line, encoding, first=number == 1)
                if isinstance(record, dict):
                    if unseen:
                        found = {name for name in unseen if _holds(record, name)}
                        unseen -= found
                        keys |= found | set(record)
                    rows.append([_lookup(record, name) for name in wanted])
                    numbers.append(number)
                else:
                    bad.append(BadRow(number, record, line.decode(encoding, errors="replace").strip()))
                if len(rows) + len(bad) >= _BATCH_ROWS:
                    yield Batch(_frame(rows, numbers, wanted), bad, frozenset(keys) if unseen else None)
                    rows, numbers, bad = [], [], []
    except (OSError, EOFError) as damaged:
        raise RawDataError(f"{path.name} cannot be read after line {number}: {damaged}") from damaged
    if number == 0:
        raise RawDataError(f"{path.name} is empty; remove it from the data folder or the mapping")
    yield Batch(_frame(rows, numbers, wanted), bad, frozenset(keys) if unseen else None)


def _record(line: bytes, encoding: str, *, first: bool) -> dict[str, Any] | str:
    """Parse a line, numbers left as written; a text is the cause why it cannot be."""
    try:
        text = line.decode(encoding)
    except UnicodeError:
        return f"malformed row: not {encoding}"
    try:
        record = json.loads(
            text.lstrip("\ufeff") if first else text, parse_float=str, parse_int=str, parse_constant=str
        )
        if "\\u" in text:
            json.dumps(record, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        return "malformed row: not JSON"
    return record if isinstance(record, dict) else "malformed row: not a JSON object"


def _holds(record: dict[str, Any], name: str) -> bool:
    """Whether a record has a key, at any depth."""
    if name in record or "." not in name:
        return name in record
    head, _, rest = name.partition(".")
    inner = record.get(head)
    return isinstance(inner, dict) and _holds(inner, rest)


def _lookup(record: dict[str, Any], name: str) -> str | None:
    value: Any = record.get(name)
    if value is None and "." in name and name not in record:
        head, _, rest = name.partition(".")
        inner = record.get(head)
        return _lookup(inner, rest) if isinstance(inner, dict) else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _frame(rows: list[list[str | None]], numbers: list[int], wanted: Sequence[str]) -> pl.DataFrame:
    schema = dict.fromkeys(wanted, pl.String)
    frame = pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)
    if not wanted:
        return pl.DataFrame({ROW: pl.Series(numbers, dtype=pl.Int64)})
    return frame.insert_column(0, pl.Series(ROW, numbers, dtype=pl.Int64))
