"""Sending to MLflow: a waiting run with its files and its registered version, and the aliases after what serves.

Everything here may be broken off and done again: a run is known by the tag of its bundle and is gone on with, a version
is known by its run, and the aliases follow from what serves and what is registered.
"""

import tempfile
from collections.abc import Iterator
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from leadlight import bundle as bundles
from leadlight.errors import TrackingError
from leadlight.schema import Target
from training.record import MODELS
from training.track_facts import BUNDLE_TAG
from training.track_queue import BUNDLE_FOLDER, Entry, Sent
from training.track_store import Store, model_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
MODEL_FOLDER: Final = "model"
WORKSPACE_TAG: Final = "workspace"
VERSION_TAGS: Final = (BUNDLE_TAG, "kind", WORKSPACE_TAG)


def send(client: "MlflowClient", store: Store, entry: Entry, workspace_id: str) -> Sent:
    """Send an entry, or go on with what was broken off.

    Raises:
        BundleError: the bundle of the entry cannot be verified.
    """
    run_id, finished = _run(client, _experiment(client, store), entry, workspace_id)
    if not finished:
        _log_facts(client, run_id, entry)
        client.log_artifacts(run_id, str(entry.files))
        _log_booster(client, run_id, entry)
    number = _register(client, store, run_id, entry, workspace_id)
    if not finished:
        client.set_terminated(run_id, "FINISHED")
    return Sent(run_id, number)


def align(
    client: "MlflowClient", store: Store, workspace_id: str, serving: str | None, *, take_over: bool = False
) -> tuple[str, ...]:
    """Put the aliases where they belong, and give the names of models that another workspace holds, whose are left.

    Args:
        client: of the store.
        store: which it is.
        workspace_id: of the workspace whose aliases they are.
        serving: the bundle that serves, if it is a model; it must be registered. None = no champion.
        take_over: hold models that another workspace holds from now on.
    """
    foreign = []
    for target in get_args(Target):
        name = model_name(target, store.name)
        model = _registered(client, name)
        if model is None:
            continue
        holder = model.tags.get(WORKSPACE_TAG, workspace_id)
        if store.remote and holder != workspace_id and not take_over:
            foreign.append(name)
            continue
        if model.tags.get(WORKSPACE_TAG) != workspace_id:
            client.set_registered_model_tag(name, WORKSPACE_TAG, workspace_id)
        _align(client, name, dict(model.aliases), _versions(client, name, workspace_id), serving)
    return tuple(foreign)


def is_registered(client: "MlflowClient", store: Store, target: Target, version: str) -> bool:
    """Whether a bundle has a version of its target's model."""
    name = model_name(target, store.name)
    return any(found.tags.get(BUNDLE_TAG) == version for found in _search_versions(client, f"name = '{name}'"))


def _experiment(client: "MlflowClient", store: Store) -> str:
    found = client.get_experiment_by_name(store.name)
    if found is None:
        return str(client.create_experiment(store.name, artifact_location=store.artifacts))
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"{store.told()}: experiment `{store.name}` was deleted there; restore it or remove it for good"
        )
    return str(found.experiment_id)


def _run(client: "MlflowClient", experiment_id: str, entry: Entry, workspace_id: str) -> tuple[str, bool]:
    """Find the run of a bundle or begin it; tells whether it is finished."""
    known = client.search_runs([experiment_id], f"tags.{BUNDLE_TAG} = '{entry.version}'", max_results=1)
    if known:
        return str(known[0].info.run_id), known[0].info.status == "FINISHED"
    tags = {**entry.tags, WORKSPACE_TAG: workspace_id, "mlflow.note.content": entry.why}
    run = client.create_run(experiment_id, start_time=entry.at, tags=tags, run_name=entry.version)
    return str(run.info.run_id), False


def _log_facts(client: "MlflowClient", run_id: str, entry: Entry) -> None:
    from mlflow.entities import Metric, Param  # noqa: PLC0415

    client.log_batch(
        run_id,
        metrics=[Metric(name, value, entry.at, 0) for name, value in entry.metrics.items()],
        params=[Param(name, value) for name, value in entry.params.items()],
    )


def _log_booster(client: "MlflowClient", run_id: str, entry: Entry) -> None:
    """Log the plain Booster as LightGBM's text; naming its needs spares MLflow from guessing them (20 s)."""
    booster = bundles.load(entry.files / BUNDLE_FOLDER, bundles.signing_key()).scorer.booster
    if booster is None:
        return
    import mlflow.lightgbm  # noqa: PLC0415

    needs = [f"lightgbm=={installed('lightgbm')}", f"numpy=={installed('numpy')}"]
    with tempfile.TemporaryDirectory(prefix="leadlight-model-") as folder:
        mlflow.lightgbm.save_model(booster, str(Path(folder) / MODEL_FOLDER), pip_requirements=needs)
        client.log_artifacts(run_id, folder)


def _register(client: "MlflowClient", store: Store, run_id: str, entry: Entry, workspace_id: str) -> str:
    """Find the registered version of a run, or make it."""
    name = model_name(entry.target, store.name)
    known = [found for found in _search_versions(client, f"run_id = '{run_id}'") if found.name == name]
    if known:
        return str(known[0].version)
    if _registered(client, name) is None:
        told = f"Probability that a lead reaches `{entry.target}`."
        client.create_registered_model(name, tags={WORKSPACE_TAG: workspace_id}, description=told)
    has_model = any(item.path == MODEL_FOLDER for item in client.list_artifacts(run_id))
    made = client.create_model_version(
        name,
        f"{client.get_run(run_id).info.artifact_uri}/{MODEL_FOLDER if has_model else BUNDLE_FOLDER}",
        run_id=run_id,
        tags={BUNDLE_TAG: entry.version, "kind": entry.kind, WORKSPACE_TAG: workspace_id},
        description=entry.why,
    )
    return str(made.version)


def _registered(client: "MlflowClient", name: str) -> Any:
    """Give a registered model; None where there is none."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        return client.get_registered_model(name)
    except MlflowException as problem:
        if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _search_versions(client: "MlflowClient", words: str) -> Iterator[Any]:
    """Yield every registered version that a search finds, page by page."""
    token = None
    while True:
        page = client.search_model_versions(words, max_results=200, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _versions(client: "MlflowClient", name: str, workspace_id: str) -> dict[str, Any]:
    """Give a model's versions of this workspace by bundle, oldest bundle first."""
    found = [
        version
        for version in _search_versions(client, f"name = '{name}'")
        if version.tags.get(WORKSPACE_TAG, workspace_id) == workspace_id and BUNDLE_TAG in version.tags
    ]
    return {version.tags[BUNDLE_TAG]: version for version in sorted(found, key=lambda one: one.tags[BUNDLE_TAG])}


def _align(
    client: "MlflowClient", name: str, aliases: dict[str, str], versions: dict[str, Any], serving: str | None
) -> None:
    """Champion is what serves, challenger the newest model where that does not."""
    models = [bundle for bundle, version in versions.items() if version.tags.get("kind") in MODELS]
    newest = models[-1] if models else None
    wanted = {CHAMPION: serving if serving in versions else None, CHALLENGER: newest if newest != serving else None}
    for alias, bundle in wanted.items():
        number = None if bundle is None else str(versions[bundle].version)
        if number is None and alias in aliases:
            client.delete_registered_model_alias(name, alias)
        elif number is not None and str(aliases.get(alias)) != number:
            client.set_registered_model_alias(name, alias, number)
