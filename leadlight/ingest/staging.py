"""Typed rows on their way from raw files to the tables, in Parquet files of a temporary folder."""

from collections import defaultdict
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.ingest.transform import DTYPES
from leadlight.schema import TABLES, TableName

# Where a staged row comes from: index of its output (see `Staging.outputs`), of its file name, and its row.
OUT: Final = "__out__"
FILE: Final = "__file__"
ROW: Final = "__row__"
ORIGIN: Final[dict[str, type[pl.DataType]]] = {OUT: pl.Int32, FILE: pl.Int32, ROW: pl.Int64}
RETRIED: Final = -1  # output of rows that waited in quarantine

QUARANTINE: Final[dict[str, type[pl.DataType]]] = {
    "file": pl.String,
    "row": pl.Int64,
    "table": pl.String,  # null: the record could not be read at all
    "cause": pl.String,
    "waiting": pl.Boolean,  # true: tried again at the next ingest
    "content": pl.String,  # raw texts as JSON; of a waiting row its typed columns; of a malformed record its text
}


class Staging:
    """The temporary folder: rows per table, and refused rows."""

    def __init__(self, folder: Path) -> None:
        """Stage into `folder`, which exists."""
        self.folder = folder
        self._parts: defaultdict[str, list[Path]] = defaultdict(list)

    def add(self, table: TableName, rows: pl.DataFrame, out: int, file: int) -> None:
        """Stage typed rows of an output."""
        if len(rows):
            origin = [pl.lit(out, dtype=pl.Int32).alias(OUT), pl.lit(file, dtype=pl.Int32).alias(FILE)]
            self._write(table, rows.with_columns(origin))

    def refuse(self, refused: pl.DataFrame) -> None:
        """Stage refused rows with the columns of `QUARANTINE`."""
        if len(refused):
            self._write("quarantine", refused.select(pl.col(name).cast(kind) for name, kind in QUARANTINE.items()))

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        path = self.folder / f"{name}-{len(self._parts[name]):06d}.parquet"
        frame.write_parquet(path, compression="lz4", statistics=False)
        self._parts[name].append(path)

    def scan(self, table: TableName, extra: dict[str, type[pl.DataType]] | None = None) -> pl.LazyFrame:
        """Scan the staged rows of a table with all its columns (and `extra` ones), null where not mapped."""
        schema = {**ORIGIN, **_types(table), **(extra or {})}
        if not self._parts[table]:
            return pl.LazyFrame(schema=schema)
        return pl.concat(
            [_completed(pl.scan_parquet(path), schema) for path in self._parts[table]], how="vertical", parallel=False
        )

    def outputs(self, table: TableName) -> dict[int, pl.DataFrame]:
        """Read the staged rows of a table per output, each with the columns that it maps (for leads and accounts)."""
        parts: defaultdict[int, list[pl.DataFrame]] = defaultdict(list)
        for path in self._parts[table]:
            frame = pl.read_parquet(path)
            parts[int(frame[OUT][0])].append(frame)
        return {out: pl.concat(frames) for out, frames in sorted(parts.items())}

    def refused(self) -> pl.LazyFrame:
        """Scan the refused rows."""
        if not self._parts["quarantine"]:
            return pl.LazyFrame(schema=QUARANTINE)
        return pl.scan_parquet(self._parts["quarantine"])


def _types(table: TableName) -> dict[str, type[pl.DataType]]:
    return {name: DTYPES[kind] for name, kind in TABLES[table].items()}


def _completed(frame: pl.LazyFrame, schema: dict[str, type[pl.DataType]]) -> pl.LazyFrame:
    have = set(frame.collect_schema().names())
    return frame.select(
        pl.col(name).cast(kind) if name in have else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    )
