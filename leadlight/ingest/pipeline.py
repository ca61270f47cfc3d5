"""`ingest`: read, convert, merge, prove that no row is lost, publish. Until the last step nothing changes."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.ingest import order_clock, touched
from leadlight.ingest.check import MappingFile
from leadlight.ingest.mapping import AttributeSource
from leadlight.ingest.reading import Progress, find_files, read_all
from leadlight.ingest.report import IngestReport, check_balance
from leadlight.ingest.staging import Staging
from leadlight.ingest.store import Previous, Tables, locked, merged_attributes, new_generation, prune, write
from leadlight.ingest.tables import Accounts, next_tables, stage_waiting
from leadlight.schema import TABLES, AttributeKind
from leadlight.workspace import Attribute, TablesInfo, Workspace, folder_atomically, room_for

_INSTANTS: Final = {name: [c for c, kind in columns.items() if kind == "instant"] for name, columns in TABLES.items()}


def ingest(mapping_path: Path, data_dir: Path, workspace: Workspace, progress: Progress | None = None) -> IngestReport:
    """Bring raw files into the tables of a workspace.

    Ingesting the same files again changes nothing; a crash at any moment leaves the tables as they were.

    Args:
        mapping_path: the mapping file.
        data_dir: the folder of the raw files.
        workspace: where the tables are.
        progress: called with the file's name and its number of records read so far.

    Raises:
        MappingError: the mapping is wrong or does not fit the files; with its line.
        RawDataError: a file cannot be read at all.
        WorkspaceError: the workspace is damaged, has another clock, or another ingest is at work.
    """
    start = time.perf_counter()
    mapping = MappingFile.read(mapping_path)
    files = find_files(mapping, data_dir)
    with locked(workspace) as folder, _temporary(folder) as staged:
        previous = Previous.of(workspace)
        _check_compatible(mapping, previous)
        staging, accounts = Staging(staged), Accounts()
        stage_waiting(previous, staging, accounts)
        reports = read_all(
            mapping,
            files,
            data_dir=data_dir,
            numbers=_numbers(mapping, previous),
            staging=staging,
            accounts=accounts,
            progress=progress or _silent,
        )
        ordered = mapping.mapping.order_column is not None
        tables = next_tables(previous, staging, accounts, attributes=_attributes(mapping), ordered=ordered)
        check_balance(reports, accounts.retried)
        info = _publish(workspace, mapping, previous, tables)
    return IngestReport(
        generation=info.generation,
        observed_until=info.observed_until,
        clock=info.clock,
        files=reports,
        retried=accounts.retried,
        tables=info.rows,
        seconds=round(time.perf_counter() - start, 3),
    )


def _silent(_file: str, _rows: int) -> None:
    """Report no progress."""


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(dir=folder, prefix=".staging.", suffix=".tmp"))
    try:
        with room_for(folder):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _check_compatible(mapping: MappingFile, previous: Previous) -> None:
    """Refuse a mapping whose clock or attribute kinds differ from those of the workspace."""
    if previous.info is None or previous.info.rows["leads"] == 0:
        return
    clock = "order" if mapping.mapping.order_column else "time"
    if clock != previous.info.clock:
        raise mapping.document.problem(
            ("clock",), f"the workspace's clock is `{previous.info.clock}`, this one `{clock}`; use another --workspace"
        )
    kinds: dict[tuple[str, str], AttributeKind] = {
        ("leads", attribute.name): attribute.kind for attribute in previous.info.attributes
    }
    for name, dtype in previous.tables.rows["accounts"].collect_schema().items():
        kinds["accounts", name] = "number" if dtype == pl.Float64 else "category"
    for i, raw in enumerate(mapping.mapping.files):
        for j, output in enumerate(raw.tables):
            for name, source in output.attributes.items():
                known = kinds.get((output.table, name), source.kind)
                if known != source.kind:
                    raise mapping.document.problem(
                        ("files", i, "tables", j, "attributes", name),
                        f"attribute `{name}` is a {known} in the workspace and a {source.kind} here; give it another "
                        "name or use another --workspace",
                    )


def _publish(workspace: Workspace, mapping: MappingFile, previous: Previous, tables: Tables) -> TablesInfo:
    generation = new_generation(workspace)
    with folder_atomically(workspace.root / "tables" / generation) as folder:
        rows = write(tables, folder)
        observed_until = _observed_until(mapping, previous, folder)
    info = TablesInfo(
        generation=generation,
        observed_until=observed_until,
        clock="order" if mapping.mapping.order_column else "time",
        attributes=merged_attributes(previous.info, _attributes(mapping)),
        rows=rows,
        in_order=True,
    )
    if previous.info is not None and tables.touched is not None:
        touched.write(workspace, previous.info.generation, generation, tables.touched)
    workspace.publish_tables(info)
    prune(workspace, generation)
    return info


def _attributes(mapping: MappingFile) -> list[Attribute]:
    sources: dict[str, AttributeSource] = {}
    for raw in mapping.mapping.files:
        for output in raw.tables:
            if output.table == "leads":
                sources.update(output.attributes)
    return [Attribute(name, source.kind, source.known_at) for name, source in sources.items()]


def _numbers(mapping: MappingFile, previous: Previous) -> set[str]:
    attributes = merged_attributes(previous.info, _attributes(mapping))
    return {attribute.name for attribute in attributes if attribute.kind == "number"}


def _observed_until(mapping: MappingFile, previous: Previous, folder: Path) -> int:
    """Give how far the record is complete: as the mapping says, else the newest instant that is not in the future."""
    if mapping.mapping.order_column:
        return order_clock.observed_until(_newest(folder, "leads", "created_at", None))
    stated = mapping.mapping.observed_until_us()
    if stated is not None:
        return stated
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    newest = [
        instant
        for table, columns in _INSTANTS.items()
        for column in columns
        if column != "received_at" and (instant := _newest(folder, table, column, now)) is not None
    ]
    before = previous.info.observed_until if previous.info else None
    return max([*newest, *([before] if before is not None else [])], default=now)


def _newest(folder: Path, table: str, column: str, limit: int | None) -> int | None:
    instants = pl.scan_parquet(folder / f"{table}.parquet").select(pl.col(column).cast(pl.Int64))
    if limit is not None:
        instants = instants.filter(pl.col(column) <= limit)
    newest = instants.max().collect().item()
    return None if newest is None else int(newest)
