"""`leadlight train` and `leadlight evaluate`; `leadlight models` is in `training.models_cli`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadlight.command_line import JsonOption, WorkspaceOption, print_json, say
from leadlight.errors import InputError
from leadlight.workspace import TablesInfo, Workspace
from training import audit_cli, models_cli, shift_cli
from training.train_options import (
    AgesOption,
    AllowOption,
    BecauseOption,
    CardOption,
    FeaturesOption,
    HorizonOption,
    HygieneOption,
    IsotonicOption,
    MonotoneOption,
    PriceOption,
    ReferenceOption,
    RungOption,
    SecondsOption,
    SeedOption,
    SegmentOption,
    StudiesOption,
    TargetOption,
    TestFromOption,
    TrackOption,
    TrialsOption,
    UntilOption,
)

if TYPE_CHECKING:
    from training.assess import Assessed
    from training.options import Options
    from training.pipeline import Trained
    from training.promotion import Settled
    from training.track import Tracked


def register(app: typer.Typer) -> None:
    """Add the verbs of this package."""
    app.command("train")(train)
    app.command("evaluate")(evaluate)
    audit_cli.register(app)
    models_cli.register(app)
    shift_cli.register(app)


def train(
    *,
    target: TargetOption,
    test_from: TestFromOption = "70%",
    horizon: HorizonOption = None,
    until: UntilOption = None,
    ages: AgesOption = None,
    card: CardOption = None,
    trials: TrialsOption = 15,
    seconds: SecondsOption = None,
    seed: SeedOption = 0,
    reference: ReferenceOption = None,
    features: FeaturesOption = None,
    allow: AllowOption = None,
    because: BecauseOption = None,
    rung: RungOption = None,
    segment: SegmentOption = None,
    isotonic: IsotonicOption = False,
    monotone: MonotoneOption = None,
    price: PriceOption = None,
    studies: StudiesOption = None,
    hygiene: HygieneOption = True,
    track: TrackOption = True,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Train a model on won/lost history, compare it with the rules on later leads, and let the better one serve.

    Example: leadlight train --target sql --horizon 60d --test-from 2026-03-01 --ages 1d,7d,14d
    """
    from features import catalog
    from leadlight import durations
    from rules import parse
    from training import audit_gate
    from training import monotone as monotony
    from training.options import Options, parse_cut

    room = Workspace.at(workspace)
    info = room.tables_info()
    _refuse_clockless(info, horizon=horizon, ages=ages)
    options = Options(
        target=target.value,
        test_from=parse_cut(test_from),
        card=parse.chosen(card, room.card),
        horizon_us=None if horizon is None else durations.parse(horizon, "--horizon"),
        until=None if until is None else _instant(until, "--until"),
        ages_us=() if ages is None else durations.parse_ages(ages),
        trials=trials,
        seconds=seconds,
        seed=seed,
        reference=_checked_reference(reference),
        features=catalog.CatalogSettings() if features is None else catalog.load_settings(features),
        allow=audit_gate.allowances(allow or (), because or ()),
        hygiene=hygiene,
        rung=None if rung is None else rung.value,
        isotonic=isotonic,
        segment=segment,
        monotone=monotony.parse(monotone or ()),
        price=price,
        studies=studies,
    )
    _train(room, options, track=track, as_json=as_json)


def _train(room: Workspace, options: "Options", *, track: bool, as_json: bool) -> None:
    """Train, settle what serves, track the run, and tell."""
    from training import kept_horizon, pipeline, promotion, show
    from training.track import Followed, Tracked
    from training.track import log as track_run

    with _watched() as (say, progress):
        options, kept = kept_horizon.keep(room, options)
        if kept is not None:
            say(kept)
        trained = pipeline.train(room, options, say=say, progress=progress)
        settled = promotion.settle(room, trained)
        tracked = Tracked(None, Followed())
        if track:
            say("track: parameters, metrics, plots and bundle into MLflow")
            tracked = track_run(room, trained, options, reports=[] if trained.card is None else [trained.card])
    if as_json:
        print_json(_training_json(trained, settled, tracked))
    else:
        show.show_training(room, trained, settled, tracked.run)
    for note in tracked.followed.notes():  # the bundle is on disk: no reason to exit by another status
        say(f"note: {note}")
    if trained.card_problem is not None:
        say(f"note: {trained.card_problem}")
        raise typer.Exit(1)


