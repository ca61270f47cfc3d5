"""Tracking: every training becomes a run and a registered version in MLflow, now or as soon as MLflow is there.

By default MLflow is the workspace's own store: SQLite (`WORKSPACE/mlflow.db`), artefacts beside it
(`WORKSPACE/mlartifacts`); nothing is sent anywhere. `MLFLOW_TRACKING_URI` names a team's server instead.

    experiment         leadlight (LEADLIGHT_MLFLOW_NAME)
    run                one per bundle, named by its version and tagged `bundle`
    registered model   leadlight-<target>; each version has the tag `bundle`
    alias champion     the version that serves, if that is a model (and not the rules or a base rate)
    alias challenger   the newest model, if it does not serve

A training first packs its run into the workspace (`training.track_queue`), then everything that waits is sent
(`training.track_upload`). So a server that is away costs a warning and not a training: the next command that reaches it
sends what waits, and puts the aliases right if a crash came between the pointer and them. Only the modules
`training.track*` import mlflow, and only inside functions: importing it takes a second.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shutil import copy2
from typing import TYPE_CHECKING, Any, Final

from leadlight.bundle import Bundle
from leadlight.errors import BundleError, LeadlightError
from leadlight.workspace import Workspace
from scoring import chosen as scorers
from training import history, record, track_facts, track_queue, track_upload
from training.track_queue import PLOTS_FOLDER, REPORT_FOLDER, Entry, Sent
from training.track_store import Store, model_name, opened

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from training.options import Options
    from training.pipeline import Trained

SYNC: Final = "`leadlight models sync`"


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where a training is found in MLflow.

    Attributes:
        run_id: of the run.
        model_version: number of the registered version.
        uri: what `mlflow.lightgbm.load_model` (or for kinds without a booster, `mlflow.artifacts`) takes.
        address: of the server; None = the workspace's own store.
    """

    run_id: str
    model_version: str
    uri: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """What MLflow did after a command.

    Attributes:
        address: `workspace`, or the address of a server.
        sent: bundles whose runs were sent.
        waiting: bundles whose runs still wait for this address.
        elsewhere: address -> bundles whose runs wait for another address.
        problem: why MLflow could not follow, in one line, or None.
    """

    address: str = ""
    sent: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    elsewhere: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str | None = None

    def notes(self) -> tuple[str, ...]:
        """Tell what somebody should know, one line each."""
        found = []
        if self.problem is not None:
            kept = f"; {_runs(self.waiting)} kept in the workspace until then" if self.waiting else ""
            found.append(f"{self.problem}; the next command tries again, or {SYNC}{kept}")
        found += [
            f"{_runs(versions)} waiting for `{address}`: set MLFLOW_TRACKING_URI to it, or send to where it points now "
            "by `leadlight models sync --all`"
            for address, versions in self.elsewhere.items()
        ]
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts and lists."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of the run of a training: sent (`run`), or kept (`run` is None; `followed` tells why)."""

    run: TrackedRun | None
    followed: Followed


def log(
    workspace: Workspace,
    trained: "Trained",
    options: "Options",
    *,
    store: Store | None = None,
    reports: Sequence[Path] = (),
) -> Tracked:
    """Pack a training's run into the workspace and send what waits. Call it after the pointer was set.

    It never fails: the bundle is on disk, and what goes wrong here is told in `followed`.

    Args:
        workspace: holds the bundle and the queue.
        trained: what is tracked.
        options: what was asked for.
        store: where to; None = where the environment says.
        reports: files that go along, such as the model card.
    """
    bundle = trained.bundle
    try:
        chosen = store or Store.chosen(workspace)
        told = _told(bundle, chosen, track_facts.asked(options), track_facts.timings(trained))
        with track_queue.put(workspace, bundle.version, **told) as files:
            (files / PLOTS_FOLDER).mkdir()
            track_facts.draw(trained, files / PLOTS_FOLDER)
            for report in reports:
                (files / REPORT_FOLDER).mkdir(exist_ok=True)
                copy2(report, files / REPORT_FOLDER / report.name)
    except (LeadlightError, OSError) as problem:
        return Tracked(None, Followed(problem=f"the run could not be kept for MLflow: {problem}"))
    followed = follow(workspace, store=chosen)
    return Tracked(run_of(workspace, bundle, chosen) if bundle.version in followed.sent else None, followed)


