"""`leadlight features hygiene`: what is set aside before any feature, counted, and kept to be looked at."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from leadlight.command_line import JsonOption, WorkspaceOption
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from features.hygiene import Cleaned, Report

# So many leads are named, those first of whose activities most were set aside.
NAMED: Final = 10


def register(group: typer.Typer) -> None:
    """Add the verb to the group `features`."""
    group.command("hygiene")(hygiene)


def hygiene(
    *,
    merges: Annotated[
        Path | None,
        typer.Option(help="Merge map (.csv or .parquet).", show_default="the workspace's merges.parquet or merges.csv"),
    ] = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Count what hygiene sets aside, and write it beside the tables.

    Example: leadlight features hygiene --workspace workspace --json
    """
    from features import hygiene as of_tables

    room = Workspace.at(workspace)
    cleaned = of_tables.of_workspace(room, merges=merges)
    of_tables.write_set_aside(cleaned, room)
    report = cleaned.report()
    leads = most_concerned(cleaned)
    folder = room.set_aside_path("activities", room.tables_info().generation).parent
    if as_json:
        answer = {**report.to_json(), "leads": leads, "written": str(folder)}
        print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
    else:
        _show(report, leads, folder)


def most_concerned(cleaned: "Cleaned") -> list[dict[str, Any]]:
    """Name the leads of whose activities most were set aside: lead_id, set_aside and the commonest cause."""
    import polars as pl

    by_cause = cleaned.set_aside.activities.group_by("lead_id", "cause").agg(n=pl.len())
    by_lead = by_cause.group_by("lead_id").agg(
        set_aside=pl.col("n").sum(), cause=pl.col("cause").sort_by([-pl.col("n").cast(pl.Int64), "cause"]).first()
    )
    named: list[dict[str, Any]] = (
        by_lead.sort(["set_aside", "lead_id"], descending=[True, False]).head(NAMED).collect().to_dicts()
    )
    return named


def _show(report: "Report", leads: list[dict[str, Any]], folder: Path) -> None:
    for table, rows in report.rows.items():
        aside = rows - report.kept[table]
        print(f"{table:<18} {rows:>12,} rows = {report.kept[table]:,} kept + {aside:,} set aside")
        for cause, number in report.set_aside[table].items():
            print(f"  {cause:<20} {number:>8,}")
    if leads:
        named = ", ".join(f"{lead['lead_id']} ({lead['set_aside']:,})" for lead in leads)
        print(f"most concerned: {named}")
    print(f"-> {folder}")
