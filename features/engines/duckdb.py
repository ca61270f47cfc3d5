"""DuckDB: for logs larger than memory; it keeps to a memory limit and spills to disk."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from features.engines import memory
from features.engines.base import EngineName
from features.expressions import assemble
from features.expressions.frame import ROW, Frame
from features.expressions.names import encoded, quoted
from features.tables import Tables
from leadlight.errors import EngineError
from leadlight.schema import TABLES, TableName
from leadlight.spec import KEYS, FeatureSpec

_ROWS: Final = 100_000  # at a time, where rows have to be written by Arrow


def settled(relation: duckdb.DuckDBPyRelation, leadlight_given: pa.Table | None = None) -> duckdb.DuckDBPyRelation:
    """Compute a relation now, into a temporary table that its connection keeps until it is closed.

    Args:
        relation: what is computed, or, where rows are given, any of the connection.
        leadlight_given: rows to be copied instead.
    """
    name = f"leadlight_{uuid4().hex}"
    view = f"{name}_view"
    source = view if leadlight_given is None else "leadlight_given"  # DuckDB finds the latter by its name
    relation.query(view, f"CREATE TEMP TABLE {name} AS FROM {source}")
    found = relation.query(view, f"FROM {name}")
    relation.query(view, f"DROP VIEW {view}")
    return found


class DuckDBEngine:
    """Features on DuckDB relations of one connection."""

    name: EngineName = "duckdb"

    def __init__(self, memory_limit: str | None = None, relation: duckdb.DuckDBPyRelation | None = None) -> None:
        """Open a connection, or take that of a relation, whose settings are left as they are.

        Args:
            memory_limit: of a connection of its own; see `memory.checked`.
            relation: one of the tables that exist already.

        Raises:
            InputError: the limit is no size.
            EngineError: it is too small to start.
        """
        prefix = f"leadlight_{uuid4().hex}"
        if relation is None:
            self._connection = _open(prefix, memory_limit)
            relation = self._connection.sql("SELECT 1")
        # A relation does not give its connection away, but it runs statements there.
        self._here = relation.query(prefix, "SELECT 1")
        self._names = (f"{prefix}_{number}" for number in count())
        self._view = prefix
        self._kept: list[str] = []
        self._attributes: dict[str, str] = {}

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Open Parquet files."""
        read = {name: self._run(self._select(name, path)) for name, path in paths.items()}
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
        """Copy snapshots into a temporary table, which is there until their features are fetched."""
        name = self._created("FROM leadlight_given", rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
        if ROW in rows.columns:
            self._kept.append(name)
        return self._table(name)

    def _run(self, statement: str, leadlight_given: pa.Table | None = None) -> Any:  # noqa: ARG002  (DuckDB finds it by its name)
        return self._here.query(self._view, statement)

    def _created(self, query: str, given: pa.Table | None = None) -> str:
        name = next(self._names)
        with memory_errors():
            self._run(f"CREATE TEMP TABLE {name} AS {query}", given)
        return name

    def _table(self, name: str) -> Frame:
        frame: Frame = nw.from_native(self._run(f"FROM {name}"))
        return frame

    @contextmanager
    def _finishing(self) -> Iterator[None]:
        """Fetch a result, then let go of what was kept for it."""
        with memory_errors():
            try:
                yield
            finally:
                for name in self._kept:
                    self._run(f"DROP TABLE {name}")
                self._run(f"DROP VIEW {self._view}")
                self._kept.clear()

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join; kept in a temporary table, which spills."""
        return self.keep(assemble.meeting(rows, activities, specs))

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activities by a join."""
        return assemble.newest(rows, activities)

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once."""
        name = self._created(frame.to_native().sql_query())
        self._kept.append(name)
        return self._table(name)

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Compute each part into a temporary table, then join them."""
        return assemble.together(rows, [self.keep(part) for part in parts], specs)

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Fetch, snapshots in order.

        Raises:
            EngineError: too little memory.
        """
        with self._finishing():
            result: pl.DataFrame = frame.sort(ROW).to_native().pl()
        return result

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part.

        Raises:
            EngineError: too little memory; what is in the folder is of no use.
        """
        named = "".join(f", {column} AS {quoted(name)}" for column, name in names.items())
        result = frame.sort(ROW).to_native()
        with self._finishing():
            if len({name.lower() for name in (*KEYS, *names.values())}) == len(KEYS) + len(names):
                projected = result.project(f"lead_id, make_timestamptz(as_of) AS as_of{named}")
                projected.write_parquet(str(path), compression="lz4")
            else:
                _write(result.project(", ".join([*KEYS, *names])), path, [*KEYS, *names.values()])


def _open(name: str, memory_limit: str | None) -> duckdb.DuckDBPyConnection:
    spill = Path(tempfile.gettempdir()) / name  # DuckDB makes and removes it
    settings: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(spill)}
    if (limit := memory.checked(memory_limit)) is not None:
        settings["memory_limit"] = limit
    with memory_errors():
        return duckdb.connect(config=settings)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn too little memory into an error of one line."""
    try:
        yield
    except duckdb.OutOfMemoryException as short:
        what = str(short).partition("\n")[0].removeprefix("Out of Memory Error: ")
        raise EngineError(
            f"DuckDB has too little memory ({what}); raise its limit (--memory-limit, such as 4GB); nothing was written"
        ) from short


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