def follow(
    workspace: Workspace,
    *,
    store: Store | None = None,
    thorough: bool = False,
    everything: bool = False,
    take_over: bool = False,
) -> Followed:
    """Send what waits, and let the aliases follow what serves. Nothing is asked of MLflow where nothing changed.

    It never fails; what goes wrong is told.

    Args:
        workspace: its queue, bundles and pointer.
        store: where to; None = where the environment says.
        thorough: look also where nothing seems to have changed (and where nothing was tracked yet).
        everything: send also what waits for another address.
        take_over: hold registered models that another workspace holds.
    """
    try:
        chosen = store or Store.chosen(workspace)
        entries = track_queue.waiting(workspace)
        mine = [entry for entry in entries if everything or entry.address == chosen.address]
        elsewhere = _by_address([entry for entry in entries if entry not in mine])
        known, follows = track_queue.followed(workspace, chosen.address)
        if not (thorough or mine or (known and follows != history.served(workspace))):
            return Followed(chosen.address, elsewhere=elsewhere)
    except (LeadlightError, OSError) as problem:
        return Followed(problem=str(problem))
    sent, why_not = _Sending(workspace, chosen).run(mine, take_over=take_over)
    left = tuple(entry.version for entry in mine if entry.version not in sent)
    return Followed(chosen.address, tuple(sent), left, elsewhere, why_not)


def run_of(workspace: Workspace, bundle: Bundle, store: Store) -> TrackedRun | None:
    """Give where a bundle is found in MLflow, as far as this workspace sent it there; None where it did not."""
    sent = track_queue.runs(workspace, store.address).get(bundle.version)
    if sent is None:
        return None
    name = model_name(bundle.scorer.target, store.name)
    address = store.address if store.remote else None
    return TrackedRun(sent.run_id, sent.model_version, f"models:/{name}/{sent.model_version}", address)


class _Sending:
    """One command's turn at sending."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self.workspace, self.store = workspace, store
        self.id = ""
        self.sent: list[str] = []

    def run(self, entries: Sequence[Entry], *, take_over: bool) -> tuple[list[str], str | None]:
        """Send entries and align the aliases; gives what was sent, and why not all or None."""
        try:
            self.id = track_queue.workspace_id(self.workspace)
            with track_queue.locked(self.workspace), opened(self.store) as client:
                broken = [told for entry in entries if (told := self._sent_or_why_not(client, entry)) is not None]
                told = self._align(client, take_over=take_over)
                return self.sent, broken[0] if broken else told
        except (LeadlightError, OSError) as problem:
            return self.sent, str(problem)

    def _sent_or_why_not(self, client: "MlflowClient", entry: Entry) -> str | None:
        """Send an entry unless another command did meanwhile; a bundle that cannot be verified holds up no other."""
        try:
            if entry.folder.exists():
                self._send(client, entry)
        except BundleError as problem:
            return f"the waiting run `{entry.folder}` cannot be sent: {problem}"
        return None

    def _send(self, client: "MlflowClient", entry: Entry) -> Sent:
        sent = track_upload.send(client, self.store, entry, self.id)
        track_queue.done(self.workspace, entry, self.store.address, sent)
        self.sent.append(entry.version)
        return sent

    def _align(self, client: "MlflowClient", *, take_over: bool) -> str | None:
        version = history.served(self.workspace)
        champion = None
        if version is not None:
            bundle = scorers.load(self.workspace, version)
            if record.is_model(bundle):
                champion = version
                self._ensure_registered(client, bundle)
        foreign = track_upload.align(client, self.store, self.id, champion, take_over=take_over)
        track_queue.follow(self.workspace, self.store.address, version)
        return _foreign(foreign, self.store)

    def _ensure_registered(self, client: "MlflowClient", bundle: Bundle) -> None:
        """Send what serves where MLflow does not know it: it was tracked elsewhere, or never."""
        if track_upload.is_registered(client, self.store, bundle.scorer.target, bundle.version):
            return
        with track_queue.put(self.workspace, bundle.version, **_told(bundle, self.store, {}, {})):
            pass
        for entry in track_queue.waiting(self.workspace):
            if entry.version == bundle.version:
                self._send(client, entry)


def _told(bundle: Bundle, store: Store, asked: dict[str, Any], timings: dict[str, float]) -> dict[str, Any]:
    """Say what an entry says."""
    parameters = {**track_facts.parameters(bundle), **asked}
    return {
        "address": store.address,
        "target": bundle.scorer.target,
        "kind": bundle.scorer.kind,
        "why": str(bundle.training.get("why", "")),
        "params": {name: str(value)[: track_facts.LONGEST_PARAMETER] for name, value in parameters.items()},
        "metrics": track_facts.figures(bundle) | timings,
        "tags": track_facts.tags(bundle),
    }


def _by_address(entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    addresses = sorted({entry.address for entry in entries})
    return {one: tuple(entry.version for entry in entries if entry.address == one) for one in addresses}


def _foreign(names: Sequence[str], store: Store) -> str | None:
    if not names:
        return None
    shown = ", ".join(f"`{name}`" for name in names)
    return (
        f"{store.told()}: {shown} belongs to another workspace, so its aliases were left alone; set "
        "LEADLIGHT_MLFLOW_NAME to a name of your own, or take it over by `leadlight models sync --take-over`"
    )


def _runs(versions: Sequence[str]) -> str:
    return "1 run is" if len(versions) == 1 else f"{len(versions)} runs are"