def evaluate(
    *,
    start: Annotated[str, typer.Option("--from", help="First as_of: a date or an instant (UTC).")],
    end: Annotated[str | None, typer.Option("--to", help="as_of lies before it.", show_default="end of record")] = None,
    ages: Annotated[
        str | None, typer.Option(help="Ages of the snapshots: 1d,7d,14d.", show_default="those of the training")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--bundle", help="Version of a bundle.", show_default="the current one")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Parquet file for label, probability and rules of every snapshot.")
    ] = None,
    workspace: WorkspaceOption = Path("workspace"),
    as_json: JsonOption = False,
) -> None:
    """Measure a finished bundle against the rules and the base rate in another period.

    Example: leadlight evaluate --from 2026-03-01 --to 2026-05-01 --ages 1d,7d,14d --predictions predictions.parquet
    """
    from leadlight import durations
    from scoring import chosen
    from training import assess
    from training.predictions import check_name, write_predictions

    room = Workspace.at(workspace)
    info = room.tables_info()
    _refuse_clockless(info, ages=ages)
    begin = _instant(start, "--from")
    stop = info.observed_until + 1 if end is None else _instant(end, "--to")
    chosen_ages = None if ages is None else durations.parse_ages(ages)
    if predictions is not None:
        check_name(predictions)
    bundle = chosen.load(room, version)
    say(f"evaluate: bundle {bundle.version} on snapshots from {start} on")
    found = assess.assess(room, bundle, begin, stop, ages_us=chosen_ages)
    if predictions is not None:
        write_predictions(found.predictions, predictions)
    _tell_assessment(room, found, predictions, as_json=as_json)


def _tell_assessment(room: Workspace, found: "Assessed", predictions: Path | None, *, as_json: bool) -> None:
    """Write the report and print it; `predictions` is the file that was written beside it, or None."""
    from training import show

    answer = found.to_json()
    report = room.write_report("evaluation.json", answer)
    for note in found.notes:
        say(f"note: {note}")
    if as_json:
        print_json(answer | {"report": str(report), "predictions": None if predictions is None else str(predictions)})
        return
    show.show_assessment(found)
    print(f"-> {report}" + ("" if predictions is None else f", {predictions}"))


def _training_json(trained: "Trained", settled: "Settled", tracked: "Tracked") -> dict[str, Any]:
    from training import record
    from training.comparison import verdict
    from training.show import ages_json, recorded_json, split_json

    comparison = trained.comparison.to_json()
    return {
        "version": trained.bundle.version,
        "kind": trained.bundle.scorer.kind,
        "why": trained.why,
        "target": trained.split.target,
        "split": split_json(trained),
        "n_test": trained.comparison.rows,
        "positives": trained.comparison.positives,
        "metrics": comparison["metrics"],
        "differences": comparison["differences"],
        "ece_by_age": ages_json(trained.comparison),
        "verdict": verdict(trained.comparison, who=record.called(trained.bundle)),
        "better_than_rules": trained.better_than_rules,
        "current": settled.current,
        "current_why": settled.why,
        "champion_comparison": None if settled.versus is None else settled.versus.to_json(),
        "run_id": None if tracked.run is None else tracked.run.run_id,
        "model_version": None if tracked.run is None else tracked.run.model_version,
        "tracking_error": tracked.followed.problem,
        "card_problem": trained.card_problem,
        "seconds": trained.seconds,
        "reasons_max_error": trained.reasons_max_error,
        "hygiene": (trained.bundle.training["hygiene"] or {}).get("set_aside"),
        **recorded_json(trained.bundle),
    }


def _instant(text: str, option: str) -> int:
    from leadlight.instants import parse

    return parse(text, option)


def _checked_reference(reference: float | None) -> float | None:
    if reference is not None and not 0 < reference < 1:
        raise InputError(f"--reference {reference:g}: must be a probability between 0 and 1, such as 0.3")
    return reference


def _refuse_clockless(info: TablesInfo, **given: str | None) -> None:
    """Refuse options that mean times where the data has none."""
    for name, value in given.items():
        if info.clock == "order" and value is not None:
            raise InputError(
                f"--{name} {value}: this data has an order but no clock; every lead is seen once, at its creation, and "
                f"the horizon is `ever`; leave --{name} out"
            )


@contextmanager
def _watched() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Yield (say, progress) that write on stderr: lines, and a bar that is called by the first word of the last one."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)

        def say(text: str) -> None:
            bar.update(task, description=text.partition(":")[0], visible=False)
            bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield say, progress
