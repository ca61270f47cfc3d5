"""The verb `simulate`."""

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.errors import InputError

if TYPE_CHECKING:
    from leadlight.simulate.record import Options


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command(name="simulate")(simulate_command)


def simulate_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the market.", show_default=False)],
    *,
    leads: Annotated[int, typer.Option(help="Number of leads.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    start: Annotated[str, typer.Option(metavar="DATE", help="First day of the record.")] = "2024-04-01",
    months: Annotated[float, typer.Option(help="Length of the record.")] = 18.0,
    drift: Annotated[
        float,
        typer.Option(help="Log of the change of activity rates over the period: half of the kinds grow, half shrink."),
    ] = 0.0,
    base_rate_shift: Annotated[
        float, typer.Option(help="Factor on the pace of the funnel in the last third of the period; 1 = none.")
    ] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a market that is in DIR.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Simulate a B2B market whose true probabilities are known, as raw CRM files with their mapping.

    Writes DIR/raw (the files of an export), DIR/mapping.yaml (for `leadlight ingest`) and DIR/truth (what evaluation
    may look at, and nothing else).

    Example: leadlight simulate market --leads 20000 --seed 1 && leadlight ingest market/mapping.yaml --data market/raw
    """
    from leadlight.simulate.record import Options

    try:
        first_day = datetime.fromisoformat(start).date()
    except ValueError as wrong:
        raise InputError(f"--start `{start}` is not a date; write it as 2024-04-01") from wrong
    options = Options(leads, seed, first_day, months, drift, base_rate_shift)
    summary = write_market(folder, options, replace=force)
    if as_json:
        print(json.dumps(summary))


def write_market(folder: Path, options: "Options", *, replace: bool = False) -> dict[str, Any]:
    """Simulate a market and write it whole or not at all.

    Args:
        folder: where to; it must not exist or be empty, or hold a market if `replace`.
        options: what to simulate.
        replace: whether a market that is there already may go.

    Returns:
        What was written: folder, leads, activities, rows, stage entries, seconds.

    Raises:
        InputError: the folder holds something else, or a market and not `replace`.
    """
    import numpy as np
    from rich.console import Console

    from leadlight.simulate.defaults import default_market
    from leadlight.simulate.noise import add_noise
    from leadlight.simulate.raw import write_mapping, write_raw
    from leadlight.simulate.record import run
    from leadlight.simulate.truth import write_truth
    from leadlight.workspace import folder_atomically

    began = time.perf_counter()
    _make_room(folder, replace=replace)
    market = default_market()
    noise, words = (np.random.default_rng([options.seed, stream]) for stream in (1, 2))
    with Console(stderr=True).status(f"simulating {options.leads:,} leads") as status:
        record = run(market, options)
        activities = add_noise(record, noise)
        status.update(f"writing {len(activities.lead):,} activities")
        with folder_atomically(folder) as fresh:
            (fresh / "raw").mkdir()
            (fresh / "truth").mkdir()
            write_raw(fresh / "raw", market, record, activities, words)
            write_mapping(fresh / "mapping.yaml", record)
            write_truth(fresh / "truth", market, record)
    summary = {
        "folder": str(folder),
        "leads": options.leads,
        "companies": len(record.people.company_codes),
        "activities": len(record.lead),
        "raw_rows": len(activities.lead),
        "stage_entries": len(record.move_lead) + options.leads,
        "observed_until": datetime.fromtimestamp(options.observed_until_us / 1_000_000, UTC).isoformat(),
        "seconds": round(time.perf_counter() - began, 2),
    }
    typer.echo(
        f"{folder}: {summary['leads']:,} leads, {summary['activities']:,} activities, {summary['seconds']} s", err=True
    )
    return summary


def _make_room(folder: Path, *, replace: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder")
    holds = {path.name for path in folder.iterdir()}
    if not holds:
        folder.rmdir()
    elif not replace:
        raise InputError(f"{folder} is not empty; choose another DIR or replace the market in it with --force")
    elif not holds <= {"raw", "truth", "mapping.yaml"}:
        other = sorted(holds - {"raw", "truth", "mapping.yaml"})[0]
        raise InputError(f"{folder} holds `{other}`, which is not of a simulated market; choose another DIR")
    else:
        shutil.rmtree(folder)
