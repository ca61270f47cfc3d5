import re
import shutil
from dataclasses import replace

import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.errors import BundleMissingError, BundleTamperedError, InputError, NotEnoughDataError, WorkspaceError
from leadlight.schema import DAY
from scoring import chosen
from tests.training import market
from tests.training.variants import LEAK, rules, saved, worse
from training import history, promotion, track, versus
from training.track import Followed

NEW = "20300101T000000-new"
OLD = "20200101T000000-old"


def no_better(model):
    return replace(model, better_than_rules=False)


def serving(room, version):
    """Let a version serve, as a training does."""
    history.put(room, version, "train", expected=history.served(room))


def test_a_model_that_beats_the_rules_serves(trained):
    room, model = trained
    found = promotion.settle(room, model)
    assert room.current_version() == found.current == model.bundle.version
    assert found.champion
    assert "beats the rules" in found.why
    assert history.changes(room)[-1].action == "train"


def test_it_says_whom_it_replaces_and_that_the_question_changed(trained):
    room, model = trained
    saved(room, model, "20200101T000000-a")
    serving(room, "20200101T000000-a")
    assert promotion.settle(room, model).why.endswith("instead of `20200101T000000-a`")
    saved(room, model, "20200101T000000-b", target="customer")
    serving(room, "20200101T000000-b")
    assert "PREDICTED `customer`, SO THE TWO WERE NOT COMPARED" in promotion.settle(room, model).why
    saved(room, model, "20200101T000000-c", horizon_us=5 * DAY)
    serving(room, "20200101T000000-c")
    assert "ANOTHER HORIZON" in promotion.settle(room, model).why


def test_a_model_that_does_not_beat_the_rules_leaves_what_serves(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    found = promotion.settle(room, no_better(model))
    assert room.current_version() == found.current == OLD
    assert not found.champion
    assert found.fallback is None
    assert "does not beat the rules" in found.why


def test_a_model_that_is_worse_than_the_champion_is_its_challenger(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    bad = worse(room, model, NEW)
    scores = model.test.with_columns(model=1 - model.test["model"])
    found = promotion.settle(room, replace(model, bundle=bad, test=scores))
    assert room.current_version() == found.current == OLD
    assert not found.champion
    assert f"worse than the champion `{OLD}` in log loss and AUC" in found.why
    assert found.versus.worse_in()


def test_a_champion_with_a_later_cut_is_met_where_neither_has_learnt(trained, monkeypatch):
    """Before its cut the champion knows every outcome: there it would beat anybody."""
    room, model = trained
    cut = market.CUT + 40 * DAY
    saved(room, model, OLD, training={"test_from": cut})
    serving(room, OLD)
    real, learnt = versus._scored, pl.col("as_of") < cut

    def remembered(workspace, bundle, asked, name):
        known = real(workspace, bundle, asked, name)
        if bundle.version != OLD:
            return known
        return known.with_columns(pl.when(learnt).then(pl.col("label") * 0.98 + 0.01).otherwise(name).alias(name))

    monkeypatch.setattr(versus, "_scored", remembered)
    assert versus.compare(room, model.bundle, chosen.load(room, OLD), start=market.CUT).worse_in()
    found = promotion.settle(room, model)
    assert found.champion
    assert found.versus.chosen.start == cut
    assert (found.versus.only_a, found.versus.notes) == (0, ())
    assert 0 < found.versus.comparison.rows < model.comparison.rows


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (333, "the champion learnt from what lies before 2025-09-02, and .* are too few to compare the two"),
        (340, f"it cannot be compared with the champion `{OLD}`: nothing was recorded from 2025-09-09"),
    ],
)
def test_where_the_champion_has_seen_nearly_all_a_model_is_its_challenger(trained, days, told):
    room, model = trained
    saved(room, model, OLD, training={"test_from": market.START + days * DAY})
    serving(room, OLD)
    found = promotion.settle(room, model)
    assert not found.champion
    assert room.current_version() == found.current == OLD
    assert re.search(rf"the model may not replace what serves: {told}", found.why)


