"""Tracking: every training becomes a run and a registered version in the workspace's own MLflow store.

The only module that imports mlflow, and only inside functions: importing it takes a second. The store is SQLite
(`WORKSPACE/mlflow.db`), artefacts lie beside it (`WORKSPACE/mlartifacts`). Nothing is sent anywhere.

    experiment         leadlight
    run                one per training, named by the version of its bundle
    registered model   leadlight-<target>; each version has the tag `bundle`
    alias champion     the version that serves and beats the rules, if there is one
    alias challenger   the newest version that does not serve

A Booster is logged as LightGBM's text (it loads with pickle off); rules and base rates as their bundle's folder.
"""

import logging
import os
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.errors import TrackingError
from leadlight.instants import iso
from leadlight.schema import Target
from leadlight.workspace import Workspace
from training.comparison import METRICS, Comparison

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from training.options import Options
    from training.pipeline import Trained

EXPERIMENT: Final = "leadlight"
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
# Artefact folder of a run that holds the signed bundle, file for file.
BUNDLE_FOLDER: Final = "bundle"
# Set before mlflow is imported: it would otherwise report its use to its makers.
SILENT: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
NOISY: Final = ("mlflow", "alembic")
# MLflow itself would wait for minutes on a store that another process holds.
LOCK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where a training is found in MLflow.

    Attributes:
        run_id: of the run.
        model_version: number of the registered version.
        uri: what `mlflow.lightgbm.load_model` (or for kinds without a model, `mlflow.artifacts`) takes.
    """

    run_id: str
    model_version: str
    uri: str


def model_name(target: Target) -> str:
    """Give the registered model of a target.

    >>> model_name("sql")
    'leadlight-sql'
    """
    return f"{EXPERIMENT}-{target}"


def log(workspace: Workspace, trained: "Trained", options: "Options", *, champion: bool) -> TrackedRun:
    """Write a training into the workspace's store: parameters, split dates, metrics, plots, bundle, version, alias.

    Args:
        workspace: holds the store, which is made if there is none, and the bundle.
        trained: what is tracked.
        options: what was asked for.
        champion: whether it serves and beats the rules; else it is the challenger.

    Raises:
        TrackingError: the store cannot be written. The bundle on disk is whole and not concerned.
    """
    bundle = trained.bundle
    with _store(workspace) as client:
        run_id = client.create_run(_experiment(client, workspace), run_name=bundle.version).info.run_id
        try:
            _log_facts(client, run_id, trained, options)
            _log_files(client, run_id, workspace, trained)
            found = _register(client, run_id, bundle)
            _alias(client, bundle.scorer.target, found.model_version, champion=champion)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
        return found


def crown(workspace: Workspace, bundle: Bundle, *, champion: bool) -> str:
    """Let the aliases follow a promotion by hand, and give the number of the bundle's registered version.

    A bundle that beats the rules becomes champion. For any other no champion is left: what serves is none.

    Raises:
        TrackingError: there is no store, it cannot be written, or it does not know the bundle.
    """
    if not _database(workspace).exists():
        raise TrackingError(f"`{workspace.root}` has no MLflow store")
    with _store(workspace) as client:
        name = model_name(bundle.scorer.target)
        known = client.search_model_versions(f"name = '{name}'")
        version = next((str(found.version) for found in known if found.tags.get("bundle") == bundle.version), None)
        if version is None:
            raise TrackingError(f"MLflow knows no version of `{name}` that is bundle `{bundle.version}`")
        if champion:
            _alias(client, bundle.scorer.target, version, champion=True)
        elif CHAMPION in client.get_registered_model(name).aliases:
            client.delete_registered_model_alias(name, CHAMPION)
        return version


@contextmanager
def _store(workspace: Workspace) -> "Iterator[MlflowClient]":
    """Open the workspace's store quietly; whatever goes wrong inside becomes a TrackingError.

    MLflow's own settings (tracking address, log levels) are as before afterwards.
    """
    os.environ.update(SILENT)
    levels = {name: logging.getLogger(name).level for name in NOISY}
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mlflow's, about itself
            _check_free(_database(workspace))
            import mlflow  # noqa: PLC0415

            for name in NOISY:  # importing mlflow sets its own levels
                logging.getLogger(name).setLevel(logging.ERROR)
            before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
            mlflow.set_tracking_uri(workspace.mlflow_uri)
            try:
                yield mlflow.MlflowClient(workspace.mlflow_uri, workspace.mlflow_uri)
            finally:
                mlflow.set_tracking_uri(before)
    except TrackingError:
        raise
    except Exception as problem:
        raise TrackingError(f"MLflow's store `{_database(workspace)}`: {_first_line(problem)}") from problem
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _database(workspace: Workspace) -> Path:
    return Path(workspace.mlflow_uri.removeprefix("sqlite:///"))


def _check_free(path: Path) -> None:
    """Take and give back the write lock of the store, so that a busy or broken one is told within seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def _first_line(problem: Exception) -> str:
    text = str(problem).strip()
    return text.splitlines()[0] if text else type(problem).__name__


