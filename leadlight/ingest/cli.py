"""The verb `ingest`."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.command_line import JsonOption, WorkspaceOption
from leadlight.errors import InputError
from leadlight.instants import iso

if TYPE_CHECKING:
    from leadlight.ingest.report import FileReport, IngestReport


def register(app: typer.Typer) -> None:
    """Add the kernel's own verbs to the command."""
    app.command(name="ingest")(ingest_command)


def ingest_command(
    mapping: Annotated[Path | None, typer.Argument(help="The mapping file.", show_default=False)] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="The folder of the raw files.", show_default=False)] = None,
    workspace: WorkspaceOption = Path("workspace"),
    suggest: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a first mapping for the raw files in DIR.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --suggest: where to write it; by default stdout.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring raw files into the tables of the workspace.

    Ingesting the same files again changes nothing. Rows that cannot be used are kept in the quarantine with file, row
    and cause; those of leads that are not known yet are tried again at the next ingest. A value of a column of numbers
    that is no number within ±10^15 costs that value alone: it counts as missing, and is counted and shown. The exit
    status is 1 if not one row could be used.

    Example: leadlight ingest examples/bpic2012/mapping.yaml --data data/bpic2012

    Example: leadlight ingest --suggest raw/ --out mapping.yaml
    """
    if suggest is not None:
        _suggest(suggest, out, as_json=as_json)
        return
    if mapping is None or data is None:
        raise InputError("give MAPPING.yaml and --data DIR, or --suggest DIR for a first mapping")
    from leadlight.ingest.pipeline import ingest
    from leadlight.workspace import Workspace

    with _progress() as progress:
        report = ingest(mapping, data, Workspace.at(workspace), progress)
    _show(report)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    if report.nothing_stored:
        raise typer.Exit(1)


def _suggest(folder: Path, out: Path | None, *, as_json: bool) -> None:
    from leadlight.ingest.suggest import suggest_mapping
    from leadlight.workspace import write_text_atomically

    text = suggest_mapping(folder)
    todos = text.count("TODO")
    if out is not None:
        if out.exists():
            raise InputError(f"{out} exists already; choose another --out or remove it")
        write_text_atomically(out, text)
        typer.echo(f"{out}: {todos} guesses marked TODO; check each of them", err=True)
    if as_json:
        print(json.dumps({"out": None if out is None else str(out), "todos": todos, "mapping": text}))
    elif out is None:
        print(text, end="")


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Show on stderr how many records of which file are read."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("ingest")
        yield lambda file, rows: bar.update(task, description=f"{file}: {rows:,} rows")


def _show(report: "IngestReport") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="ingest")
    for heading in ("file", "table", "rows", "stored", "updated", "duplicates", "quarantined"):
        words = heading in {"file", "table"}
        table.add_column(heading, justify="left" if words else "right", overflow="fold" if words else "ellipsis")
    for file in report.files:
        for part in file.tables:
            counts = (part.rows, part.stored, part.updated, part.duplicates, part.quarantined)
            table.add_row(file.file, part.table, *(f"{count:,}" for count in counts))
    console = Console(stderr=True)
    console.print(table)
    for line in _notes(report.files):
        console.print(f"  {line}", highlight=False, markup=False)
    if report.retried.rows:
        left = f"{report.retried.waiting:,} of {report.retried.rows:,} rows from earlier ingests still wait"
        console.print(f"  quarantine: {left}", highlight=False)
    until = f"observed until {iso(report.observed_until)}"
    rows = ", ".join(f"{name} {count:,}" for name, count in report.tables.items())
    told = until if report.clock == "time" else "clock: order, not point in time"
    console.print(f"now: {rows}; {told}; {report.seconds:.1f} s", highlight=False, markup=False)


def _notes(files: "Sequence[FileReport]") -> Iterator[str]:
    """Say what was set aside, what could not be read, and what was left out."""
    for file in files:
        for part in file.tables:
            place = f"{file.file} -> {part.table}"
            yield from (f"{place}: {number:,} x {cause}" for cause, number in part.causes.items())
            yield from (f"{place}: {found.sentence(name)}" for name, found in part.unreadable.items() if found.count)
            if part.cleared.count:
                yield f"{place}: {part.cleared.sentence()}"
        yield from (f"{file.file}: {number:,} x {cause}" for cause, number in file.causes.items())
        if file.left_out:
            yield f"{file.file}: {file.left_out:,} of {file.rows:,} rows are asked for by no table"