@pytest.mark.parametrize("error", [InputError, NotEnoughDataError, WorkspaceError])
def test_what_cannot_be_compared_with_the_champion_is_its_challenger(trained, monkeypatch, error):
    """The bundle is on disk by then: whatever keeps the two from being compared is told, and the training ends well."""
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)

    def fails(*_arguments, **_options):
        raise error("the tables are gone")

    monkeypatch.setattr(versus, "compare", fails)
    found = promotion.settle(room, model)
    assert room.current_version() == found.current == OLD
    assert (found.champion, found.versus) == (False, None)
    assert f"it cannot be compared with the champion `{OLD}`: the tables are gone; `{OLD}` goes on serving" in found.why


def test_a_model_with_a_leak_does_not_serve(trained):
    room, model = trained
    leaking = saved(room, model, NEW, audit=[{**LEAK, "kind": "model"}])
    found = promotion.settle(room, replace(model, bundle=leaking))
    assert room.current_version() == found.current == found.fallback.version
    assert "`later`: it is filled after the outcome" in found.why


def test_nothing_begins_to_serve_with_a_leak_in_the_data_itself(trained):
    room, model = trained
    rules = replace(model.bundle.scorer, kind="rules", booster=None, specs=(), encodings={}, linear=None)
    for scorer in (model.bundle.scorer, rules):
        leaking = saved(room, replace(model, bundle=replace(model.bundle, scorer=scorer)), NEW, audit=[LEAK])
        found = promotion.settle(room, replace(model, bundle=leaking))
        assert (found.current, found.champion, history.served(room)) == (None, False, None)
        assert "`later`: it is filled after the outcome" in found.why
        assert found.why.endswith("nothing serves")
        shutil.rmtree(room.bundle_path(NEW))
    saved(room, model, OLD)
    serving(room, OLD)
    assert promotion.settle(room, replace(model, bundle=leaking)).current == OLD


def test_promoting_what_serves_with_a_leak_tells_it(trained):
    room, model = trained
    saved(room, model, NEW, audit=[LEAK])
    serving(room, NEW)
    found = promotion.promote(room, NEW, because="it serves")
    assert found.promoted
    assert found.judged.leaks == ("`later`: it is filled after the outcome",)


def test_a_scorecard_needs_only_not_to_be_worse_than_the_rules(trained):
    room, model = trained
    differences = {m: {"rules": {"verdict": "not distinguishable"}} for m in ("log_loss", "auc")}
    card = replace(model.bundle.scorer, kind="scorecard")
    asked = {**model.bundle.training, "ladder": {"rung": "scorecard", "asked": True}}
    by_hand = replace(
        model.bundle, scorer=card, metrics={**model.bundle.metrics, "differences": differences}, training=asked
    )
    found = promotion.settle(room, replace(model, bundle=by_hand, better_than_rules=False))
    assert not found.champion
    assert "the scorecard does not beat the rules in both log loss and AUC; it was asked for by --rung" in found.why
    assert "the scorecard stays as a challenger" in found.why
    bundle = replace(by_hand, training={**asked, "ladder": {"rung": "scorecard", "asked": False}})
    found = promotion.settle(room, replace(model, bundle=bundle, better_than_rules=False))
    assert found.champion
    assert "the ladder chose the scorecard, and it is not worse than the rules beyond noise" in found.why
    differences["auc"]["rules"]["verdict"] = "worse"
    other = replace(bundle, version=NEW)
    assert "worse than the rules in AUC" in promotion.settle(room, replace(model, bundle=other)).why
    nothing = replace(bundle, version=NEW, metrics={})
    assert "could not be compared" in promotion.settle(room, replace(model, bundle=nothing)).why


