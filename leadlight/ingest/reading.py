"""Raw files -> typed rows in the staging folder, with each file's accounts."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import polars as pl

from leadlight.errors import did_you_mean
from leadlight.ingest.check import MappingFile, missing_column, raw_columns
from leadlight.ingest.mapping import RawFile
from leadlight.ingest.readers import Batch, OpenedFile, open_raw
from leadlight.ingest.report import FileReport, TableReport
from leadlight.ingest.staging import Staging
from leadlight.ingest.tables import Accounts
from leadlight.ingest.transform import Transform

Progress = Callable[[str, int], None]


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


def read_all(
    mapping: MappingFile,
    files: list[tuple[RawFile, OpenedFile]],
    *,
    data_dir: Path,
    numbers: Collection[str],
    staging: Staging,
    accounts: Accounts,
    progress: Progress,
) -> list[FileReport]:
    """Read and convert every file, in order; `numbers` are the attributes of leads that are numbers.

    Raises:
        MappingError: a line-wise file never has a column that the mapping reads.
        RawDataError: a file breaks off or is not in its encoding.
    """
    outs = {id(raw): start for raw, start in _first_outputs(mapping)}
    reports: list[FileReport] = []
    for raw, opened in files:
        name = opened.path.relative_to(data_dir).as_posix()
        reader = _Reader(mapping, raw, opened, name=name, staging=staging, accounts=accounts)
        reader.prepare(outs[id(raw)], numbers)
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
        *,
        name: str,
        staging: Staging,
        accounts: Accounts,
    ) -> None:
        self.mapping, self.raw, self.opened, self.name = mapping, raw, opened, name
        self.staging, self.accounts = staging, accounts
        self.file = accounts.file(name)
        self.report = FileReport(name)
        self.outputs: list[tuple[int, Transform, TableReport]] = []

    def prepare(self, first_out: int, numbers: Collection[str]) -> None:
        """Prepare the outputs, counted from `first_out`; `numbers` are the attributes of leads that are numbers."""
        for out, output in enumerate(self.raw.tables, start=first_out):
            report = TableReport(output.table)
            self.report.tables.append(report)
            self.accounts.tables[out, self.file] = report
            self.outputs.append((out, Transform.of(self.mapping.mapping, self.raw, output, numbers), report))
            if output.table == "activities" and "activity_id" not in output.columns:
                self.accounts.hashed.append(out)

    def read(self, progress: Progress) -> FileReport:
        """Stream the file."""
        wanted = list(raw_columns(self.mapping.mapping, self.raw))
        keys: frozenset[str] | None = None
        for batch in self.opened.batches(wanted):
            self._take(batch)
            progress(self.name, self.report.rows)
            keys = batch.keys
        if keys is not None and self.report.rows > self.report.malformed:
            _check_columns(self.mapping, self.raw, self.opened, sorted(keys))
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
        report.read(rows.unreadable, rows.cleared)
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
