from leadlight.workspace import Workspace
from tests.training.variants import LEAK, rules, saved
from training import models, track_queue
from training.track_queue import Sent
from training.track_store import OWN


def test_bundles_are_listed_newest_first_with_their_figures(trained):
    room, model = trained
    rules(room, model, "20200101T000000-rules")
    room.set_current("20200101T000000-rules")
    new, old = models.listed(room)
    assert (new.version, new.current, new.kind) == (model.bundle.version, False, "lightgbm")
    assert new.better_than_rules is True
    assert new.log_loss["model"] < new.log_loss["rules"]
    assert new.auc["model"] == model.comparison.metrics["auc"]["model"].value
    assert new.test_rows == model.comparison.rows
    assert new.trained_at == model.bundle.training["trained_at"]
    assert (old.current, old.champion, old.kind, old.better_than_rules) == (True, False, "rules", None)


def test_champion_audit_rung_and_run_are_listed(trained):
    room, model = trained
    saved(room, model, "20300101T000000-a", training={"ladder": {"rung": "model"}})
    saved(room, model, "20300101T000000-b", audit=[LEAK])
    room.set_current("20300101T000000-a")
    entry = track_queue.Entry(room.root / "none", OWN, "20300101T000000-a", 0, "sql", "lightgbm", "", {}, {}, {})
    track_queue.done(room, entry, OWN, Sent("f" * 32, "3"))
    b, a, _ = models.listed(room)
    assert (a.champion, a.audit, a.rung, a.run_id, a.model_version) == (True, "clean", "model", "f" * 32, "3")
    assert (b.champion, b.audit, b.rung, b.run_id) == (False, "leak", "model", None)


def test_what_cannot_be_trusted_is_listed_as_such(trained):
    room, model = trained
    (room.bundle_path(model.bundle.version) / "model.txt").write_text("tree")
    (room.bundles / "20200101T000000-empty").mkdir()
    (room.bundles / "20190101T000000-blocked" / "manifest.json").mkdir(parents=True)
    tampered, empty, blocked = models.listed(room)
    assert (blocked.state, blocked.auc) == ("unreadable", None)
    assert tampered.state == "tampered"
    assert "`model.txt` was changed" in tampered.problem
    assert tampered.auc is None
    assert empty.state == "unreadable"
    assert empty.to_json()["problem"] == empty.problem


def test_an_empty_workspace_lists_nothing(tmp_path):
    assert models.listed(Workspace.at(tmp_path)) == []
