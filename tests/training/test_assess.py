import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight.errors import InputError
from leadlight.schema import DAY
from tests.training import market
from training import assess, pipeline

END = market.START + market.DAYS * DAY


def test_the_test_period_gives_the_figures_of_the_training(trained):
    room, model = trained
    found = assess.assess(room, model.bundle, market.CUT, END)
    assert found.comparison.rows == model.comparison.rows
    for scorer in ("model", "rules", "base_rate"):
        for metric in ("auc", "log_loss", "brier"):
            ours, theirs = (one.metrics[metric][scorer].value for one in (found.comparison, model.comparison))
            assert ours == pytest.approx(theirs, abs=1e-9)
    assert not any("NOT out of time" in note for note in found.notes)
    json.dumps(found.to_json(), allow_nan=False)


def test_the_rules_beside_a_scorecard_are_those_that_stand_alone(frames, tmp_path):
    """Its own rule link is only what the features leave to the points, and no probability by itself."""
    room = market.publish(tmp_path / "ws", frames)
    trained = pipeline.train(room, market.options(rung="scorecard", features=market.FEW_FEATURES))
    scorer = trained.bundle.scorer
    assert scorer.rule_line != (scorer.rule_a, scorer.rule_b)
    told = trained.comparison.metrics["log_loss"]["rules"].value
    found = assess.assess(room, trained.bundle, market.CUT, END)
    assert found.comparison.metrics["log_loss"]["rules"].value == pytest.approx(told, abs=1e-9)
    fallback = assess.assess(room, pipeline.rules_bundle(room, trained), market.CUT, END)
    assert fallback.comparison.metrics["log_loss"]["model"].value == pytest.approx(told, abs=1e-9)


def test_every_open_snapshot_is_predicted_and_only_mature_ones_are_measured(trained):
    room, model = trained
    found = assess.assess(room, model.bundle, market.CUT, END, ages_us=(DAY, 7 * DAY))
    frame = found.predictions
    assert frame["as_of"].min() >= market.CUT
    assert frame.filter(pl.col("as_of") <= END - market.HORIZON)["label"].null_count() == 0
    late = frame.filter(pl.col("as_of") > END - market.HORIZON)
    assert set(late["label"].drop_nulls()) <= {1.0}
    assert late["label"].null_count() > 0
    assert found.comparison.rows == frame.height - late.height
    assert any(f"{late.height:,} snapshots are scored but not measured" in note for note in found.notes)
    data = found.to_json()
    assert data["immature"] == late.height
    assert data["censored"] == frame["label"].null_count()
    odds = np.log(frame["probability"] / (1 - frame["probability"])) - np.log(0.3 / 0.7)
    assert frame["score"].to_numpy() == pytest.approx(50 + 10 * odds.to_numpy() / np.log(2), abs=1e-6)


def test_a_period_before_the_cut_is_called_what_it_is(trained):
    room, model = trained
    found = assess.assess(room, model.bundle, market.CUT - DAY, END + 10 * DAY)
    assert any("NOT out of time" in note and "2025-06-01" in note for note in found.notes)
    assert any("the record ends" in note for note in found.notes)


def test_periods_and_bundles_that_mean_nothing_are_refused(trained):
    room, model = trained
    for start, end in ((END + DAY, END + 2 * DAY), (market.CUT, market.CUT)):
        with pytest.raises(InputError, match="is no period of the record"):
            assess.assess(room, model.bundle, start, end)
    with pytest.raises(InputError, match="train again"):
        assess.assess(room, replace(model.bundle, training={}), market.CUT, END)


def test_a_period_without_a_mature_snapshot_has_predictions_but_no_figures(trained):
    room, model = trained
    found = assess.assess(room, model.bundle, END - 10 * DAY, END)
    assert found.predictions.height
    assert found.comparison.rows == 0
    assert found.to_json()["verdict"].startswith("Nothing can be said")