def _experiment(client: "MlflowClient", workspace: Workspace) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=workspace.mlflow_artifacts.resolve().as_uri()))


def _log_facts(client: "MlflowClient", run_id: str, trained: "Trained", options: "Options") -> None:
    from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415

    at = time.time_ns() // 1_000_000
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, at, 0) for name, value in facts(trained).items()],
        params=[Param(name, str(value)[:6000]) for name, value in parameters(trained, options).items()],
        tags=[
            RunTag("bundle", trained.bundle.version),
            RunTag("kind", trained.bundle.scorer.kind),
            RunTag("target", trained.split.target),
            RunTag("better_than_rules", str(trained.better_than_rules).lower()),
            RunTag("mlflow.note.content", trained.why),
        ],
    )


def parameters(trained: "Trained", options: "Options") -> dict[str, str | int | float]:
    """Give what a run is told apart by: the question, the split, the seed, the card and the recipe."""
    split, recipe = trained.split, trained.bundle.training.get("recipe", {})
    timed = split.horizon_us is not None
    return {
        "target": split.target,
        "horizon_days": "ever" if split.horizon_us is None else split.horizon_us / durations.UNITS["d"],
        "test_from": iso(split.cut) if timed else split.cut,
        "until": iso(split.until) if timed else split.until,
        "ages": ",".join(durations.write(age) for age in split.ages_us) if timed else "once",
        "train_ages": ",".join(durations.write(age) for age in split.train_ages_us) if timed else "once",
        "kind": trained.bundle.scorer.kind,
        "card": options.card.name,
        "reference": trained.bundle.scorer.reference,
        "seed": options.seed,
        "trials": options.trials,
        "seconds": "no limit" if options.seconds is None else options.seconds,
        "allowed": ",".join(options.allow) or "none",
        "features": len(trained.bundle.scorer.specs),
        **{f"recipe.{name}": value for name, value in recipe.items()},
    }


def facts(trained: "Trained") -> dict[str, float]:
    """Give the figures of a run as flat names: `model.auc`, `rules.log_loss.low`, `difference.rules.auc`."""
    comparison = trained.comparison
    found: dict[str, float | None] = {
        "train.rows": trained.bundle.training["train"]["rows"],
        "train.positives": trained.bundle.training["train"]["positives"],
        "test.rows": comparison.rows,
        "test.leads": comparison.leads,
        "test.positives": comparison.positives,
        "reasons_max_error": trained.reasons_max_error,
        **_scores(comparison),
        **{f"seconds.{name}": seconds for name, seconds in trained.seconds.items()},
    }
    for part in comparison.by_age:
        error = part.metrics["ece"]["model"]
        age = durations.write(part.age_us or 0)
        found[f"model.ece.{age}"] = None if error is None else error.value
        found[f"model.ece_bar.{age}"] = part.ece_bar["model"]
    return {name: float(value) for name, value in found.items() if value is not None}


