"""Tracking to a real `mlflow server`, which is stopped and started again."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from leadlight.__main__ import main
from tests.training import market
from tests.training.tracking_server import TrackingServer
from tests.training.variants import saved
from training import history, promotion, track, track_facts, track_queue, track_upload
from training.track_store import Store, opened

pytestmark = pytest.mark.slow
OLD, NEW = "20200101T000000-old", "20300101T000000-new"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Give the server, which runs; whoever stops it starts it again."""
    found = TrackingServer(tmp_path_factory.mktemp("mlflow"))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def room(trained, server, monkeypatch, request):
    """Give a workspace that tracks to the server under a name of the test's own; pictures are left out."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv("LEADLIGHT_MLFLOW_NAME", request.node.name[:60].strip("_"))
    monkeypatch.setattr(track_facts, "draw", lambda _, folder: (folder / "roc.png").write_bytes(b"png"))
    return trained[0]


@pytest.fixture
def model(trained):
    return trained[1]


@pytest.fixture
def ask(room, server):
    """Give questions to the server."""
    from mlflow import MlflowClient

    return _Asked(MlflowClient(server.address, server.address), Store.chosen(room).name)


class _Asked:
    def __init__(self, client, name):
        self.client, self.name = client, name
        self.model = track.model_name("sql", name)

    def runs(self):
        experiment = self.client.get_experiment_by_name(self.name)
        return [] if experiment is None else list(self.client.search_runs([experiment.experiment_id]))

    def versions(self):
        """Give bundle -> number of its registered version; a bundle that is there twice fails."""
        found = list(self.client.search_model_versions(f"name = '{self.model}'"))
        numbers = {version.tags["bundle"]: str(version.version) for version in found}
        assert len(numbers) == len(found)
        return numbers

    def aliases(self):
        """Give alias -> bundle."""
        bundles = {number: bundle for bundle, number in self.versions().items()}
        found = self.client.get_registered_model(self.model).aliases
        return {alias: bundles[str(number)] for alias, number in found.items()}


def command(capsys, room, *words, status=0):
    with pytest.raises(SystemExit) as left:
        main([*words, "--workspace", str(room.root)])
    said = capsys.readouterr()
    assert left.value.code == status, said.err
    return said


def test_a_training_is_on_the_server(room, model, server, ask, monkeypatch):
    promotion.settle(room, model)
    found = track.log(room, model, market.options())
    assert found.followed.problem is None
    assert found.run.address == server.address
    (run,) = ask.runs()
    assert (run.info.run_id, run.info.status) == (found.run.run_id, "FINISHED")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert run.data.metrics["model.auc"] == pytest.approx(model.comparison.metrics["auc"]["model"].value)
    assert ask.aliases() == {"champion": model.bundle.version}
    assert not (room.root / "mlflow.db").exists()
    stored = {path.name for path in server.artifacts.rglob("*") if path.is_file()}
    assert {"manifest.sig", "model.txt", "model.lgb", "roc.png"} <= stored
    assert not {name for name in stored if Path(name).suffix in {".pkl", ".pickle", ".skops"}}
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    import mlflow

    loaded = mlflow.lightgbm.load_model(f"models:/{ask.model}@champion")
    assert loaded.model_to_string() == model.bundle.scorer.booster.model_to_string()


def test_a_server_that_was_away_gets_the_run_later_and_once(room, model, server, ask, capsys):
    promotion.settle(room, model)
    version = model.bundle.version
    server.stop()
    try:
        away = track.log(room, model, market.options())
        assert away.run is None
        assert away.followed.waiting == (version,)
        assert "cannot be reached" in away.followed.problem
        queued = [path for path in (room.tracking / "queue" / version).rglob("*") if path.is_file()]
        assert {path.suffix for path in queued} == {".json", ".sig", ".txt", ".png"}
        assert version in room.bundle_versions()
        said = command(capsys, room, "models", "list", "--json")
        assert json.loads(said.out)["mlflow"]["waiting"] == [version]
        assert len(said.err.splitlines()) == 1
        assert command(capsys, room, "models", "sync", status=1).err.startswith("note: MLflow at")
    finally:
        server.start()
    listed = json.loads(command(capsys, room, "models", "list", "--json").out)
    assert listed["mlflow"]["sent"] == [version]
    assert listed["models"][0]["run_id"] == ask.runs()[0].info.run_id
    for _ in range(2):
        assert command(capsys, room, "models", "sync").err == ""
    assert len(ask.runs()) == 1
    assert list(ask.versions()) == [version]
    assert ask.aliases() == {"champion": version}


def test_sending_that_was_broken_off_is_gone_on_with(room, model, ask, monkeypatch):
    promotion.settle(room, model)
    steps = [(track_upload, name) for name in ("_log_facts", "_log_booster", "_register")]
    for at in (*steps, (track_queue, "done")):  # at the last, everything is on the server and the entry in the queue

        def crash(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(*at, crash)
            with pytest.raises(KeyboardInterrupt):
                track.log(room, model, market.options())
        assert len(track_queue.waiting(room)) == 1
    assert track.follow(room).sent == (model.bundle.version,)
    (run,) = ask.runs()
    assert run.info.status == "FINISHED"
    assert {item.path for item in ask.client.list_artifacts(run.info.run_id)} == {"bundle", "model", "plots"}
    assert list(ask.versions()) == [model.bundle.version]
    again = track.log(room, model, market.options())
    assert again.run.run_id == run.info.run_id
    assert len(ask.runs()) == 1


KILLED = """
import os, signal, sys
from leadlight.workspace import Workspace
from training import promotion, track
track.follow = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
promotion.promote(Workspace.at(sys.argv[1]), sys.argv[2])
"""


def test_a_kill_between_pointer_and_alias_is_mended_by_the_next_command(room, model, ask, capsys):
    for version in (OLD, NEW):
        saved(room, model, version)
    assert promotion.promote(room, OLD).followed.problem is None
    track.follow(room, thorough=True)
    assert ask.aliases() == {"champion": OLD}
    words = [sys.executable, "-c", KILLED, str(room.root), NEW]
    done = subprocess.run(words, check=False, env={**os.environ, "LEADLIGHT_SIGNING_KEY": market.KEY})
    assert done.returncode == -signal.SIGKILL
    assert room.current_version() == NEW
    assert ask.aliases() == {"champion": OLD}
    assert f"-> {NEW}" in command(capsys, room, "models", "list").out
    assert ask.aliases() == {"champion": NEW}
    command(capsys, room, "models", "rollback")
    assert room.current_version() == OLD
    assert ask.aliases() == {"champion": OLD, "challenger": NEW}


def test_another_workspace_leaves_the_aliases_alone_until_it_takes_over(room, model, ask, tmp_path, capsys):
    saved(room, model, OLD)
    history.put(room, OLD, "train", expected=None)
    track.follow(room, thorough=True)
    other = type(room).at(tmp_path / "other")
    shutil.copytree(room.root, other.root, ignore=shutil.ignore_patterns("tracking", "current", "history.jsonl"))
    saved(other, model, NEW)
    history.put(other, NEW, "train", expected=None)
    found = track.log(other, replace(model, bundle=replace(model.bundle, version=NEW)), market.options())
    assert found.run is not None
    assert f"`{ask.model}` belongs to another workspace" in found.followed.problem
    assert ask.aliases() == {"champion": OLD}
    assert command(capsys, other, "models", "list").err == ""  # told once, not by every command
    command(capsys, other, "models", "sync", "--take-over")
    assert ask.aliases() == {"champion": NEW}
    assert track.follow(room, thorough=True).problem is not None


def test_a_deleted_experiment_is_told(room, model, ask):
    promotion.settle(room, model)
    with opened(Store.chosen(room)) as client:
        client.delete_experiment(client.create_experiment(ask.name))
    found = track.log(room, model, market.options())
    assert f"experiment `{ask.name}` was deleted there" in found.followed.problem
    assert found.followed.waiting == (model.bundle.version,)
