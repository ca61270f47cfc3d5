import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.errors import InputError, NotEnoughDataError, WorkspaceError
from leadlight.schema import DAY
from tests.training import market
from training import options as options_of
from training import pipeline
from training.split import training_rows


def text(trained) -> str:
    return trained.bundle.scorer.booster.model_to_string()


def without_clock(trained) -> dict:
    """Give what a training found without what depends on when it ran."""
    return {name: value for name, value in trained.bundle.training.items() if name not in {"trained_at", "generation"}}


def test_a_training_leaves_a_signed_bundle_that_gives_the_same_probabilities(first):
    room, trained = first
    assert trained.bundle.scorer.kind == "lightgbm"
    assert trained.better_than_rules
    loaded = bundles.load(room.bundle_path(trained.bundle.version), market.KEY.encode())
    assert loaded.training == trained.bundle.training
    assert loaded.metrics["rows"] == trained.test.height
    assert loaded.thresholds["model"]["rows"]
    assert not (room.bundles / "current").exists()


def test_reasons_add_up_on_every_test_row(first):
    assert first[1].reasons_max_error <= 1e-9


def test_the_test_side_is_after_the_cut_mature_and_complete(first):
    trained = first[1]
    as_of = trained.test["as_of"]
    assert as_of.min() >= market.CUT
    assert as_of.max() + market.HORIZON <= trained.split.until
    assert trained.comparison.rows == trained.test.height == trained.bundle.training["test"]["rows"]
    assert trained.test.select("model", "rules", "logistic", "odoo", "base_rate").null_count().sum_horizontal()[0] == 0
    assert "oracle" not in trained.test.columns


def test_provenance_says_what_the_bundle_was_made_from(first):
    told = first[1].bundle.training
    assert told["test_from"] == market.CUT
    assert told["seed"] == 0
    assert told["base_rate"] == pytest.approx(first[1].test["base_rate"][0])
    assert told["train"]["leads"] < market.LEADS
    assert len(told["trials"]) == 2
    assert "lead-0" not in json.dumps(told)


def test_the_same_seed_gives_the_same_model_and_figures(first, frames, tmp_path):
    again = pipeline.train(market.publish(tmp_path / "ws", frames), market.options())
    assert text(again) == text(first[1])
    assert again.comparison == first[1].comparison
    assert without_clock(again) == without_clock(first[1])


def test_what_happens_from_the_cut_on_changes_nothing_that_is_learnt(first, frames, tmp_path):
    """Every lead that is open at the cut reaches sql a day later, and everybody looks at prices."""
    leads = frames["leads"]["lead_id"]
    storm = pl.DataFrame(
        {
            "activity_id": [f"storm-{lead}" for lead in leads],
            "lead_id": leads,
            "type": ["pricing_view"] * len(leads),
            "occurred_at": [market.CUT + DAY] * len(leads),
            "actor": ["lead"] * len(leads),
        },
        schema_overrides=frames["activities"].schema,
    )
    wins = pl.DataFrame(
        {"lead_id": leads, "stage": ["sql"] * len(leads), "entered_at": [market.CUT + DAY] * len(leads)},
        schema_overrides=frames["stages"].schema,
    )
    past = {
        "activities": frames["activities"].filter(pl.col("occurred_at") < market.CUT),
        "stages": frames["stages"].filter(pl.col("entered_at") < market.CUT),
    }
    changed = {
        **frames,
        "activities": pl.concat([past["activities"], storm], how="diagonal"),
        "stages": pl.concat([past["stages"], wins], how="diagonal"),
    }
    room = market.publish(tmp_path / "ws", changed)
    again = pipeline.train(room, market.options())
    assert text(again) == text(first[1])
    learnt = ("slope", "intercept", "rule_a", "rule_b", "expected_value", "specs")
    for name in learnt:
        assert getattr(again.bundle.scorer, name) == getattr(first[1].bundle.scorer, name)
    assert again.bundle.training["base_rate"] == first[1].bundle.training["base_rate"]
    assert again.comparison != first[1].comparison


@pytest.mark.slow
def test_until_is_as_if_nothing_had_been_recorded_after_it(frames, tmp_path):
    until = market.START + 320 * DAY
    options = market.options(until=until, trials=1)
    whole = pipeline.train(market.publish(tmp_path / "whole", frames), options)
    shorter = {
        "leads": frames["leads"].filter(pl.col("created_at") < until),
        "activities": frames["activities"].filter(pl.col("occurred_at") < until),
        "stages": frames["stages"].filter(pl.col("entered_at") <= until),
    }
    short = pipeline.train(market.publish(tmp_path / "short", {**frames, **shorter}), options)
    assert text(short) == text(whole)
    assert short.comparison == whole.comparison
    assert short.bundle.thresholds == whole.bundle.thresholds
    assert without_clock(short) == without_clock(whole)
    assert whole.test["as_of"].max() + market.HORIZON <= until