def _scores(comparison: Comparison) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for metric in METRICS:
        for scorer, estimate in comparison.metrics[metric].items():
            if estimate is not None:
                found |= {
                    f"{scorer}.{metric}": estimate.value,
                    f"{scorer}.{metric}.low": estimate.low,
                    f"{scorer}.{metric}.high": estimate.high,
                }
        for other, difference in comparison.differences[metric].items():
            if difference is not None:
                found[f"difference.{other}.{metric}"] = difference.value
    return found


def _log_files(client: "MlflowClient", run_id: str, workspace: Workspace, trained: "Trained") -> None:
    client.log_artifacts(run_id, str(workspace.bundle_path(trained.bundle.version)), BUNDLE_FOLDER)
    if not len(trained.test):
        return
    with tempfile.TemporaryDirectory(prefix="leadlight-plots-") as folder:
        draw(trained, Path(folder))
        client.log_artifacts(run_id, folder, "plots")


def draw(trained: "Trained", folder: Path) -> None:
    """Draw ROC and gains of all scorers over all test rows, and reliability of model and rules per age, as PNG."""
    from training import plots  # noqa: PLC0415  (matplotlib)

    test = trained.test
    scorers = [name for name in trained.comparison.metrics["auc"] if name in test.columns]
    y, columns = test["label"].to_numpy(), {name: test[name].to_numpy() for name in scorers}
    plots.save(plots.roc_figure(y, columns), folder / "roc.png")
    plots.save(plots.gains_figure(y, columns), folder / "gains.png")
    for (age,), part in sorted(test.partition_by("age", as_dict=True).items()):
        shown: Mapping[str, Any] = {name: part[name].to_numpy() for name in ("model", "rules")}
        told = durations.write(age)
        title = f"Reliability at age {told}" if trained.split.horizon_us is not None else "Reliability"
        name = f"reliability_{told}.png" if trained.split.horizon_us is not None else "reliability.png"
        plots.save(plots.reliability_figure(part["label"].to_numpy(), shown, title), folder / name)


def _register(client: "MlflowClient", run_id: str, bundle: Bundle) -> TrackedRun:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    name = model_name(bundle.scorer.target)
    model_id, source = None, f"{client.get_run(run_id).info.artifact_uri}/{BUNDLE_FOLDER}"
    if bundle.scorer.booster is not None:
        model_id, source = _log_booster(run_id, bundle)
    try:
        client.create_registered_model(name, description=f"Probability that a lead reaches `{bundle.scorer.target}`.")
    except MlflowException as known:
        if known.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name,
        source,
        run_id=run_id,
        tags={"bundle": bundle.version, "kind": bundle.scorer.kind},
        description=str(bundle.training.get("why", "")),
        model_id=model_id,
    )
    return TrackedRun(run_id, str(version.version), f"models:/{name}/{version.version}")


def _log_booster(run_id: str, bundle: Bundle) -> tuple[str, str]:
    """Log the plain Booster and give (model id, address); naming its needs spares MLflow from guessing them (20 s)."""
    import mlflow  # noqa: PLC0415
    import mlflow.lightgbm  # noqa: PLC0415

    needs = [f"lightgbm=={installed('lightgbm')}", f"numpy=={installed('numpy')}"]
    with mlflow.start_run(run_id=run_id):
        info = mlflow.lightgbm.log_model(bundle.scorer.booster, name="model", pip_requirements=needs)
    return info.model_id, info.model_uri


def _alias(client: "MlflowClient", target: Target, version: str, *, champion: bool) -> None:
    name = model_name(target)
    client.set_registered_model_alias(name, CHAMPION if champion else CHALLENGER, version)
    aliases = client.get_registered_model(name).aliases
    if champion and str(aliases.get(CHALLENGER)) == version:
        client.delete_registered_model_alias(name, CHALLENGER)
