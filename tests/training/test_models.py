from dataclasses import replace

from leadlight import bundle as bundles
from leadlight.workspace import Workspace
from training import models


def test_bundles_are_listed_newest_first_with_their_figures(trained):
    room, model = trained
    rules = replace(model.bundle.scorer, kind="rules", specs=(), booster=None)
    older = replace(model.bundle, version="20200101T000000-rules", scorer=rules)
    bundles.save(older, room.bundle_path(older.version), bundles.signing_key())
    room.set_current(older.version)
    new, old = models.listed(room)
    assert (new.version, new.current, new.kind) == (model.bundle.version, False, "lightgbm")
    assert new.better_than_rules is True
    assert new.log_loss["model"] < new.log_loss["rules"]
    assert new.auc["model"] == model.comparison.metrics["auc"]["model"].value
    assert new.test_rows == model.comparison.rows
    assert (old.current, old.kind, old.better_than_rules) == (True, "rules", None)


def test_what_cannot_be_trusted_is_listed_as_such(trained):
    room, model = trained
    (room.bundle_path(model.bundle.version) / "model.txt").write_text("tree")
    (room.bundles / "20200101T000000-empty").mkdir()
    tampered, empty = models.listed(room)
    assert tampered.state == "tampered"
    assert "`model.txt` was changed" in tampered.problem
    assert tampered.auc is None
    assert empty.state == "unreadable"
    assert empty.to_json()["problem"] == empty.problem


def test_an_empty_workspace_lists_nothing(tmp_path):
    assert models.listed(Workspace.at(tmp_path)) == []