def sparse(frames, positives):
    """Keep so many of the known successes before the cut."""
    won = frames["stages"].filter(pl.col("stage") == "sql")["lead_id"].unique(maintain_order=True)
    early = (
        frames["stages"]
        .filter(pl.col("stage") == "sql", pl.col("entered_at") < market.CUT)
        .join(frames["leads"].select("lead_id", "created_at"), on="lead_id")
        .filter(pl.col("entered_at") - pl.col("created_at") > 2 * DAY)
        .filter(pl.col("entered_at") - pl.col("created_at") < market.HORIZON)["lead_id"]
    )
    late = frames["stages"].filter(pl.col("stage") == "sql", pl.col("entered_at") >= market.CUT)["lead_id"]
    kept = [*early[:positives], *late]
    gone = set(won) - set(kept)
    stages = frames["stages"].filter(~((pl.col("stage") == "sql") & pl.col("lead_id").is_in(list(gone))))
    return {**frames, "stages": stages}


def with_winners(frames, count):
    """Keep the entries into sql of so many leads."""
    won = pl.col("stage") == "sql"
    kept = frames["stages"].filter(won)["lead_id"].head(count).implode()
    return {**frames, "stages": frames["stages"].filter(~won | pl.col("lead_id").is_in(kept))}


def test_studies_are_looked_at_only_where_enough_leads_reached_the_target_to_tune(frames, tmp_path):
    few = market.publish(tmp_path / "few", with_winners(frames, 24))
    enough = market.publish(tmp_path / "enough", with_winners(frames, 25))
    for room in (few, enough):
        room.studies_db.write_text("this is no database, however long it may be " * 50)
    asked = market.options(rung=None, features=market.FEW_FEATURES)
    trained = pipeline.train(few, asked)
    assert trained.bundle.training["ladder"]["rung"] != "model"
    for room, options in ((enough, asked), (few, replace(asked, rung="model"))):
        with pytest.raises(WorkspaceError, match="are damaged"):
            pipeline.train(room, options)
    assert few.studies_db.read_text().startswith("this is no database")
    assert enough.bundle_versions() == []


def test_fewer_than_25_known_successes_carry_no_model(frames, tmp_path):
    room = market.publish(tmp_path / "ws", sparse(frames, 24))
    with pytest.raises(NotEnoughDataError, match="24 leads are known to have succeeded at the cut, at least 25"):
        pipeline.train(room, market.options(trials=1))
    assert nothing_written(room)
    trained = pipeline.train(room, market.options(rung=None, features=market.FEW_FEATURES))
    assert trained.bundle.training["ladder"]["wins"] == 24
    assert trained.bundle.training["ladder"]["rung"] in {"rules", "scorecard"}
    assert trained.reasons_max_error <= 1e-9


def test_twenty_five_carry_one_if_it_is_asked_for(frames, tmp_path):
    room = market.publish(tmp_path / "ws", sparse(frames, 25))
    trained = pipeline.train(room, market.options(trials=1, features=market.FEW_FEATURES))
    assert trained.bundle.scorer.kind == "lightgbm"
    assert trained.bundle.scorer.slope > 0
    assert "as asked for" in trained.why


def test_the_ladder_chooses_where_nothing_is_asked_for(frames, tmp_path):
    trained = pipeline.train(
        market.publish(tmp_path / "ws", frames), market.options(rung=None, trials=1, features=market.FEW_FEATURES)
    )
    told = trained.bundle.training["ladder"]
    assert [line["rung"] for line in told["table"]] == ["prior", "rules", "scorecard", "model"]
    assert told["why"] == trained.why
    assert trained.bundle.scorer.kind in {"scorecard", "lightgbm"}
    assert trained.bundle.scorer.interval is not None
    assert trained.better_than_rules is not None