def test_a_scorecard_that_was_asked_for_and_beats_the_rules_serves(trained):
    room, model = trained
    training = {**model.bundle.training, "ladder": {"rung": "scorecard", "asked": True}}
    bundle = replace(model.bundle, scorer=replace(model.bundle.scorer, kind="scorecard"), training=training)
    found = promotion.settle(room, replace(model, bundle=bundle))
    assert found.champion
    assert found.why.startswith("the scorecard beats the rules in log loss and AUC, so it serves")


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
    bare = replace(model.bundle.scorer, kind="rules", specs=(), booster=None)
    told = replace(model, bundle=replace(model.bundle, scorer=bare), better_than_rules=None, why="no model: too few")
    first = promotion.settle(room, told)
    assert room.current_version() == first.current
    assert "no model: too few; nothing served yet" in first.why
    saved(room, model, NEW)
    serving(room, NEW)
    assert promotion.settle(room, told).current == room.current_version() == NEW


def test_the_first_bundle_is_measured_against_the_rules(trained):
    room, model = trained
    saved(room, model, NEW)
    done = promotion.promote(room, NEW)
    assert done.promoted
    assert done.champion
    assert done.judged.versus.other == "rules"
    assert room.current_version() == NEW
    assert not (room.root / "mlflow.db").exists()
    bad = worse(room, model, OLD)
    shutil.rmtree(room.bundle_path(NEW))
    refused = promotion.promote(room, bad.version)
    assert not refused.promoted
    assert "worse than the rules in log loss and AUC" in refused.judged.reasons[0]


def test_the_rules_may_be_the_first_without_a_comparison(trained):
    room, model = trained
    done = promotion.promote(room, rules(room, model, NEW, audit=None).version)
    assert done.promoted
    assert not done.champion
    assert done.judged.versus is None


