"""`leadlight shift`: check, apply, undo."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.command_line import EXIT_PROBLEM, JsonOption, WorkspaceOption, print_json, say
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.shift_serve import Watched

KnownFromOption = Annotated[
    str | None,
    typer.Option("--known-from", help="First as_of of the matured snapshots to compare with.", show_default="the cut"),
]
AgainOption = Annotated[
    bool,
    typer.Option("--again", help="Count snapshots that were known when the last correction was taken back, too."),
]


def register(app: typer.Typer) -> None:
    """Add the group of verbs."""
    group = typer.Typer(no_args_is_help=True, help="A base rate that changed: found in recent scores, and corrected.")
    group.callback()(lambda: None)
    group.command("check")(check)
    group.command("apply")(apply)
    group.command("undo")(undo)
    app.add_typer(group, name="shift")


def check(
    *,
    known_from: KnownFromOption = None,
    again: AgainOption = False,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Look for a changed base rate in recent scores; where a correction is in force, at the outcomes. Changes nothing.

    One look a week is due; until the next one the answer is the same. Exit status 1: an alarm, or a correction that
    outcomes disprove.

    Example: leadlight shift check
    """
    from training import shift_serve

    _looked(partial(shift_serve.check, again=again), workspace, known_from, as_json=as_json)


def apply(
    *,
    known_from: KnownFromOption = None,
    again: AgainOption = False,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Do what `check` finds: correct after an alarm, take a correction back that outcomes disprove, else nothing.

    Meant to run daily. A correction is a bundle of its own beside the one that it corrects. After one was taken back
    only later snapshots count, and odds are not changed tenfold.

    Example: leadlight shift apply --known-from 2026-01-01
    """
    from training import shift_serve

    _looked(partial(shift_serve.apply, again=again), workspace, known_from, as_json=as_json)


def undo(
    *,
    because: Annotated[str | None, typer.Option(help="Why; kept in the history.")] = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Take the correction in force back: the bundle that it was made from serves again, exactly as it was.

    Example: leadlight shift undo --because "it was one large trade fair"
    """
    from training import shift_serve

    room = Workspace.at(workspace)
    _conclude(room, shift_serve.undo(room, because=because), as_json=as_json)


def _looked(look: "Callable[..., Watched]", workspace: Path, known_from: str | None, *, as_json: bool) -> None:
    from leadlight.instants import parse

    room = Workspace.at(workspace)
    say("shift: score recent and matured snapshots")
    start = None if known_from is None else parse(known_from, "--known-from")
    _conclude(room, look(room, known_from=start), as_json=as_json)


def _conclude(room: Workspace, found: "Watched", *, as_json: bool) -> None:
    """Write the report, print what was found and done, and exit 1 where something is left to be done."""
    answer = found.to_json()
    room.write_report("shift.json", answer)
    if as_json:
        print_json(answer)
    else:
        _show(found)
    for note in found.followed.notes():
        say(f"note: {note}")
    if found.problem:
        raise typer.Exit(EXIT_PROBLEM)


def _show(found: "Watched") -> None:
    from leadlight.instants import iso

    seen, verdict = found.look, found.verdict
    if seen is not None:
        print(
            f"bundle {found.bundle}, look {seen.turn.number} (the next one is due {iso(seen.turn.following)}): "
            f"{seen.found.scores:,} recent snapshots ({iso(seen.since)} to {iso(seen.turn.until)}) "
            f"against {seen.matured:,} matured ones (from {iso(seen.known_from)})"
        )
        alarm = f"ALARM, {seen.found.log_odds:+.2f} log-odds: " if seen.found.alarm else "no alarm: "
        print(alarm + seen.found.why)
        if not seen.found.alarm:
            print(f"this {seen.found.assumption}")
    elif found.log_odds:
        print(f"bundle {found.bundle}: corrected by {found.log_odds:+.2f} log-odds")
    if verdict is not None:
        print(verdict.why)
    print(found.why)
    if found.card is not None:
        print(f"-> {found.card}")
