"""`leadlight models`: list, compare, promote, rollback, sync."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadlight.command_line import EXIT_PROBLEM, JsonOption, WorkspaceOption, print_json, say
from leadlight.errors import BundleMissingError, InputError
from leadlight.workspace import Workspace

if TYPE_CHECKING:
    from training.promotion import Promoted
    from training.track import Followed
    from training.versus import Versus

BundleArgument = Annotated[str, typer.Argument(help="Version of a bundle.")]


def register(app: typer.Typer) -> None:
    """Add the group of verbs."""
    group = typer.Typer(no_args_is_help=True, help="The bundles of a workspace, and which of them serves.")
    group.callback()(lambda: None)
    group.command("list")(list_models)
    group.command("compare")(compare)
    group.command("promote")(promote)
    group.command("rollback")(rollback)
    group.command("sync")(sync)
    app.add_typer(group, name="models")


def list_models(*, workspace: WorkspaceOption = Path("workspace"), as_json: JsonOption = False) -> None:
    """List the bundles, newest first: what they are, how they did, their audit and MLflow run, and which one serves.

    Exit 1 where the bundle that serves cannot be trusted.

    Example: leadlight models list
    """
    from training import models, models_show, track

    room = Workspace.at(workspace)
    followed = track.follow(room)
    found = models.listed(room)
    _tell(followed)
    if as_json:
        print_json(
            {
                "current": next((m.version for m in found if m.current), None),
                "champion": next((m.version for m in found if m.champion), None),
                "models": [m.to_json() for m in found],
                "mlflow": followed.to_json(),
            }
        )
    else:
        models_show.show_models(found)
    if any(line.current and line.state != "ok" for line in found):
        raise typer.Exit(EXIT_PROBLEM)


def compare(
    a: BundleArgument,
    b: Annotated[
        str | None, typer.Argument(help="Version of the other bundle.", show_default="the one that serves")
    ] = None,
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", help="First as_of: a date or an instant (UTC).", show_default="the later of both cuts"),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="as_of lies before it.", show_default="end of record")] = None,
    ages: Annotated[
        str | None, typer.Option(help="Ages of the snapshots: 1d,7d,14d.", show_default="those both were tested on")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals.")] = 0,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Compare two bundles on the same newest snapshots, which neither has learnt from, with paired intervals.

    Example: leadlight models compare 20260401T090000-lightgbm-4d5e6f 20260301T090000-lightgbm-1a2b3c
    """
    from leadlight import durations, instants
    from scoring import chosen
    from training import track, versus

    room = Workspace.at(workspace)
    first, second = chosen.load(room, a), chosen.load(room, b)
    if first.version == second.version:
        raise InputError(f"`{a}` is the same bundle twice; name two (without the second: the one that serves)")
    say(f"compare: {first.version} with {second.version} on the same snapshots")
    found = versus.compare(
        room,
        first,
        second,
        start=None if start is None else instants.parse(start, "--from"),
        end=None if end is None else instants.parse(end, "--to"),
        ages_us=None if ages is None else durations.parse_ages(ages),
        seed=seed,
    )
    _tell(track.follow(room))
    _tell_versus(found, as_json=as_json)


def _tell_versus(found: "Versus", *, as_json: bool) -> None:
    """Print a comparison, and say where it can tell nothing."""
    from training import models_show

    if not found.told():
        say("note: nothing can be said: a comparison needs mature snapshots of both outcomes; choose a longer period")
    if as_json:
        print_json(found.to_json())
        return
    models_show.show_versus(found)


def promote(
    version: BundleArgument,
    *,
    because: Annotated[
        str | None,
        typer.Option(help="Why it should serve against the evidence; kept in the history. No reason overrides a leak."),
    ] = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Let a bundle serve if it is not worse than the champion beyond noise and no leak is open; else exit 1, and why.

    Example: leadlight models promote 20260301T090000-lightgbm-1a2b3c
    """
    from training import promotion

    room = Workspace.at(workspace)
    say(f"promote: {version} against what serves, on the newest snapshots")
    _conclude(promotion.promote(room, version, because=because), as_json=as_json)


def rollback(*, workspace: WorkspaceOption = Path("workspace"), as_json: JsonOption = False) -> None:
    """Let the previous bundle serve again; repeated, the one before that.

    Example: leadlight models rollback
    """
    from training import promotion

    _conclude(promotion.rollback(Workspace.at(workspace)), as_json=as_json)


def sync(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Send also runs that wait for another address than the present one.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Move the aliases of registered models that another workspace holds.")
    ] = False,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Send the runs that wait to MLflow, and put its aliases where the pointer is; exit 1 where that fails.

    Example: MLFLOW_TRACKING_URI=http://127.0.0.1:5000 leadlight models sync
    """
    from training import track

    room = Workspace.at(workspace)
    if not room.bundle_versions():
        raise BundleMissingError.none_current(room.root)
    found = track.follow(room, thorough=True, everything=everything, take_over=take_over)
    _tell(found)
    if as_json:
        print_json(found.to_json())
    else:
        for version in found.sent:
            print(f"sent {version} to {found.address}")
        if not found.sent and found.problem is None:
            print(f"nothing was waiting for {found.address}; its aliases follow what serves")
    if found.problem is not None:
        raise typer.Exit(EXIT_PROBLEM)


def _conclude(done: "Promoted", *, as_json: bool) -> None:
    """Print what a promotion did, and exit 1 where it was refused."""
    from training import models_show

    if as_json:
        print_json(done.to_json())
    else:
        models_show.show_promoted(done)
    _tell(done.followed)
    if not done.promoted or done.judged.leaks:
        raise typer.Exit(EXIT_PROBLEM)


def _tell(followed: "Followed") -> None:
    """Warn where MLflow is behind; that changes no exit status, because the pointer alone decides what serves."""
    for note in followed.notes():
        say(f"note: {note}")