def test_one_class_only_stays_with_the_rules_and_says_why(frames, tmp_path):
    made = {**frames, "stages": frames["stages"].filter(pl.col("stage") != "sql")}
    trained = pipeline.train(
        market.publish(tmp_path / "ws", made), market.options(rung=None, features=market.FEW_FEATURES)
    )
    assert trained.bundle.training["ladder"]["wins"] == 0
    assert trained.bundle.scorer.kind in {"rules", "base_rate"}
    assert trained.bundle.scorer.specs == ()
    assert trained.better_than_rules is None
    assert trained.comparison.metrics["auc"]["model"] is None
    assert trained.comparison.metrics["log_loss"]["model"].low is None
    assert "logistic" not in trained.test.columns


def test_of_successes_alone_without_a_clock_the_prior_answers(frames, tmp_path):
    """A list of won deals only: a base rate near 1 is no answer to give to every lead."""
    ranks = frames["leads"].with_columns(created_at=pl.int_range(pl.len()) * 60_000_000)
    none = {"reason": pl.lit(None, pl.String), "amount": pl.lit(None, pl.Float64)}
    stages = ranks.select("lead_id", stage=pl.lit("sql"), entered_at=pl.col("created_at") + 30_000_000, **none)
    made = {**frames, "leads": ranks, "stages": stages, "activities": frames["activities"].clear()}
    known = replace(market.info(clock="order"), observed_until=int(ranks["created_at"].max()) + 30_000_000)
    asked = market.options(test_from=0.7, horizon_us=None, ages_us=(), rung=None)
    trained = pipeline.train(market.publish(tmp_path / "ws", made, known), asked)
    assert trained.bundle.training["ladder"]["rung"] == "prior"
    assert "only successes are known" in trained.why
    assert trained.test["model"].max() < 0.9


def test_too_few_negatives_carry_no_model_either(tmp_path):
    made = market.by_hand(*(market.one(f"w{n}", n / 10, sql=n / 10 + 5) for n in range(400)))
    room = market.publish(tmp_path / "ws", made)
    trained = pipeline.train(room, market.options(test_from=market.START + 30 * DAY, rung=None))
    assert trained.bundle.scorer.kind in {"rules", "base_rate"}
    assert trained.bundle.training["ladder"]["losses"] == 0


def nothing_written(room):
    return not room.bundles.exists() or not list(room.bundles.iterdir())


def test_when_every_outcome_is_censored_the_prior_answers(tmp_path):
    made = market.by_hand(*(market.one(f"l{n}", n / 10) for n in range(100)))
    room = market.publish(tmp_path / "ws", made)
    asked = market.options(test_from=market.START + 12 * DAY)
    with pytest.raises(NotEnoughDataError, match="0 leads are known to have succeeded"):
        pipeline.train(room, asked)
    assert nothing_written(room)
    trained = pipeline.train(room, replace(asked, rung=None))
    scorer = trained.bundle.scorer
    assert trained.bundle.training["ladder"]["rung"] == "prior"
    assert (scorer.kind, scorer.specs, scorer.interval) == ("rules", (), None)
    assert trained.card.is_file()


def test_nothing_before_the_cut(frames, tmp_path):
    room = market.publish(tmp_path / "ws", frames)
    with pytest.raises(NotEnoughDataError):
        pipeline.train(room, market.options(test_from=market.START - DAY))
    with pytest.raises(NotEnoughDataError, match="there is nothing to audit"):
        pipeline.train(room, market.options(test_from=market.START - DAY, horizon_us=None))
    assert nothing_written(room)


def test_a_cut_after_the_record(frames, tmp_path):
    room = market.publish(tmp_path / "ws", frames)
    with pytest.raises(InputError, match="--test-from"):
        pipeline.train(room, market.options(test_from=market.START + 400 * DAY))
    assert nothing_written(room)


def test_a_cut_too_late_for_mature_test_rows_trains_and_says_that_nothing_can_be_said(frames, tmp_path):
    room = market.publish(tmp_path / "ws", frames)
    trained = pipeline.train(
        room, market.options(test_from=market.START + 350 * DAY, trials=1, features=market.FEW_FEATURES)
    )
    assert trained.comparison.rows == 0
    assert not trained.better_than_rules
    assert trained.reasons_max_error is None


