"""One piece of work in a process of its own, so that its memory is its own: Parquet in, Parquet out.

Usage: python -m benchmarks.features.work NAME WORKSPACE SNAPSHOTS OUT [--master URL] [--old TABLE]

NAME is an engine (polars, duckdb, pandas, pyspark), `handwritten_sql`, `handwritten_polars`, `online`, or what
`leadlight features build` does by itself: `build`, `no_hygiene`, or `update` (of a table given as --old). Prints one
JSON object: `seconds` of the work (without imports and the start of a Spark session), `peak_mb` of the process, `rows`.
"""

import argparse
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks.features import compare, handwritten_polars, question
from features import batch, building, online, store, tables
from features.asked import Asked
from features.catalog import CatalogSettings
from features.engines import base, registry
from features.single.company import Colleagues
from leadlight.errors import InputError
from leadlight.schema import DAY, TableName
from leadlight.timeline import Timeline
from leadlight.workspace import Workspace

TABLES: Final[tuple[TableName, ...]] = ("leads", "activities", "stages", "attribute_changes")


def titles() -> tuple[str, ...]:
    """Give the job titles that the frozen catalog codes."""
    return next(spec.categories for spec in question.specs() if spec.name == "fit.job_title")


def with_polars(workspace: Workspace, snapshots: Path, out: Path) -> None:
    """Run the hand-written Polars."""
    folder = workspace.table_path("leads", workspace.tables_info().generation).parent
    handwritten_polars.build(folder, snapshots, out / "part.parquet", titles())


def with_sql(workspace: Workspace, snapshots: Path, out: Path) -> None:
    """Run the hand-written SQL in DuckDB, with one thread per core."""
    import duckdb  # noqa: PLC0415  (only here)

    values = {
        "{tables}": str(workspace.table_path("leads", workspace.tables_info().generation).parent),
        "{snapshots}": str(snapshots),
        "{out}": str(out / "part.parquet"),
        "{titles}": str(list(titles())),
    }
    query = (question.HERE / "handwritten.sql").read_text(encoding="utf-8")
    for name, value in values.items():
        query = query.replace(name, value)
    with duckdb.connect(config={"threads": os.cpu_count() or 1}) as connection:
        connection.execute(query)


def with_engine(engine: base.Engine, workspace: Workspace, snapshots: Path, out: Path) -> None:
    """Build a table of features with one of the product's engines."""
    batch.build_to(engine, _opened(engine, workspace), pl.read_parquet(snapshots), question.specs(), out)
    _describe(engine, workspace, out)


def with_command(workspace: Workspace, out: Path, *, hygiene: bool = True, incremental: bool = False) -> None:
    """Build or update a table of features as `leadlight features build` does, snapshots and hygiene with it."""
    options = building.Options(
        registry.get("polars"),
        settings=CatalogSettings(only=question.specs()),
        asked=Asked("ages", tuple(days * DAY for days in question.ONE_AGE)),
        hygiene=hygiene,
        incremental=incremental,
    )
    report = building.build(workspace, out, options)
    if report.update != incremental:
        raise InputError(f"the table was built in full, not updated: {report.anew_because}")


def _opened(engine: base.Engine, workspace: Workspace) -> tables.Tables:
    """Open the tables as `leadlight features build` does: what ingestion wrote is known to be in order."""
    info = workspace.tables_info()
    read = engine.read({name: workspace.table_path(name, info.generation) for name in TABLES})
    return replace(read, in_order=info.in_order)


def _describe(engine: base.Engine, workspace: Workspace, out: Path) -> None:
    info = workspace.tables_info()
    store.Info(question.specs(), info.generation, info.observed_until, engine.name, {}, None, {}).write(out)


def with_online(workspace: Workspace, snapshots: Path, out: Path) -> None:
    """Compute every snapshot alone, as the service does, from the records of its lead and its colleagues."""
    specs = question.specs()
    plan = online.Plan(specs)
    records = tables.timelines(tables.read(workspace))
    groups = _colleagues(workspace, records)
    asked = pl.read_parquet(snapshots)
    rows = [plan.row(records[lead], as_of, groups.get(lead, ())) for lead, as_of in asked.iter_rows()]
    found = pl.DataFrame(rows, schema=[spec.name for spec in specs], orient="row").fill_nan(None)
    pl.concat([asked, found], how="horizontal").write_parquet(out / "part.parquet")


def _colleagues(workspace: Workspace, records: dict[str, Timeline]) -> dict[str, Colleagues]:
    """Give for every lead of an account the leads of that account, made ready once."""
    accounts = workspace.scan("leads").filter(pl.col("account_id").is_not_null()).group_by("account_id")
    members = accounts.agg("lead_id").select("lead_id").collect()["lead_id"].to_list()
    return {lead: ready for leads in members for ready in [Colleagues(records[one] for one in leads)] for lead in leads}


def peak_mb() -> int:
    """Give the largest resident size of this process, threads included, in MB (10**6 bytes)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) * 1024 / 1e6) if found else 0


def run(
    name: str, workspace: Workspace, snapshots: Path, out: Path, *, master: str | None = None, old: Path | None = None
) -> float:
    """Do one piece of work and give its seconds."""
    commands = {"build": {}, "no_hygiene": {"hygiene": False}, "update": {"incremental": True}}
    if old is not None:
        shutil.copytree(old, out, copy_function=os.link)
    if name in commands:
        return _seconds(lambda: with_command(workspace, out, **commands[name]))
    out.mkdir(parents=True)
    by_hand = {"handwritten_polars": with_polars, "handwritten_sql": with_sql, "online": with_online}
    if name in by_hand:
        return _seconds(lambda: by_hand[name](workspace, snapshots, out))
    engine = registry.get(name, **({"master": master} if master else {}))
    return _seconds(lambda: with_engine(engine, workspace, snapshots, out))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Read the arguments, work, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("snapshots", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--master", help="of Spark")
    parser.add_argument("--old", type=Path, help="table to update")
    options = parser.parse_args()
    workspace = Workspace.at(options.workspace)
    seconds = run(options.name, workspace, options.snapshots, options.out, master=options.master, old=options.old)
    rows = compare.scan(options.out).select(pl.len()).collect().item()
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "rows": rows}))


if __name__ == "__main__":
    main()
