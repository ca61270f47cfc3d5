import shutil
from contextlib import nullcontext
from dataclasses import replace

import pytest

from tests.training import market
from tests.training.variants import rules, saved, worse
from training import history, promotion, track, track_queue, track_upload
from training.track_store import Store


def aliases(client):
    return {name: str(version) for name, version in client.get_registered_model("leadlight-sql").aliases.items()}


def number(client, bundle):
    """Give the number of a bundle's registered version."""
    (found,) = client.search_model_versions(f"name = 'leadlight-sql' and tags.bundle = '{bundle}'")
    return str(found.version)


@pytest.fixture(scope="module")
def tracked(first, tmp_path_factory):
    """Let the first training serve and track it; give (workspace, run, client). Tests leave it serving."""
    room = type(first[0]).at(tmp_path_factory.mktemp("tracked") / "ws")
    shutil.copytree(first[0].root, room.root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        history.put(room, first[1].bundle.version, "train", expected=None)
        card = room.root / "model_card.html"
        card.write_text("<html></html>")
        found = track.log(room, first[1], market.options(), reports=[card])
    assert found.followed.problem is None
    from mlflow import MlflowClient

    return room, found.run, MlflowClient(room.mlflow_uri, room.mlflow_uri)


def test_a_run_holds_the_question_the_split_and_the_figures(tracked, first):
    _, run, client = tracked
    found, trained = client.get_run(run.run_id), first[1]
    assert found.info.run_name == trained.bundle.version
    assert found.info.status == "FINISHED"
    assert client.get_experiment(found.info.experiment_id).name == "leadlight"
    assert found.data.params["test_from"] == "2025-06-01"
    assert found.data.params["trials"] == "2"
    assert found.data.metrics["model.auc"] == pytest.approx(trained.comparison.metrics["auc"]["model"].value)
    assert set(track.track_facts.RUN_TAGS) <= found.data.tags.keys()
    assert found.data.tags["bundle"] == trained.bundle.version


def test_a_run_holds_the_bundle_the_pictures_and_the_reports(tracked, first):
    room, run, client = tracked
    version = first[1].bundle.version

    def files(folder):
        return {item.path for item in client.list_artifacts(run.run_id, folder)}

    assert files("bundle") == {f"bundle/{path.name}" for path in room.bundle_path(version).iterdir()}
    assert files("plots") >= {"plots/roc.png", "plots/gains.png", "plots/reliability_7d.png"}
    assert files("report") == {"report/model_card.html"}
    assert files(None) == {"bundle", "model", "plots", "report"}
    assert room.mlflow_artifacts.is_dir()
    assert track_queue.waiting(room) == []


def test_the_registered_version_loads_as_a_booster_with_pickle_off(tracked, first, monkeypatch):
    room, run, _ = tracked
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    import mlflow

    mlflow.set_tracking_uri(room.mlflow_uri)
    try:
        booster = mlflow.lightgbm.load_model("models:/leadlight-sql@champion")
        same = mlflow.lightgbm.load_model(run.uri)
    finally:
        mlflow.set_tracking_uri(None)
    expected = first[1].bundle.scorer.booster.model_to_string()
    assert booster.model_to_string() == same.model_to_string() == expected
    assert not [path for path in room.mlflow_artifacts.rglob("*") if path.suffix in {".pkl", ".pickle", ".skops"}]


def test_nothing_new_asks_mlflow_nothing(tracked, monkeypatch):
    monkeypatch.setattr(track, "opened", lambda _: pytest.fail("MLflow was asked"))
    assert track.follow(tracked[0]) == track.Followed("workspace")


def test_the_aliases_follow_the_pointer_whatever_is_promoted(tracked, first):
    room, run, client = tracked
    version, model = first[1].bundle.version, first[1]
    assert aliases(client) == {"champion": run.model_version}
    saved(room, model, "20300101T000000-b")
    promotion.promote(room, "20300101T000000-b")  # tracked now, from the bundle alone
    newer = number(client, "20300101T000000-b")
    assert aliases(client) == {"champion": newer}
    assert promotion.rollback(room).followed.problem is None
    assert aliases(client) == {"champion": run.model_version, "challenger": newer}
    worse(room, model, "20300101T000000-c")
    promotion.promote(room, "20300101T000000-c")
    assert aliases(client) == {"champion": run.model_version, "challenger": newer}
    card = rules(room, model, "20300101T000000-r")
    promotion.promote(room, card.version, because="the model is being looked at")
    assert aliases(client) == {"challenger": newer}
    promotion.rollback(room)
    assert room.current_version() == version
    assert aliases(client)["champion"] == run.model_version


def test_a_pointer_that_moved_unseen_is_followed_by_the_next_command(tracked, first):
    room, run, client = tracked
    saved(room, first[1], "20300101T000000-d")
    room.set_current("20300101T000000-d")
    assert track.follow(room).sent == ("20300101T000000-d",)
    assert aliases(client)["champion"] == number(client, "20300101T000000-d")
    room.set_current(first[1].bundle.version)
    assert track.follow(room).problem is None
    assert aliases(client)["champion"] == run.model_version


def test_rules_are_registered_by_their_bundle(tracked, first):
    room, _, client = tracked
    found = rules(room, first[1], "20300101T000000-rules")
    run = track.log(room, replace(first[1], bundle=found, better_than_rules=None), market.options()).run
    version = client.get_model_version("leadlight-sql", run.model_version)
    assert version.source.endswith("/artifacts/bundle")
    assert version.tags["kind"] == "rules"
    assert run.model_version not in aliases(client).values()


def test_an_alias_that_was_moved_by_hand_is_put_back_when_asked(tracked):
    room, run, client = tracked
    client.delete_registered_model_alias("leadlight-sql", "champion")
    assert track.follow(room, thorough=True).problem is None
    assert aliases(client)["champion"] == run.model_version


def test_what_was_never_tracked_stays_so(trained):
    room, model = trained
    room.set_current(model.bundle.version)
    assert track.follow(room) == track.Followed("workspace")
    assert not (room.root / "mlflow.db").exists()
    assert not room.tracking.exists()


def test_a_broken_store_costs_no_run(trained):
    room, model = trained
    (room.root / "mlflow.db").write_text("this is no database" * 100)
    found = track.log(room, model, market.options())
    assert found.run is None
    assert "not a database); move that file away" in found.followed.problem
    assert found.followed.waiting == (model.bundle.version,)
    (note,) = found.followed.notes()
    assert "1 run is kept in the workspace" in note
    assert len(note.splitlines()) == 1
    (room.root / "mlflow.db").unlink()
    assert track.follow(room).sent == (model.bundle.version,)


def test_a_run_that_cannot_be_kept_is_told(trained, monkeypatch):
    room, model = trained

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(track.track_facts, "draw", full)
    found = track.log(room, model, market.options())
    assert "the run could not be kept for MLflow: " in found.followed.problem
    assert "o space left on device" in found.followed.problem
    assert track_queue.waiting(room) == []


def test_a_bundle_that_cannot_be_verified_holds_up_no_other(trained, monkeypatch):
    room, model = trained
    sent = []
    monkeypatch.setattr(track_upload, "align", lambda *_, **__: ())
    monkeypatch.setattr(track, "opened", nullcontext)

    def send(_, store, entry, __):
        if entry.version.endswith("bad"):
            raise track.BundleError("the signature does not hold")
        sent.append(entry.version)
        return track_queue.Sent("f" * 32, "1")

    monkeypatch.setattr(track_upload, "send", send)
    for version in ("20200101T000000-bad", "20200101T000000-good"):
        bundle = saved(room, model, version)
        with track_queue.put(room, version, **track._told(bundle, Store.own(room), {}, {})):
            pass
    found = track.follow(room)
    assert sent == ["20200101T000000-good"]
    assert found.waiting == ("20200101T000000-bad",)
    assert "the signature does not hold" in found.problem


def test_runs_for_another_address_wait_for_it(trained, monkeypatch):
    room, model = trained
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert track.log(room, model, market.options()).followed.waiting == (model.bundle.version,)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    found = track.follow(room)
    assert found.elsewhere == {"http://127.0.0.1:9": (model.bundle.version,)}
    assert "waiting for `http://127.0.0.1:9`" in found.notes()[0]
    assert not (room.root / "mlflow.db").exists()
    assert track.follow(room, everything=True).sent == (model.bundle.version,)
