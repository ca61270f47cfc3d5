"""Generations of tables in the workspace: what was there, what comes, and the lock between two ingests."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.errors import WorkspaceError
from leadlight.ingest.staging import QUARANTINE
from leadlight.ingest.transform import DTYPES
from leadlight.schema import TABLES, TableName
from leadlight.workspace import Attribute, TablesInfo, Workspace

KEPT_GENERATIONS: Final = 2
ROW_GROUP: Final = 262_144
COMPANY: Final = "__company__"  # not stored: account_id, or lead_id of a lead without account
SORTED_BY: Final[dict[str, tuple[str, ...]]] = {
    "leads": ("created_at", "lead_id"),
    "accounts": ("account_id",),
    "activities": (COMPANY, "lead_id", "occurred_at", "activity_id"),
    "stages": ("lead_id", "entered_at", "stage"),
    "attribute_changes": ("lead_id", "changed_at", "field"),
    "quarantine": ("file", "row", "table"),
}
_INSTANT: Final = pl.Datetime("us", "UTC")
_ORDER_FILE: Final = "order.parquet"


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of a generation; instants as Int64 µs UTC.

    Attributes:
        rows: table -> rows, `quarantine` included.
        order: `lead_id`, `order` (Float64) under `clock: order`, else None.
        touched: leads of which the generation before knew something else (`leadlight.ingest.touched.leads`); None where
            nobody asked.
    """

    rows: dict[str, pl.LazyFrame]
    order: pl.DataFrame | None
    touched: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """The generation that was current, or an empty one."""

    info: TablesInfo | None
    tables: Tables

    @classmethod
    def of(cls, workspace: Workspace) -> "Previous":
        """Scan the current generation.

        Raises:
            WorkspaceError: a table is gone or damaged, or `tables.json` is damaged.
        """
        if not workspace.has_tables():
            empty: dict[str, pl.LazyFrame] = {name: pl.LazyFrame(schema=_physical(name)) for name in TABLES}
            return cls(None, Tables({**empty, "quarantine": pl.LazyFrame(schema=QUARANTINE)}, None))
        info = workspace.tables_info()
        rows: dict[str, pl.LazyFrame] = {name: workspace.scan(name).with_columns(_to_physical(name)) for name in TABLES}
        if info.rows["leads"] == 0:  # nothing to be compatible with: the next mapping starts anew
            info, rows["leads"] = replace(info, attributes=()), pl.LazyFrame(schema=_physical("leads"))
        order = workspace.table_path("leads", info.generation).with_name(_ORDER_FILE)
        return cls(
            info,
            Tables(
                {**rows, "quarantine": workspace.scan("quarantine")},
                pl.read_parquet(workspace.whole(order)) if order.exists() else None,
            ),
        )


def _physical(name: TableName) -> dict[str, type[pl.DataType]]:
    return {column: DTYPES[kind] for column, kind in TABLES[name].items()}


def _to_physical(name: TableName) -> list[pl.Expr]:
    return [pl.col(column).cast(pl.Int64) for column, kind in TABLES[name].items() if kind == "instant"]


def write(tables: Tables, folder: Path) -> dict[str, int]:
    """Write all tables into a folder and give their numbers of rows.

    The activities of a company lie together, and in them those of a lead in the order of time (docs/adr/0006).
    """
    counts: dict[str, int] = {}
    for name in (*TABLES, "quarantine"):
        instants = [
            pl.col(column).cast(_INSTANT)
            for column, kind in TABLES.get(_table(name), {}).items()
            if kind == "instant" and name != "quarantine"
        ]
        path = folder / f"{name}.parquet"
        rows = _sorted(name, tables.rows).with_columns(instants)
        rows.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        counts[name] = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    if tables.order is not None:
        tables.order.write_parquet(folder / _ORDER_FILE)
    return counts


def _sorted(name: str, rows: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    keys = SORTED_BY[name]
    if COMPANY not in keys:
        return rows[name].sort(keys)
    company = pl.coalesce("account_id", "lead_id").alias(COMPANY)
    companies = rows["leads"].select("lead_id", company)
    return rows[name].join(companies, on="lead_id", how="left").sort(keys).drop(COMPANY)


def _table(name: str) -> TableName:
    return name  # type: ignore[return-value]  # `quarantine` is no key of TABLES and gives no instants


def new_generation(workspace: Workspace) -> str:
    """Name a generation by its UTC time, later than every one on disk."""
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    newest = max(generations(workspace), default="")
    return name if name > newest else f"{newest}-1"


def generations(workspace: Workspace) -> list[str]:
    """List the generations on disk, oldest first."""
    folder = workspace.root / "tables"
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def prune(workspace: Workspace, current: str) -> None:
    """Remove all but the current generation and the ones before it that are kept for readers still at work."""
    older = [name for name in generations(workspace) if name != current]
    for name in older[: max(len(older) - (KEPT_GENERATIONS - 1), 0)]:
        shutil.rmtree(workspace.root / "tables" / name, ignore_errors=True)


@contextmanager
def locked(workspace: Workspace) -> Iterator[Path]:
    """Hold the workspace's ingest lock and give the folder of its tables; leftovers of a crash are cleared first.

    Raises:
        WorkspaceError: another ingest holds it.
    """
    import fcntl  # noqa: PLC0415  (POSIX only)

    folder = workspace.root / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            raise WorkspaceError(f"another ingest is writing into `{workspace.root}`; wait until it ends") from held
        for leftover in folder.glob(".*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield folder


def merged_attributes(old: TablesInfo | None, new: list[Attribute]) -> tuple[Attribute, ...]:
    """Join attribute definitions; the newer one of a name counts."""
    known = {attribute.name: attribute for attribute in (old.attributes if old else ())}
    known.update({attribute.name: attribute for attribute in new})
    return tuple(known.values())
