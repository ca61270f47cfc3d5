"""Tracking to a real `mlflow server` whose runs are in a real PostgreSQL; skips where there is no server binary."""

import pytest
from mlflow import MlflowClient

from tests.training import market, postgres_server
from tests.training.tracking_server import TrackingServer
from training import promotion, track, track_facts

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Give (PostgreSQL, MLflow), which run."""
    database = postgres_server.started()
    try:
        url = database.url("mlflow").replace("postgresql://", "postgresql+psycopg://")
        tracking = TrackingServer(tmp_path_factory.mktemp("mlflow"), url)
        tracking.start()
        yield database, tracking
        tracking.stop()
    finally:
        database.remove()


def test_a_training_is_in_the_teams_database_and_outlives_a_crash_of_it(trained, servers, monkeypatch):
    room, model = trained
    database, tracking = servers
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.address)
    monkeypatch.setattr(track_facts, "draw", lambda _, folder: (folder / "roc.png").write_bytes(b"png"))
    promotion.settle(room, model)
    sent = track.log(room, model, market.options())
    assert sent.followed.problem is None
    assert sent.run.address == tracking.address
    database.stop()
    database.start()
    client = MlflowClient(tracking.address, tracking.address)
    run = client.get_run(sent.run.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["model.auc"] == pytest.approx(model.comparison.metrics["auc"]["model"].value)
    champion = client.get_model_version_by_alias("leadlight-sql", "champion")
    assert champion.tags["bundle"] == model.bundle.version == room.current_version()
    assert track.follow(room, thorough=True).problem is None


def test_a_database_that_is_away_keeps_the_run_in_the_workspace(trained, servers, monkeypatch):
    room, model = trained
    database, tracking = servers
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking.address)
    monkeypatch.setenv("LEADLIGHT_MLFLOW_NAME", "away")
    monkeypatch.setattr(track_facts, "draw", lambda _, folder: (folder / "roc.png").write_bytes(b"png"))
    promotion.settle(room, model)
    database.stop()
    try:
        away = track.log(room, model, market.options())
    finally:
        database.start()
    assert away.run is None
    assert away.followed.waiting == (model.bundle.version,)
    assert "hush" not in str(away.followed.problem)
    assert track.follow(room).sent == (model.bundle.version,)