def test_a_promotion_needs_to_be_no_worse_than_the_champion(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    bad = worse(room, model, NEW)
    refused = promotion.promote(room, bad.version)
    assert not refused.promoted
    assert room.current_version() == OLD
    assert refused.judged.versus.b.version == OLD
    assert refused.to_json()["comparison"]["differences"]["log_loss"]["b"]["verdict"] == "worse"
    assert history.changes(room)[-1].version == OLD
    equal = saved(room, model, "20300101T000000-equal")
    done = promotion.promote(room, equal.version)
    assert (done.promoted, done.previous, done.because) == (True, OLD, None)


def test_a_reason_overrides_the_evidence_and_is_kept(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    bad = worse(room, model, NEW)
    with pytest.raises(InputError, match="the reason is empty"):
        promotion.promote(room, bad.version, because=" ")
    done = promotion.promote(room, bad.version, because="the old one's data source ended")
    assert done.promoted
    assert done.judged.reasons
    assert history.changes(room)[-1].because == done.because == "the old one's data source ended"


def test_no_reason_overrides_a_leak(trained):
    room, model = trained
    saved(room, model, NEW, audit=[LEAK])
    refused = promotion.promote(room, NEW, because="it looks superb")
    assert not refused.promoted
    assert refused.judged.leaks == ("`later`: it is filled after the outcome",)
    assert history.served(room) is None
    saved(room, model, OLD, audit=[{**LEAK, "resolved": True}])
    assert promotion.promote(room, OLD).promoted


def test_what_was_never_audited_needs_a_reason(trained):
    room, model = trained
    saved(room, model, NEW, audit=None)
    assert "never audited" in promotion.promote(room, NEW).judged.reasons[0]
    assert promotion.promote(room, NEW, because="made by hand").promoted


def test_another_question_needs_a_reason(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    saved(room, model, NEW, target="customer")
    refused = promotion.promote(room, NEW)
    assert "their probabilities mean different things" in refused.judged.reasons[0]
    assert refused.judged.versus is None


def test_without_tables_there_is_nothing_to_compare_on(trained):
    room, model = trained
    saved(room, model, NEW)
    (room.root / "tables.json").unlink()
    assert "it cannot be compared: workspace" in promotion.promote(room, NEW).judged.reasons[0]
    assert promotion.promote(room, NEW, because="a machine without tables").promoted


def test_a_champion_that_cannot_be_trusted_gives_way(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    (room.bundle_path(OLD) / "scorer.json").write_text("{}")
    saved(room, model, NEW)
    done = promotion.promote(room, NEW)
    assert done.promoted
    assert done.judged.versus.other == "rules"
    assert done.to_json()["note"].startswith(f"not compared with what serves, which cannot be read: bundle `{OLD}`")


def test_a_suspect_that_nobody_allowed_needs_a_reason(trained):
    room, model = trained
    saved(room, model, NEW, audit=[{**LEAK, "verdict": "suspect"}])
    refused = promotion.promote(room, NEW)
    assert not refused.promoted
    assert "suspect, and that is not resolved: `later`" in refused.judged.reasons[0]
    assert promotion.promote(room, NEW, because="asked in the first call").promoted


def test_a_copied_folder_is_not_promoted(trained):
    room, model = trained
    shutil.copytree(room.bundle_path(model.bundle.version), room.bundle_path(NEW))
    with pytest.raises(BundleTamperedError, match="was copied or renamed"):
        promotion.promote(room, NEW)
    assert history.served(room) is None


def test_promoting_what_serves_changes_nothing(trained):
    room, model = trained
    saved(room, model, OLD)
    serving(room, OLD)
    done = promotion.promote(room, OLD)
    assert (done.promoted, done.previous) == (True, OLD)
    assert len(history.changes(room)) == 1


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


def test_rollback_goes_back_one_step_at_a_time(trained):
    room, model = trained
    for version in (OLD, "20250101T000000-mid", NEW):
        saved(room, model, version)
        assert promotion.promote(room, version).promoted
    done = promotion.rollback(room)
    assert (done.version, done.previous, done.promoted, done.champion) == ("20250101T000000-mid", NEW, True, True)
    assert promotion.rollback(room).version == room.current_version() == OLD
    with pytest.raises(BundleMissingError, match=f"nothing served before `{OLD}`"):
        promotion.rollback(room)


def test_what_served_twice_does_not_come_back_for_ever(trained):
    room, model = trained
    for version in (OLD, NEW):
        saved(room, model, version)
        assert promotion.promote(room, version).promoted
    assert promotion.promote(room, OLD).promoted
    assert [promotion.rollback(room).version for _ in range(2)] == [NEW, OLD]
    with pytest.raises(BundleMissingError, match=f"nothing served before `{OLD}`"):
        promotion.rollback(room)


def test_a_pointer_that_was_set_by_hand_cannot_be_gone_back_from(trained):
    room, model = trained
    room.set_current(model.bundle.version)
    with pytest.raises(BundleMissingError, match="the history does not know what served before"):
        promotion.rollback(room)


def test_rollback_does_not_go_where_nothing_is_to_be_trusted(trained):
    room, model = trained
    with pytest.raises(BundleMissingError, match="no current bundle"):
        promotion.rollback(room)
    saved(room, model, OLD, audit=[LEAK])
    serving(room, OLD)
    saved(room, model, NEW)
    serving(room, NEW)
    assert promotion.rollback(room).judged.leaks
    (room.bundle_path(OLD) / "scorer.json").write_text("{}")
    with pytest.raises(BundleTamperedError):
        promotion.rollback(room)
    shutil.rmtree(room.bundle_path(OLD))
    with pytest.raises(BundleMissingError, match="models list"):
        promotion.rollback(room)
    assert room.current_version() == NEW


def test_mlflow_follows_every_decision(trained, monkeypatch):
    room, model = trained
    seen = []
    monkeypatch.setattr(track, "follow", lambda room: seen.append(history.served(room)) or Followed())
    for version in (OLD, NEW):
        saved(room, model, version)
        promotion.promote(room, version)
    promotion.promote(room, worse(room, model, "20300101T000000-worse").version)
    promotion.rollback(room)
    assert seen == [OLD, NEW, NEW, OLD]
