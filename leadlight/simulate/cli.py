"""The verb `simulate`."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from leadlight.command_line import JsonOption
from leadlight.errors import InputError


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
    as_json: JsonOption = False,
) -> None:
    """Simulate a B2B market whose true probabilities are known, as raw CRM files with their mapping.

    Writes DIR/raw (the files of an export), DIR/mapping.yaml (for `leadlight ingest`) and DIR/truth (what evaluation
    may look at, and nothing else).

    Example: leadlight simulate market --leads 20000 --seed 1

    Then: leadlight ingest market/mapping.yaml --data market/raw
    """
    from rich.console import Console

    from leadlight.simulate.record import Options
    from leadlight.simulate.write import write_market

    try:
        first_day = datetime.fromisoformat(start).date()
    except ValueError as wrong:
        raise InputError(f"--start `{start}` is not a date; write it as 2024-04-01") from wrong
    options = Options(leads, seed, first_day, months, drift, base_rate_shift)
    with Console(stderr=True).status("simulating") as status:
        summary = write_market(folder, options, replace=force, say=status.update)
    if as_json:
        print(json.dumps(asdict(summary), ensure_ascii=False))
    typer.echo(
        f"{folder}: {summary.leads:,} leads, {summary.activities:,} activities, {summary.seconds:.1f} s", err=True
    )
