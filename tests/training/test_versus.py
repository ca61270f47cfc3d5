from dataclasses import replace

import pytest

from leadlight.errors import InputError
from leadlight.schema import DAY
from tests.training import market
from tests.training.variants import saved, worse
from training import versus


def test_the_same_scorer_twice_cannot_be_told_apart(trained):
    room, model = trained
    a, b = saved(room, model, "20300101T000000-a"), saved(room, model, "20300101T000000-b")
    found = versus.compare(room, a, b)
    assert found.worse_in() == ()
    assert found.comparison.differences["log_loss"]["b"].value == 0
    assert (found.only_a, found.only_b, found.notes) == (0, 0, ())
    assert found.told()


def test_the_slice_is_the_test_side_and_the_figures_are_those_of_the_training(trained):
    room, model = trained
    a = saved(room, model, "20300101T000000-a")
    found = versus.compare(room, a, None)
    assert found.comparison.rows == model.comparison.rows
    assert found.comparison.positives == model.comparison.positives
    for metric in ("log_loss", "auc"):
        value = found.comparison.metrics[metric]["a"].value
        assert value == pytest.approx(model.comparison.metrics[metric]["model"].value, abs=1e-9)
    assert set(found.comparison.ece_bar.values()) == {None}  # several ages: rows of one lead depend on each other
    assert found.other == "rules"
    assert found.to_json()["from"] == "2025-06-01"
    assert found.to_json()["b"] is None


def test_the_worse_one_is_worse_beyond_noise(trained):
    room, model = trained
    a, b = worse(room, model, "20300101T000000-a"), saved(room, model, "20300101T000000-b")
    assert versus.compare(room, a, b).worse_in() == ("log loss", "AUC")
    assert versus.compare(room, b, a).worse_in() == ()
    difference = versus.compare(room, a, b).comparison.differences["auc"]["b"]
    assert difference.low < difference.value < difference.high < 0
    assert difference.standard_error > 0


def test_the_slice_begins_at_the_later_cut_and_has_the_ages_of_both(trained):
    room, model = trained
    later = {"test_from": market.CUT + 20 * DAY, "ages_us": [7 * DAY, 14 * DAY]}
    a = saved(room, model, "20300101T000000-a")
    b = saved(room, model, "20300101T000000-b", training=later)
    for found in (versus.compare(room, a, b), versus.compare(room, b, a)):
        assert found.chosen.start == market.CUT + 20 * DAY
        assert found.chosen.ages_us == (7 * DAY,)
        assert found.comparison.rows < model.comparison.rows
        assert None not in found.comparison.ece_bar.values()
    early = versus.compare(room, a, b, start=market.CUT, ages_us=(DAY,))
    assert early.chosen.ages_us == (DAY,)
    assert "NOT out of time: bundle `20300101T000000-b`" in early.notes[0]


def test_hygiene_is_each_ones_own(trained):
    room, model = trained
    a = saved(room, model, "20300101T000000-a")
    b = saved(room, model, "20300101T000000-b", training={"hygiene": None})
    found = versus.compare(room, a, b)
    assert found.comparison.rows + found.only_a == model.comparison.rows
    assert found.only_b >= 0


def test_known_scores_are_not_computed_again(trained, monkeypatch):
    room, model = trained
    scored = model.test.select("lead_id", "as_of", "age", "label", "rules", a="model")
    asked = []
    real = versus.batch.score_snapshots
    monkeypatch.setattr(versus.batch, "score_snapshots", lambda *words: asked.append(1) or real(*words))
    found = versus.compare(room, model.bundle, worse(room, model, "20300101T000000-b"), scored=scored)
    assert len(asked) == 1
    assert found.comparison.rows == model.comparison.rows
    assert found.comparison.metrics["auc"]["rules"].value == model.comparison.metrics["auc"]["rules"].value
    later = saved(room, model, "20300101T000000-c", training={"test_from": market.CUT + 20 * DAY})
    known = versus.compare(room, model.bundle, later, scored=scored)
    assert known.only_a == known.only_b == 0
    assert known.comparison.to_json() == versus.compare(room, model.bundle, later).comparison.to_json()


def test_different_questions_are_refused(trained):
    room, model = trained
    a = saved(room, model, "20300101T000000-a")
    with pytest.raises(InputError, match=r"predicts `sql` within 30d and .* `customer` within 30d"):
        versus.compare(room, a, saved(room, model, "20300101T000000-b", target="customer"))
    with pytest.raises(InputError, match="`sql` within 5d"):
        versus.compare(room, a, saved(room, model, "20300101T000000-c", horizon_us=5 * DAY))


def test_what_cannot_be_sliced_is_told(trained):
    room, model = trained
    a = saved(room, model, "20300101T000000-a")
    bare = replace(a, training={})
    with pytest.raises(InputError, match="does not say how it was trained"):
        versus.compare(room, a, bare)
    with pytest.raises(InputError, match="nothing was recorded from"):
        versus.compare(room, a, None, start=market.START + 999 * DAY)


def test_an_empty_slice_tells_nothing(trained):
    room, model = trained
    a = saved(room, model, "20300101T000000-a")
    found = versus.compare(room, a, None, start=market.START + (market.DAYS - 1) * DAY)
    assert found.comparison.rows == 0
    assert not found.told()
    assert not found.measured()
    assert versus.compare(room, a, None).measured()
