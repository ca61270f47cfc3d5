import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest

from leadlight.errors import TrackingError
from tests.training import market
from training import track
from training.pipeline import rules_bundle


@pytest.fixture(scope="module")
def tracked(first, tmp_path_factory):
    """Track the first training into a store of its own, as champion; give (workspace, run, mlflow)."""
    room = type(first[0]).at(tmp_path_factory.mktemp("tracked") / "ws")
    shutil.copytree(first[0].root, room.root)
    run = track.log(room, first[1], market.options(), champion=True)
    import mlflow

    return room, run, mlflow.MlflowClient(room.mlflow_uri, room.mlflow_uri)


def test_a_run_holds_the_question_the_split_and_the_figures(tracked, first):
    _, run, client = tracked
    found, trained = client.get_run(run.run_id), first[1]
    assert found.info.run_name == trained.bundle.version
    assert found.info.status == "FINISHED"
    assert client.get_experiment(found.info.experiment_id).name == "leadlight"
    parameters = found.data.params
    assert parameters["target"] == "sql"
    assert parameters["horizon_days"] == "30.0"
    assert parameters["test_from"] == "2025-06-01"
    assert parameters["ages"] == "1d,7d"
    assert parameters["card"] == "standard"
    assert int(parameters["recipe.trees"]) > 0
    metrics = found.data.metrics
    for scorer in ("model", "rules", "logistic", "odoo", "base_rate"):
        assert metrics[f"{scorer}.auc"] == pytest.approx(trained.comparison.metrics["auc"][scorer].value)
    assert metrics["rules.log_loss.low"] < metrics["rules.log_loss"] < metrics["rules.log_loss.high"]
    assert metrics["difference.rules.log_loss"] < 0
    assert metrics["test.rows"] == trained.test.height
    assert metrics["reasons_max_error"] <= 1e-9
    assert {"model.ece.1d", "model.ece_bar.7d", "seconds.fit"} <= metrics.keys()
    assert found.data.tags["bundle"] == trained.bundle.version


def test_a_run_holds_the_bundle_and_the_pictures(tracked, first):
    room, run, client = tracked
    version = first[1].bundle.version
    logged = {item.path for item in client.list_artifacts(run.run_id, "bundle")}
    assert logged == {f"bundle/{path.name}" for path in room.bundle_path(version).iterdir()}
    pictures = {item.path for item in client.list_artifacts(run.run_id, "plots")}
    assert pictures == {
        "plots/roc.png",
        "plots/gains.png",
        "plots/reliability_1d.png",
        "plots/reliability_7d.png",
    }
    assert room.mlflow_artifacts.is_dir()


def test_the_registered_version_loads_as_a_booster_with_pickle_off(tracked, first, monkeypatch):
    room, run, _ = tracked
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    import mlflow

    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(room.mlflow_uri)
    try:
        booster = mlflow.lightgbm.load_model("models:/leadlight-sql@champion")
        same = mlflow.lightgbm.load_model(run.uri)
    finally:
        mlflow.set_tracking_uri(before)
    expected = first[1].bundle.scorer.booster.model_to_string()
    assert booster.model_to_string() == same.model_to_string() == expected
    assert not [path for path in room.mlflow_artifacts.rglob("*") if path.suffix in {".pkl", ".pickle", ".skops"}]


def aliases(client):
    return {name: str(version) for name, version in client.get_registered_model("leadlight-sql").aliases.items()}


def test_aliases_follow_champion_and_challenger(tracked, first):
    room, run, client = tracked
    assert aliases(client) == {"champion": run.model_version}
    second = track.log(room, first[1], market.options(), champion=False)
    assert aliases(client) == {"champion": run.model_version, "challenger": second.model_version}
    version = client.get_model_version("leadlight-sql", second.model_version)
    assert version.tags["bundle"] == first[1].bundle.version
    third = track.log(room, first[1], market.options(), champion=True)
    assert aliases(client) == {"champion": third.model_version, "challenger": second.model_version}


def test_a_promotion_by_hand_moves_the_champion(tracked, first):
    room, _, client = tracked
    number = track.crown(room, first[1].bundle, champion=True)
    assert aliases(client)["champion"] == number
    track.crown(room, first[1].bundle, champion=False)
    assert "champion" not in aliases(client)


def test_rules_are_registered_by_their_bundle(tracked, first):
    room, _, client = tracked
    found = rules_bundle(room, first[1])
    run = track.log(room, replace(first[1], bundle=found, better_than_rules=None), market.options(), champion=False)
    version = client.get_model_version("leadlight-sql", run.model_version)
    assert version.source.endswith("/artifacts/bundle")
    assert version.tags["kind"] == "rules"
    assert aliases(client)["challenger"] == run.model_version


def test_a_bundle_that_was_never_tracked_is_told(tracked, trained, first):
    with pytest.raises(TrackingError, match="has no MLflow store"):
        track.crown(trained[0], first[1].bundle, champion=True)
    with pytest.raises(TrackingError, match="knows no version of `leadlight-sql` that is bundle `unknown`"):
        track.crown(tracked[0], replace(first[1].bundle, version="unknown"), champion=True)


def test_a_store_that_another_process_holds_is_told_within_seconds(trained, monkeypatch):
    room, found = trained
    monkeypatch.setattr(track, "LOCK_SECONDS", 0.1)
    holder = sqlite3.connect(room.root / "mlflow.db", isolation_level=None)
    holder.execute("CREATE TABLE held (x)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(TrackingError, match=r"mlflow\.db`: database is locked"):
            track.log(room, found, market.options(), champion=False)
    finally:
        holder.close()


def test_a_broken_store_is_told(trained):
    room, found = trained
    (room.root / "mlflow.db").write_text("this is no database" * 100)
    with pytest.raises(TrackingError, match="not a database"):
        track.log(room, found, market.options(), champion=False)


def test_nothing_is_reported_to_anybody(tracked):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()


def test_importing_the_module_does_not_import_mlflow():
    code = "import sys, training.track; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
