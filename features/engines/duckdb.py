"""DuckDB: for logs larger than memory; it keeps to a memory limit and spills to disk."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Final
from uuid import uuid4

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from features.engines.base import EngineName
from features.expressions import assemble
from features.expressions.frame import ROW, Frame
from features.expressions.names import encoded, quoted
from features.tables import Tables
from leadlight.schema import TABLES, TableName
from leadlight.spec import KEYS, FeatureSpec

_ROWS: Final = 100_000  # at a time, where rows have to be written by Arrow


class DuckDBEngine:
    """Features on DuckDB relations of one connection."""

    name: EngineName = "duckdb"

    def __init__(self, memory_limit: str | None = None, connection: duckdb.DuckDBPyConnection | None = None) -> None:
        """Open a connection of its own unless one is given."""
        spill = Path(tempfile.gettempdir()) / f"leadlight-duckdb-{uuid4().hex}"  # DuckDB makes and removes it
        self._connection = connection or duckdb.connect()
        self._connection.execute(f"SET temp_directory = '{spill}'")
        if memory_limit is not None:
            self._connection.execute(f"SET memory_limit = '{memory_limit}'")
        self._numbers = count()
        self._attributes: dict[str, str] = {}

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Open Parquet files."""
        read = {name: self._connection.sql(self._select(name, path)) for name, path in paths.items()}
        self._attributes = _renamed(read["leads"].columns, paths["leads"])
        return Tables(read["leads"], read["activities"], read["stages"], read["attribute_changes"])

    def _select(self, name: TableName, path: Path) -> str:
        source = path / "**" / "*.parquet" if path.is_dir() else path
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        integers = ", ".join(f"epoch_us({column}) AS {column}" for column in instants)
        quoted = str(source).replace("'", "''")
        replace = f" REPLACE ({integers})" if integers else ""
        return f"SELECT *{replace} FROM read_parquet('{quoted}')"  # noqa: S608  (names of our schema, a quoted path)

    def records(self, tables: Tables) -> assemble.Records:
        """Wrap relations."""
        frames = (tables.leads, tables.activities, tables.stages, tables.changes)
        leads, *others = (nw.from_native(frame) for frame in frames)
        return assemble.Records(encoded(leads, self._attributes), *others)

    def rows(self, rows: pl.DataFrame) -> Frame:
        """Copy snapshots into a temporary table."""
        name = f"leadlight_rows_{next(self._numbers)}"
        self._connection.register(name, rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
        try:
            return self._table(f"FROM {name}")
        finally:
            self._connection.unregister(name)

    def _table(self, query: str) -> Frame:
        name = f"leadlight_{next(self._numbers)}"
        self._connection.execute(f"CREATE TEMP TABLE {name} AS {query}")
        frame: Frame = nw.from_native(self._connection.table(name))
        return frame

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join; kept in a temporary table, which spills."""
        return self.keep(assemble.meeting(rows, activities, specs))

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activities by a join."""
        return assemble.newest(rows, activities)

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once."""
        return self._table(frame.to_native().sql_query())

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Compute each part into a temporary table, then join them."""
        return assemble.together(rows, [self.keep(part) for part in parts], specs)

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Fetch, snapshots in order."""
        result: pl.DataFrame = frame.sort(ROW).to_native().pl()
        return result

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part."""
        named = "".join(f", {column} AS {quoted(name)}" for column, name in names.items())
        result = frame.sort(ROW).to_native()
        if len({name.lower() for name in (*KEYS, *names.values())}) == len(KEYS) + len(names):
            projected = result.project(f"lead_id, make_timestamptz(as_of) AS as_of{named}")
            projected.write_parquet(str(path), compression="lz4")
        else:
            _write(result.project(", ".join([*KEYS, *names])), path, [*KEYS, *names.values()])


def _write(result: duckdb.DuckDBPyRelation, path: Path, names: Sequence[str]) -> None:
    """Write columns under names that differ in case only, which DuckDB itself would number."""
    batches = result.to_arrow_reader(_ROWS)
    kinds = dict(zip(names, batches.schema.types, strict=True)) | {"as_of": pa.timestamp("us", "UTC")}
    schema = pa.schema(kinds.items())
    with pq.ParquetWriter(path, schema, compression="lz4") as file:
        for batch in batches:
            file.write_batch(batch.rename_columns(names).cast(schema))


def _renamed(columns: Sequence[str], path: Path) -> dict[str, str]:
    """Give the names in the file of columns that DuckDB named anew, because they differ from others in case only."""
    file = min(path.rglob("*.parquet")) if path.is_dir() else path
    return {now: name for now, name in zip(columns, pq.read_schema(file).names, strict=False) if now != name}
