"""`leadlight audit`: which columns and activity types know what they are asked to foresee."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from leadlight.command_line import EXIT_PROBLEM, JsonOption, WorkspaceOption, print_json, say
from leadlight.workspace import Workspace
from training.train_options import (
    AllowOption,
    BecauseOption,
    CardOption,
    HorizonOption,
    HygieneOption,
    SeedOption,
    TargetOption,
    TestFromOption,
)

if TYPE_CHECKING:
    from training.audit import Audit

WIDTH: Final = 118


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("audit")(audit)


def audit(
    *,
    target: TargetOption,
    test_from: TestFromOption = "70%",
    horizon: HorizonOption = None,
    allow: AllowOption = None,
    because: BecauseOption = None,
    card: CardOption = None,
    seed: SeedOption = 0,
    hygiene: HygieneOption = True,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Look for leaks: attributes and activity types that tell the outcome because they were written by it.

    What may not become a feature may give no points either: rules of the card that read it are named.

    Exit status 1: something is suspect or a leak, and not allowed.

    Example: leadlight audit --target customer --test-from 2026-03-01 --allow budget --because "asked in the first call"
    """
    from rules import parse
    from training import asked, audit_card, audit_gate, audit_run

    room = Workspace.at(workspace)
    allowed = audit_gate.allowances(allow or (), because or ())
    found = audit_run.audit_workspace(
        room, target=target.value, test_from=test_from, horizon=horizon, seed=seed, hygiene=hygiene, say=say
    )
    audit_gate.check_allowed(found, allowed)
    for needless in asked.without_effect(found, allowed):
        say(f"note: {needless.told()}")
    allowed = audit_gate.needed(found, allowed)
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