def test_no_bundle_is_half_written_when_something_raises(frames, tmp_path, monkeypatch):
    room = market.publish(tmp_path / "ws", frames)

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(bundles.Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        pipeline.train(room, market.options(trials=1, features=market.FEW_FEATURES))
    assert nothing_written(room)


def test_an_attribute_of_unknown_time_is_used_only_where_allowed(frames, tmp_path, first):
    assert all(spec.attribute != "later" for spec in first[1].bundle.scorer.specs)
    room = market.publish(tmp_path / "ws", frames)
    trained = pipeline.train(room, market.options(trials=1, features=market.FEW_FEATURES, allow={"later": "known"}))
    assert any(spec.attribute == "later" for spec in trained.bundle.scorer.specs)
    assert trained.bundle.training["allowed"] == {"later": "known"}
    with pytest.raises(InputError, match="did you mean `later`"):
        pipeline.train(room, market.options(allow={"latr": "known"}))


def test_data_with_an_order_but_no_clock(frames, tmp_path):
    ranks = frames["leads"].with_columns(created_at=pl.int_range(pl.len()) * 60_000_000)
    won = frames["stages"].filter(pl.col("stage") == "sql").join(ranks, on="lead_id")
    stages = won.select("lead_id", "stage", entered_at=pl.col("created_at") + 30_000_000).with_columns(
        reason=pl.lit(None, pl.String), amount=pl.lit(None, pl.Float64)
    )
    made = {**frames, "leads": ranks, "stages": stages, "activities": frames["activities"].clear()}
    known = replace(market.info(clock="order"), observed_until=int(ranks["created_at"].max()) + 30_000_000)
    room = market.publish(tmp_path / "ws", made, known)
    trained = pipeline.train(
        room, market.options(test_from=0.7, horizon_us=None, ages_us=(), trials=1, allow={"later": "known"})
    )
    assert trained.split.horizon_us is None
    assert trained.test.height == 360
    assert trained.test["lead_id"].n_unique() == 360
    assert trained.bundle.thresholds["model"] is None
    assert trained.bundle.training["clock"] == "order"
    assert trained.reasons_max_error <= 1e-9
    assert trained.comparison.metrics["auc"]["model"].value > 0.6  # `later` knows


def test_the_oracle_is_asked_for_the_test_rows_and_compared(frames, tmp_path):
    asked = []

    def oracle(lead_ids, as_of, target, horizon_us):
        asked.append((len(lead_ids), target, horizon_us))
        assert as_of.min() >= market.CUT
        return np.full(len(lead_ids), 0.2)

    trained = pipeline.train(
        market.publish(tmp_path / "ws", frames), market.options(trials=1, features=market.FEW_FEATURES), oracle=oracle
    )
    assert asked == [(trained.test.height, "sql", market.HORIZON)]
    assert trained.comparison.metrics["auc"]["oracle"].value == 0.5


def test_steps_are_told_and_timed(first, tmp_path, frames):
    steps = ["features", "ladder", "fit", "evaluate", "thresholds", "model card"]
    assert list(first[1].seconds) == steps
    told, counted = [], []
    pipeline.train(
        market.publish(tmp_path / "ws", frames),
        market.options(trials=1, features=market.FEW_FEATURES),
        say=told.append,
        progress=lambda *done: counted.append(done),
    )
    assert [line.split(":")[0] for line in told] == [
        "features",
        "ladder",
        "fit",
        "evaluate",
        "thresholds",
        "model card",
    ]
    assert (counted[0], counted[-1]) == ((1, 1), (100, 100))  # a recipe that was tried, and replicates


def test_rules_of_the_same_training_can_serve_instead(trained):
    room, model = trained
    found = pipeline.rules_bundle(room, model)
    loaded = bundles.load(room.bundle_path(found.version), market.KEY.encode())
    assert loaded.scorer.kind == "rules"
    a, b = model.bundle.scorer.rule_line
    assert loaded.scorer.log_odds(np.empty((2, 0)), np.array([0.0, 10.0])) == pytest.approx([a, a + 10 * b])
    assert loaded.metrics["metrics"]["auc"]["model"] == loaded.metrics["metrics"]["auc"]["rules"]
    assert loaded.metrics["metrics"]["auc"]["rules"]["value"] == model.comparison.metrics["auc"]["rules"].value
    assert model.bundle.version in loaded.training["why"]
    assert not {"recipe", "ladder", "reliability"} & set(loaded.training)
    assert loaded.thresholds["rules"] == model.bundle.thresholds["rules"]


def test_versions_sort_by_time_and_never_meet():
    names = {pipeline.new_version("base_rate") for _ in range(50)}
    assert len(names) == 50
    assert all("-base-rate-" in name for name in names)


def test_training_rows_are_the_same_whether_or_not_the_future_is_in_the_tables(frames):
    split = options_of.make_split(market.tables(frames), market.info(), market.options())
    past = {**frames, "stages": frames["stages"].filter(pl.col("entered_at") < market.CUT)}
    assert training_rows(market.tables(frames), split).equals(training_rows(market.tables(past), split))
