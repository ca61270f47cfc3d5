"""CSV as a stream of batches of texts. Every field is read as text; quoted line breaks are part of their field."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, cast

import polars as pl

from leadlight.errors import RawDataError
from leadlight.ingest.mapping import RawFile

_BLOCK_BYTES: Final = 8 << 20
_UTF8: Final = "utf-8"
_MARKED_UTF8: Final = "utf-8-sig"  # skips a byte order mark
_BAD_ENCODING: Final = re.compile(
    r"invalid UTF8|codec can't decode|illegal multibyte|invalid continuation", re.IGNORECASE
)

Problem = tuple[int, str, str]  # row, cause, text


class CsvFile:
    """A CSV file, maybe gzipped, described by a mapping."""

    def __init__(self, path: Path, raw: RawFile) -> None:
        """Note the place; nothing is read yet."""
        self.path = path
        self.raw = raw
        self._encoding = _plain_name(raw.encoding)
        self._delimiter = raw.delimiter_of(path.name)

    def columns(self) -> list[str]:
        """Read the header.

        Raises:
            RawDataError: the file is empty, is not in its encoding, or names a column twice.
        """
        try:
            encoding = _MARKED_UTF8 if self._encoding == _UTF8 else self._encoding
            with self._open() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
                first = next(self._fields(text), None)
        except UnicodeError as wrong:
            raise self._wrong_encoding() from wrong
        except (OSError, EOFError, csv.Error, zlib.error) as damaged:
            raise RawDataError(f"{self.path.name} cannot be read: {damaged}") from damaged
        if not first:
            raise RawDataError(f"{self.path.name} is empty, without even a header; remove it or export it again")
        names = self.raw.names or [name.strip() for name in first]
        if self.raw.names and len(names) != len(first):
            raise RawDataError(
                f"{self.path.name} has {len(first)} columns, `names` gives {len(names)}; make them equal"
            )
        twice = [name for name, times in Counter(names).items() if times > 1 and name]
        if twice:
            raise RawDataError(f"{self.path.name} line 1: column `{twice[0]}` appears twice; rename one of them")
        return names

    def batches(self, wanted: Sequence[str], row_name: str) -> Iterator[tuple[pl.DataFrame, list[Problem]]]:
        """Stream the columns in `wanted` with the record number, and the records that have another number of fields.

        Blank records (all wanted fields empty) are left out, but counted in the numbering.

        Raises:
            RawDataError: a text is not in the encoding, or the file breaks off.
        """
        import pyarrow as pa  # noqa: PLC0415  (slow to load)

        names = self.columns()
        bad: list[Problem] = []
        position = 1 if self.raw.names else 2  # number of the next record
        skipped: list[int] = []
        try:
            for record_batch in self._reader(names, wanted, bad):
                problems, bad[:] = list(bad), []
                skipped.extend(row for row, _, _ in problems)
                numbers, position = _numbers(position, record_batch.num_rows, skipped)
                frame = _frame(record_batch, wanted, row_name, numbers)
                yield _without_blank(frame, wanted), problems
        except (pa.ArrowInvalid, UnicodeError, OSError, EOFError, zlib.error) as broken:
            if isinstance(broken, UnicodeError) or _BAD_ENCODING.search(str(broken)):
                raise self._wrong_encoding() from broken
            raise RawDataError(
                f"{self.path.name} cannot be read after row {max(position - 1, 1)}: {broken}; check quotes"
            ) from broken
        if bad:
            yield _frame(None, wanted, row_name, []), bad

    def _reader(self, names: list[str], wanted: Sequence[str], bad: list[Problem]) -> Any:
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import csv as arrow_csv  # noqa: PLC0415

        def set_aside(row: Any) -> str:
            # pyarrow counts the header; a file without one starts at 1 all the same
            cause = f"malformed row: {row.actual_columns} fields, the header has {row.expected_columns}"
            bad.append((int(row.number), cause, str(row.text)))
            return "skip"

        compression = "gzip" if self.path.name.lower().endswith(".gz") else None
        return arrow_csv.open_csv(
            pa.input_stream(str(self.path), compression=compression),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                # Under its plain name Arrow would not check UTF-8 in rows that it sets aside.
                encoding=_MARKED_UTF8 if self._encoding == _UTF8 else self._encoding,
                column_names=names,
                skip_rows_after_names=0 if self.raw.names else 1,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char=False if self.raw.quote == "none" else self.raw.quote,
                newlines_in_values=self.raw.quote != "none",
                ignore_empty_lines=False,
                invalid_row_handler=set_aside,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=list(wanted)
            ),
        )

    def _fields(self, text: io.TextIOWrapper) -> Iterator[list[str]]:
        if self.raw.quote == "none":
            return csv.reader(text, delimiter=self._delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(text, delimiter=self._delimiter, quotechar=self.raw.quote)

    def _open(self) -> IO[bytes]:
        if self.path.name.lower().endswith(".gz"):
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        return self.path.open("rb")

    def _wrong_encoding(self) -> RawDataError:
        hint = "cp932" if self._encoding.replace("-", "").lower() == "utf8" else "utf-8"
        return RawDataError.in_file(
            self.path,
            self._undecodable_line(),
            f"not {self._encoding}; if another program wrote it, say so in the mapping, e.g. `encoding: {hint}`",
        )

    def _undecodable_line(self) -> int | None:
        """Give the first line that cannot be decoded; None where lines are not told by their bytes."""
        if self._encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32")):
            return None
        with self._open() as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode(self._encoding)
                except UnicodeError:
                    return number
        return None


def _plain_name(encoding: str) -> str:
    """Give the one name of UTF-8, whatever it is called."""
    return _UTF8 if encoding.lower().replace("_", "-") in {"utf8", "utf-8", "utf-8-sig", "utf8-sig"} else encoding


def _numbers(position: int, count: int, skipped: list[int]) -> tuple[list[int] | range, int]:
    """Number `count` records from `position` on, leaving out the numbers of skipped ones (which are consumed)."""
    if not skipped:
        return range(position, position + count), position + count
    numbers: list[int] = []
    taken = set(skipped)
    while len(numbers) < count:
        if position not in taken:
            numbers.append(position)
        position += 1
    skipped[:] = [row for row in skipped if row >= position]
    return numbers, position


def _frame(record_batch: Any, wanted: Sequence[str], row_name: str, numbers: Sequence[int]) -> pl.DataFrame:
    rows = pl.Series(row_name, numbers, dtype=pl.Int64)
    if record_batch is None:
        return pl.DataFrame(schema={row_name: pl.Int64, **dict.fromkeys(wanted, pl.String)})
    import pyarrow as pa  # noqa: PLC0415

    frame = pl.DataFrame(pa.Table.from_batches([record_batch])) if wanted else pl.DataFrame()
    return frame.insert_column(0, rows) if wanted else rows.to_frame()


def _without_blank(frame: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    if not wanted or not frame[wanted[0]].str.len_bytes().eq(0).any():
        return frame
    return frame.filter(pl.any_horizontal(pl.col(name) != "" for name in wanted))
