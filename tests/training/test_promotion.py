from dataclasses import replace

import pytest

from leadlight import bundle as bundles
from leadlight.errors import BundleMissingError, BundleTamperedError
from leadlight.schema import DAY
from training import promotion, track


def saved(room, model, version, **changes):
    """Write another bundle beside the trained one."""
    found = replace(model.bundle, version=version, scorer=replace(model.bundle.scorer, **changes))
    bundles.save(found, room.bundle_path(version), bundles.signing_key())
    return found


def no_better(model):
    return replace(model, better_than_rules=False)


def test_a_model_that_beats_the_rules_serves(trained):
    room, model = trained
    found = promotion.settle(room, model)
    assert room.current_version() == found.current == model.bundle.version
    assert found.champion
    assert "beats the rules" in found.why


def test_it_says_whom_it_replaces_and_that_the_question_changed(trained):
    room, model = trained
    saved(room, model, "20200101T000000-a")
    room.set_current("20200101T000000-a")
    assert promotion.settle(room, model).why.endswith("instead of `20200101T000000-a`")
    saved(room, model, "20200101T000000-b", target="customer")
    room.set_current("20200101T000000-b")
    assert "predicted `customer`: probabilities change their meaning" in promotion.settle(room, model).why
    saved(room, model, "20200101T000000-c", horizon_us=5 * DAY)
    room.set_current("20200101T000000-c")
    assert "another horizon" in promotion.settle(room, model).why


def test_a_model_that_does_not_beat_the_rules_leaves_what_serves(trained):
    room, model = trained
    saved(room, model, "20200101T000000-old")
    room.set_current("20200101T000000-old")
    found = promotion.settle(room, no_better(model))
    assert room.current_version() == found.current == "20200101T000000-old"
    assert not found.champion
    assert found.fallback is None
    assert "does not beat the rules" in found.why


@pytest.mark.parametrize("better", [False, None])
def test_where_nothing_serves_rules_on_the_same_rows_do(trained, better):
    room, model = trained
    found = promotion.settle(room, replace(model, better_than_rules=better))
    assert found.fallback is not None
    assert room.current_version() == found.current == found.fallback.version
    assert bundles.load(room.bundle_path(found.current), bundles.signing_key()).scorer.kind == "rules"
    assert model.bundle.version in room.bundle_versions()
    assert "rules fitted on the same rows serve" in found.why


def test_rules_serve_only_where_nothing_does(trained):
    room, model = trained
    rules = replace(model.bundle.scorer, kind="rules", specs=(), booster=None)
    told = replace(model, bundle=replace(model.bundle, scorer=rules), better_than_rules=None, why="no model: too few")
    first = promotion.settle(room, told)
    assert room.current_version() == first.current
    assert "no model: too few; nothing served yet" in first.why
    saved(room, model, "20300101T000000-new")
    room.set_current("20300101T000000-new")
    assert promotion.settle(room, told).current == room.current_version() == "20300101T000000-new"


def test_promotion_by_hand_moves_the_pointer_and_says_that_mlflow_is_away(trained):
    room, model = trained
    done = promotion.promote(room, model.bundle.version)
    assert room.current_version() == model.bundle.version
    assert done.champion
    assert done.previous is None
    assert "has no MLflow store" in done.problem
    assert not (room.root / "mlflow.db").exists()


def test_promotion_by_hand_tells_mlflow_whether_it_beats_the_rules(trained, monkeypatch):
    room, model = trained
    crowned = []
    monkeypatch.setattr(track, "crown", lambda *_, champion: crowned.append(champion) or "7")
    assert promotion.promote(room, model.bundle.version).model_version == "7"
    found = saved(room, model, "20300101T000000-rules", kind="rules", specs=(), booster=None)
    done = promotion.promote(room, found.version)
    assert (done.champion, done.previous) == (False, model.bundle.version)
    assert crowned == [True, False]


def test_a_bundle_that_is_not_there_or_does_not_hold_is_not_promoted(trained):
    room, model = trained
    room.set_current(model.bundle.version)
    with pytest.raises(BundleMissingError, match="models list"):
        promotion.promote(room, "unknown")
    saved(room, model, "20300101T000000-bad")
    (room.bundle_path("20300101T000000-bad") / "scorer.json").write_text("{}")
    with pytest.raises(BundleTamperedError):
        promotion.promote(room, "20300101T000000-bad")
    assert room.current_version() == model.bundle.version


def test_better_than_the_rules_is_read_from_the_bundle(trained):
    bundle = trained[1].bundle
    assert promotion.beats_rules(bundle) is True
    assert promotion.beats_rules(replace(bundle, metrics={})) is False
    rules = replace(bundle, scorer=replace(bundle.scorer, kind="rules", specs=(), booster=None))
    assert promotion.beats_rules(rules) is None
