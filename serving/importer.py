"""Workspace tables -> store, in a process of its own: reading Parquet needs libraries that the service never loads.

    python -m serving.importer WORKSPACE      (the database URL, if not the workspace's own, in LEADLIGHT_DATABASE_URL)

`bring_up_to_date` starts it where the store does not hold the workspace's current generation yet.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from leadlight.errors import LeadlightError, ServiceError, WorkspaceError
from leadlight.schema import TABLES, TableName
from leadlight.workspace import TablesInfo, Workspace
from serving import clock
from serving.store import imports
from serving.store.database import Store, open_store
from serving.store.tables import ACTIVITIES, CHANGES, LEADS, STAGES

if TYPE_CHECKING:
    import polars as pl

URL_VARIABLE: Final = "LEADLIGHT_DATABASE_URL"
CHUNK: Final = 20_000
# Tables in the order of their import; activities, by far the longest, last.
TARGETS: Final[dict[TableName, Table]] = {
    "leads": LEADS,
    "stages": STAGES,
    "attribute_changes": CHANGES,
    "activities": ACTIVITIES,
}
Rows = list[tuple[Any, ...]]
Progress = Callable[[str, int], None]


def needed(store: Store, workspace: Workspace) -> bool:
    """Tell whether the workspace has tables that the store does not hold."""
    return workspace.has_tables() and imports.newest(store) != workspace.tables_info().generation


def bring_up_to_date(store: Store, workspace: Workspace, database_url: str | None) -> bool:
    """Import the workspace's tables in another process, unless they are there; its progress goes to our stderr.

    Returns:
        Whether anything was imported.

    Raises:
        ServiceError: the import failed; the store is as before.
    """
    if not needed(store, workspace):
        return False
    environment = {key: value for key, value in os.environ.items() if key != URL_VARIABLE}
    if database_url is not None:
        environment[URL_VARIABLE] = database_url
    # `-P`: modules come from where this one lies and from what is installed, never from the folder that we stand in
    ours = str(Path(__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (ours, environment.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "serving.importer", str(workspace.root)]
    with subprocess.Popen(command, env=environment, stdout=sys.stderr) as process:  # noqa: S603  (our own module)
        try:
            status = process.wait()
        finally:
            process.terminate()
    if status != 0:
        raise ServiceError(
            f"the workspace's tables could not be imported (see above); the store of `{workspace.root}` is as before"
        )
    return True


def import_tables(store: Store, workspace: Workspace, progress: Progress) -> dict[str, int]:
    """Replace what earlier imports brought by the workspace's current tables, in one transaction.

    Args:
        store: where to.
        workspace: where from.
        progress: told the table and the number of its rows as they are written.

    Returns:
        Number of rows by table.

    Raises:
        WorkspaceError: nothing was ingested, or a table is gone or damaged.
    """
    info = workspace.tables_info()
    with store.writing() as connection:
        imports.clear(connection)
        rows: dict[str, int] = {}
        for name, table in TARGETS.items():
            chunks = _told(_chunks(workspace, info, name), name, progress)
            rows[name] = imports.add(connection, table, table.columns.keys(), chunks)
        imports.finish(connection, info.generation, clock.now(), rows)
    return rows


def _told(chunks: Iterator[Rows], name: str, progress: Progress) -> Iterator[Rows]:
    for chunk in chunks:
        yield chunk
        progress(name, len(chunk))


def _chunks(workspace: Workspace, info: TablesInfo, name: TableName) -> Iterator[Rows]:
    """Read a table as rows of the store, sorted so that a lead's activities lie side by side in the file."""
    import polars as pl  # noqa: PLC0415  (this process only)

    order = {"activities": ["lead_id", "occurred_at", "activity_id"]}.get(name, ["lead_id"])
    try:
        frame = _columns(workspace.scan(name), name, info).sort(order).collect()
    except pl.exceptions.PolarsError as damaged:
        raise WorkspaceError(f"table `{name}` of generation {info.generation} cannot be read: {damaged}") from damaged
    for part in frame.iter_slices(CHUNK):
        yield _lead_rows(part) if name == "leads" else part.rows()


def _columns(frame: "pl.LazyFrame", name: TableName, info: TablesInfo) -> "pl.LazyFrame":
    import polars as pl  # noqa: PLC0415

    columns = []
    for column, kind in TABLES[name].items():
        if column not in TARGETS[name].columns:
            continue
        value = pl.col(column)
        if kind == "instant":
            value = value.dt.cast_time_unit("us").cast(pl.Int64)
        columns.append(value.fill_nan(None) if kind == "number" else value)
    if name == "leads":
        for attribute in info.attributes:
            value = pl.col(attribute.name)
            number = attribute.kind == "number"
            columns.append(value.cast(pl.Float64).fill_nan(None) if number else value.cast(pl.String))
    if name == "activities":
        columns.append(pl.lit("tables").alias("origin"))
    return frame.select(columns)


def _lead_rows(part: "pl.DataFrame") -> Rows:
    names = part.columns[3:]
    return [
        (lead_id, created_at, account_id, json.dumps(dict(zip(names, attributes, strict=True)), ensure_ascii=False))
        for lead_id, created_at, account_id, *attributes in part.iter_rows()
    ]


def main(arguments: list[str]) -> int:
    """Import one workspace's tables; give the exit status."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    workspace = Workspace.at(arguments[0])
    try:
        store = open_store(os.environ.get(URL_VARIABLE) or workspace.serve_db)
        with Bars(console=Console(stderr=True), transient=True) as bars:
            info = workspace.tables_info()
            tasks = {name: bars.add_task(f"import {name}", total=info.rows.get(name)) for name in TARGETS}
            import_tables(store, workspace, lambda name, rows: bars.advance(tasks[name], rows))  # type: ignore[index]
        store.close()
    except (LeadlightError, SQLAlchemyError) as failed:
        print(f"error: {str(failed).splitlines()[0]}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
