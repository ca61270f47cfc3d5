"""`leadlight audit`: which columns and activity types know what they are asked to foresee."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from leadlight.command_line import EXIT_PROBLEM, JsonOption, WorkspaceOption, print_json
from leadlight.workspace import Workspace
from training.train_options import CardOption

if TYPE_CHECKING:
    from training.audit import Audit

WIDTH: Final = 118


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("audit")(audit)


def audit(
    *,
    target: Annotated[str, typer.Option(help="The stage to be predicted: sql, opportunity or customer.")],
    test_from: Annotated[
        str,
        typer.Option("--test-from", help="The cut: a date or instant (UTC), or a share of the leads such as 70%."),
    ] = "70%",
    horizon: Annotated[
        str | None,
        typer.Option(help="Within which time, such as 60d.", show_default="from dwell times before the cut"),
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="A suspect column or activity type to use all the same; with --because.")
    ] = None,
    because: Annotated[list[str] | None, typer.Option(help="Why the --allow before it is right.")] = None,
    card: CardOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the folds.")] = 0,
    hygiene: Annotated[
        bool, typer.Option("--hygiene/--no-hygiene", help="Set duplicates, scanners and the like aside first.")
    ] = True,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Look for leaks: attributes and activity types that tell the outcome because they were written by it.

    What may not become a feature may give no points either: rules of the card that read it are named.

    Exit status 1: something is suspect or a leak, and not allowed.

    Example: leadlight audit --target customer --test-from 2026-03-01 --allow budget --because "asked in the first call"
    """
    from rules import parse
    from training import audit_card, audit_gate, audit_run

    room = Workspace.at(workspace)
    allowed = audit_gate.allowances(allow or (), because or ())
    found = audit_run.audit_workspace(
        room, target=target, test_from=test_from, horizon=horizon, seed=seed, hygiene=hygiene
    )
    audit_gate.check_allowed(found, allowed)
    _, left_out = audit_card.reduced(parse.chosen(card, room.card), found, allowed)
    if as_json:
        print_json(found.to_json(allowed) | {audit_card.KEY: [one.to_json() for one in left_out]})
    else:
        _show(found, allowed)
        for one in left_out:
            print(textwrap.fill(one.why, WIDTH))
    if found.problems(allowed):
        raise typer.Exit(EXIT_PROBLEM)


def _show(found: "Audit", allowed: dict[str, str]) -> None:
    print(
        f"{found.leads:,} leads before the cut: {found.won:,} reached `{found.target}`, {found.lost:,} lost, "
        f"{found.open:,} open"
    )
    wide = max((len(one.name) for one in found.findings), default=0)
    for one in found.findings:
        verdict = "allowed" if one.name in allowed and one.verdict == "suspect" else one.verdict
        why = f"{one.why}; allowed: {allowed[one.name]}" if verdict == "allowed" else one.why
        begin = f"{verdict:<8} {one.kind:<10} {one.name:<{wide}}  "
        print(textwrap.fill(why, WIDTH, initial_indent=begin, subsequent_indent=" " * len(begin)))
    problems = found.problems(allowed)
    if problems:
        print(f"{len(problems)} of {len(found.findings)} are left out or must be looked at")
