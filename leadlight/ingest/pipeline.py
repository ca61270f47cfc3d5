"""`ingest`: read, convert, merge, prove that no row is lost, publish. Until the last step nothing changes."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.errors import did_you_mean
from leadlight.ingest import order_clock
from leadlight.ingest.check import missing_column, raw_columns
from leadlight.ingest.mapping import AttributeSource, MappingFile, RawFile
from leadlight.ingest.readers import Batch, OpenedFile, open_raw
from leadlight.ingest.report import FileReport, IngestReport, TableReport, check_balance
from leadlight.ingest.staging import Staging
from leadlight.ingest.store import Previous, Tables, locked, merged_attributes, new_generation, prune, write
from leadlight.ingest.tables import Accounts, next_tables, stage_waiting
from leadlight.ingest.transform import Transform
from leadlight.schema import TABLES
from leadlight.workspace import Attribute, TablesInfo, Workspace, folder_atomically

Progress = Callable[[str, int], None]
_INSTANTS: Final = {name: [c for c, kind in columns.items() if kind == "instant"] for name, columns in TABLES.items()}


def ingest(
    mapping_path: Path, data_dir: Path, workspace: Workspace, progress: Progress | None = None
) -> IngestReport:
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
        reports = _read_all(mapping, files, data_dir, staging, accounts, progress or _silent)
        tables = next_tables(previous, staging, accounts, ordered=mapping.mapping.order_column is not None)
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
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def find_files(mapping: MappingFile, data_dir: Path) -> list[tuple[RawFile, OpenedFile]]:
    """Find and open every file that the mapping names, in its order, a glob's by name; check their columns.

    Raises:
        MappingError: there is no such file, or it lacks a column that the mapping reads.
        RawDataError: a file cannot be opened.
    """
    found: list[tuple[RawFile, OpenedFile]] = []
    for index, raw in enumerate(mapping.mapping.files):
        paths = sorted(path for path in data_dir.glob(raw.file) if path.is_file()) if data_dir.is_dir() else []
        if not paths:
            there = [path.name for path in data_dir.iterdir() if path.is_file()] if data_dir.is_dir() else []
            hint = did_you_mean(raw.file, there) or "; is --data right?"
            raise mapping.document.problem(("files", index, "file"), f"file `{raw.file}` is not in {data_dir}{hint}")
        for path in paths:
            opened = open_raw(path, raw)
            if opened.columns is not None:
                _check_columns(mapping, raw, opened, opened.columns)
            found.append((raw, opened))
    return found


def _check_columns(mapping: MappingFile, raw: RawFile, opened: OpenedFile, known: list[str]) -> None:
    for column, loc in raw_columns(mapping.mapping, raw).items():
        if column not in known:
            raise mapping.document.problem(loc, missing_column(column, loc, opened.path.name, known))


def _check_compatible(mapping: MappingFile, previous: Previous) -> None:
    """Refuse a mapping whose clock or attribute kinds differ from those of the workspace."""
    if previous.info is None:
        return
    clock = "order" if mapping.mapping.order_column else "time"
    if clock != previous.info.clock:
        raise mapping.document.problem(
            ("clock",), f"the workspace's clock is `{previous.info.clock}`, this one `{clock}`; use another --workspace"
        )
    kinds = {attribute.name: attribute.kind for attribute in previous.info.attributes}
    for i, raw in enumerate(mapping.mapping.files):
        for j, output in enumerate(raw.tables):
            for name, source in output.attributes.items():
                known = kinds.get(name, source.kind) if output.table == "leads" else source.kind
                if known != source.kind:
                    raise mapping.document.problem(
                        ("files", i, "tables", j, "attributes", name),
                        f"attribute `{name}` is a {known} in the workspace and a {source.kind} here; give it another "
                        "name or use another --workspace",
                    )


def _read_all(
    mapping: MappingFile,
    files: list[tuple[RawFile, OpenedFile]],
    data_dir: Path,
    staging: Staging,
    accounts: Accounts,
    progress: Progress,
) -> list[FileReport]:
    outs = {id(raw): start for raw, start in _first_outputs(mapping)}
    reports: list[FileReport] = []
    for raw, opened in files:
        name = opened.path.relative_to(data_dir).as_posix()
        reader = _Reader(mapping, raw, opened, name, outs[id(raw)], staging, accounts)
        reports.append(reader.read(progress))
    return reports


def _first_outputs(mapping: MappingFile) -> Iterator[tuple[RawFile, int]]:
    start = 0
    for raw in mapping.mapping.files:
        yield raw, start
        start += len(raw.tables)


class _Reader:
    """Reads one file into the staging folder and keeps its accounts."""

    def __init__(
        self,
        mapping: MappingFile,
        raw: RawFile,
        opened: OpenedFile,
        name: str,
        first_out: int,
        staging: Staging,
        accounts: Accounts,
    ) -> None:
        self.mapping, self.raw, self.opened, self.name = mapping, raw, opened, name
        self.staging, self.accounts = staging, accounts
        self.file = accounts.file(name)
        self.report = FileReport(name)
        self.outputs: list[tuple[int, Transform, TableReport]] = []
        for out, output in enumerate(raw.tables, start=first_out):
            report = TableReport(output.table)
            self.report.tables.append(report)
            self.accounts.tables[out, self.file] = report
            self.outputs.append((out, Transform.of(mapping.mapping, raw, output), report))
            if output.table == "activities" and "activity_id" not in output.columns:
                self.accounts.hashed.append(out)

    def read(self, progress: Progress) -> FileReport:
        """Stream the file."""
        wanted = list(raw_columns(self.mapping.mapping, self.raw))
        seen: set[str] = set()
        for batch in self.opened.batches(wanted):
            self._take(batch)
            progress(self.name, self.report.rows)
            if self.opened.columns is None and len(seen) < len(wanted):
                seen |= {name for name in wanted if batch.frame[name].null_count() < len(batch.frame)}
        if self.opened.columns is None and self.report.rows > self.report.malformed:
            _check_columns(self.mapping, self.raw, self.opened, sorted(seen))
        return self.report

    def _take(self, batch: Batch) -> None:
        self.report.rows += batch.read
        self.report.malformed += len(batch.bad)
        for bad in batch.bad:
            self.report.causes[bad.cause] = self.report.causes.get(bad.cause, 0) + 1
        if batch.bad:
            self.staging.refuse(self._refused([(bad.row, bad.cause, bad.text) for bad in batch.bad], None))
        if batch.frame.is_empty():
            return
        taken = pl.repeat(value=False, n=len(batch.frame), dtype=pl.Boolean, eager=True)
        for out, transform, report in self.outputs:
            mask = transform.select(batch.frame)
            taken |= mask
            self._stage(out, transform, report, batch.frame.filter(mask))
        self.report.left_out += len(taken) - int(taken.sum())

    def _stage(self, out: int, transform: Transform, report: TableReport, selected: pl.DataFrame) -> None:
        report.rows += len(selected)
        rows = transform.apply(selected)
        self.staging.add(transform.table, rows.good, out, self.file)
        for cause, count in rows.bad.group_by("cause").len().iter_rows():
            report.quarantine(str(cause), int(count))
        if len(rows.bad):
            self.staging.refuse(self._refused(rows.bad.rows(), transform.table))

    def _refused(self, rows: list[tuple[int, str, str]], table: str | None) -> pl.DataFrame:
        frame = pl.DataFrame(rows, schema={"row": pl.Int64, "cause": pl.String, "content": pl.String}, orient="row")
        return frame.with_columns(
            pl.lit(self.name).alias("file"),
            pl.lit(table, dtype=pl.String).alias("table"),
            pl.lit(value=False).alias("waiting"),
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
    )
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
