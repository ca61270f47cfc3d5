"""`leadlight features build`: a table of features from the workspace, in full or only where data is new."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import typer

from features.build_options import (
    AgesOption,
    AsOfOption,
    BeforeOption,
    CatalogOption,
    EngineOption,
    HygieneOption,
    IncrementalOption,
    MasterOption,
    MemoryLimitOption,
    OnActivityOption,
    OutOption,
    StartOption,
    UntilOption,
)
from leadlight.command_line import JsonOption, WorkspaceOption
from leadlight.errors import InputError, LeadlightError
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from features.asked import Asked
    from features.building import Report
    from features.engines.base import Engine

DEFAULT_NAME = "default"


def register(group: typer.Typer) -> None:
    """Add the verb to the group `features`."""
    group.command("build")(build)


def build(
    *,
    engine: EngineOption = "polars",
    catalog: CatalogOption = None,
    before: BeforeOption = None,
    ages: AgesOption = None,
    on_activity: OnActivityOption = False,
    as_of: AsOfOption = None,
    start: StartOption = None,
    until: UntilOption = None,
    out: OutOption = None,
    memory_limit: MemoryLimitOption = None,
    master: MasterOption = None,
    hygiene: HygieneOption = True,
    incremental: IncrementalOption = False,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Compute a table of features: one row per lead and instant, as Parquet.

    With --incremental the catalog and the snapshots are those of the table that is there. Where others are given (also
    by another --before), or it is not known what changed since, the table is built in full, and the answer says why.

    Example: leadlight features build --ages 1d,7d,30d --out features.d

    Example: leadlight features build --engine duckdb --memory-limit 4GB --as-of end

    Example: leadlight features build --incremental --json
    """
    from features import building
    from features.catalog import load_settings
    from features.engines import registry
    from leadlight.instants import parse

    settings = None if catalog is None else load_settings(catalog)
    if before is not None and settings is not None and settings.only is not None:
        raise InputError(f"--before is for a suggested catalog, and {catalog} is a whole one; leave one out")
    options = building.Options(
        engine=_engine(engine, memory_limit, master),
        settings=settings,
        before=None if before is None else parse(before, "--before"),
        asked=_asked(ages, as_of, start, until, on_activity=on_activity),
        hygiene=hygiene,
        incremental=incremental,
    )
    room = Workspace.at(workspace)
    with _terminable(), registry.errors(options.engine), _progress() as progress:
        report = building.build(room, room.features_path(DEFAULT_NAME) if out is None else out, options, progress)
    _show(report)
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False, allow_nan=False))


def _engine(name: str, memory_limit: str | None, master: str | None) -> "Engine":
    from features.engines import registry

    given = {"memory_limit": memory_limit, "master": master}
    of_engine = {"memory_limit": "duckdb", "master": "pyspark"}
    for option, value in given.items():
        if value is not None and of_engine[option] != name:
            raise InputError(f"--{option.replace('_', '-')} is for --engine {of_engine[option]}; leave it out")
    options = {option: value for option, value in given.items() if value is not None}
    return registry.get(name, **options)


def _asked(
    ages: str | None, as_of: str | None, start: str | None, until: str | None, *, on_activity: bool
) -> "Asked | None":
    """Give which snapshots are asked for; None where nothing was said."""
    from features.asked import Asked
    from leadlight.durations import parse_ages
    from leadlight.instants import parse

    if (ages is not None) + (as_of is not None) + on_activity > 1:
        raise InputError("give one of --ages, --on-activity and --as-of")
    span = (None if start is None else parse(start, "--from"), None if until is None else parse(until, "--until"))
    if as_of is not None:
        if span != (None, None):
            raise InputError("--from and --until go with --ages and --on-activity; leave them out")
        return Asked("instant", as_of=None if as_of == "end" else parse(as_of, "--as-of"))
    if on_activity:
        return Asked("activity", start=span[0], end=span[1])
    if ages is not None:
        return Asked("ages", parse_ages(ages), start=span[0], end=span[1])
    return None if span == (None, None) else Asked(start=span[0], end=span[1])


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a SIGTERM end the work as an error does, so that nothing half-written stays."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise LeadlightError("stopped by SIGTERM; nothing is half-written, and an older table is as it was")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show on stderr how many activities are done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("features", total=None)
        yield lambda done, total: bar.update(
            task, completed=done, total=total, description=f"{done:,} of {total:,} activities"
        )


def _show(report: "Report") -> None:
    def say(text: str) -> None:
        print(text, file=sys.stderr)

    for warning in report.warnings:
        say(f"note: {warning}")
    if report.anew_because:
        say(f"note: built in full: {report.anew_because}")
    for table, causes in report.set_aside.items():
        if causes:
            told = ", ".join(f"{number:,} {cause}" for cause, number in causes.items())
            say(f"set aside of {table}: {told}")
    how = f"{report.computed:,} of {report.rows:,} rows computed" if report.update else f"{report.rows:,} rows"
    say(f"{how}, {report.features} features, {report.activities:,} activities read, by {report.engine} in "
        f"{report.seconds:.1f} s -> {report.out}")  # fmt: skip
