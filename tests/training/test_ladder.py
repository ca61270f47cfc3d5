import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from leadlight.schema import DAY
from tests.training import made
from training import ladder
from training.blend import Share
from training.ladder import Rung
from training.prior import Line, Prior
from training.rows import Rows

HORIZON = 5 * DAY
PRIOR = Prior(-1.5, 0.05, 1.0, 0.05, "test")
STEPS = ladder.rungs(PRIOR, None)


def rows(n: int = 1_500, **changes) -> Rows:
    """Make rows of a day each, three of a lead, whose outcomes are known after five days."""
    found = made.rows(n, **changes)
    return replace(found, frame=found.frame.with_columns(known_at=pl.col("as_of") + HORIZON, weight=pl.lit(1.0)))


def choose(found, steps=STEPS, **changes):
    asked = {"cut": (len(found) + 1) * DAY, "horizon_us": HORIZON, "seed": 1, **changes}
    return ladder.choose(found, made.SPECS, steps, **asked)


class Told:
    """A rung that was told what to say: log-odds as a function of the outcomes."""

    def __init__(self, right, noise=0.0):
        self.right, self.noise = right, noise

    def raw(self, found):
        random = np.random.default_rng(0)
        return (2 * found.y - 1) * self.right + self.noise * random.normal(size=len(found))


def told(name, right, noise=0.0, least=0):
    return Rung(name, lambda *_: Told(right, noise), least)


def test_without_outcomes_it_is_the_prior():
    nothing = rows().take(np.zeros(1_500, dtype=bool))
    choice = choose(nothing)
    assert choice.rung == "prior"
    assert choice.wins == choice.losses == 0
    assert choice.table == ()
    assert "no outcome" in choice.why
    assert choice.needs.rung == "rules"
    fitted = STEPS[0].fit(nothing, made.SPECS, 0)
    assert fitted.raw(rows()) == pytest.approx(PRIOR.a + PRIOR.b * rows().points)
    assert STEPS[1].fit(nothing, made.SPECS, 0) == Line(PRIOR.link)


def test_where_the_record_is_too_short_for_an_origin_the_rules_answer():
    choice = choose(rows(120), horizon_us=100 * DAY)
    assert choice.rung == "rules"
    assert "too few or too late to compare" in choice.why


def test_features_that_tell_lead_to_the_scorecard():
    choice = choose(rows())
    assert choice.rung == "scorecard"
    assert [line.rung for line in choice.table] == ["prior", "rules", "scorecard"]
    by_name = {line.rung: line for line in choice.table}
    assert by_name["scorecard"].difference is None
    assert by_name["rules"].difference > by_name["rules"].difference_error
    assert by_name["rules"].log_loss > by_name["scorecard"].log_loss
    assert choice.needs.rung == "model"
    assert "scorecard" in choice.why
    assert f"{choice.wins:,} leads" in choice.why


def test_features_that_tell_nothing_stay_at_the_rules():
    found = rows(900)
    noise = replace(found, X=np.random.default_rng(3).normal(size=found.X.shape))
    specs = (made.SPECS[1],) * 3
    choice = ladder.choose(noise, specs, STEPS, cut=1_000 * DAY, horizon_us=HORIZON, seed=0)
    assert choice.rung in {"prior", "rules"}


def test_a_prior_that_is_right_is_enough():
    found = rows(400, seed=9)
    steps = (told("prior", 1.0), told("rules", 0.9), told("scorecard", 0.95, noise=0.1))
    assert choose(found, steps).rung == "prior"


def test_of_rungs_within_one_standard_error_the_simplest_is_chosen():
    found = rows()
    steps = (told("prior", 0.0), told("rules", 1.0, noise=1.5), told("scorecard", 1.0, noise=1.5001))
    choice = choose(found, steps)
    assert choice.rung == "rules"
    clear = (told("prior", 0.0), told("rules", 1.0), told("scorecard", 2.0))
    assert choose(found, clear).rung == "scorecard"


def test_the_model_is_not_fitted_where_the_outcomes_are_too_few():
    fitted = []

    def model(learn, _specs, _seed):
        fitted.append(learn.wins())
        return Told(9.0)

    few = choose(rows(90, shift=-3.0), ladder.rungs(PRIOR, model))
    assert fitted == []
    assert few.rung != "model"
    assert "`model` was not tried" in few.why
    many = choose(rows(), ladder.rungs(PRIOR, model))
    assert many.rung == "model"
    assert many.needs is None
    assert min(fitted) >= ladder.LEAST_WINS["model"]
    line = many.table[-1]
    assert line.wins == tuple(origin.wins for origin in many.origins if "model" in origin.log_loss)


def test_nothing_is_learnt_at_an_origin_that_was_not_known_there_and_no_lead_is_on_both_sides():
    found = rows(600)
    parts = ladder._parts(found, 601 * DAY, HORIZON)
    assert len(parts) == ladder.ORIGINS
    for part in parts:
        assert part.learn.frame["known_at"].max() < part.at
        assert part.test.frame["as_of"].min() >= part.at
        assert not set(part.learn.lead_ids) & set(part.test.lead_ids)
        assert (part.test.frame["as_of"] + HORIZON < 601 * DAY).all()
    for one, other in pairwise(parts):
        assert one.test.frame["as_of"].max() < other.at


def test_young_snapshots_are_not_predicted_because_only_their_quick_successes_are_known():
    found = rows(600)
    late = found.frame["as_of"].to_numpy() >= 596 * DAY
    quick = found.take(~late | (found.y == 1))
    tested = [part.test.frame["as_of"].max() for part in ladder._parts(quick, 601 * DAY, HORIZON)]
    assert max(tested) < 596 * DAY


def test_rows_after_an_origin_change_nothing_that_was_learnt_at_it():
    found = rows(600)
    before = ladder._parts(found, 601 * DAY, HORIZON)[0]
    turned = np.where(found.frame["known_at"].to_numpy() >= before.at, 1 - found.y, found.y)
    other = replace(found, y=turned, frame=found.frame.with_columns(label=turned))
    after = ladder._parts(other, 601 * DAY, HORIZON)[0]
    assert np.array_equal(before.learn.y, after.learn.y)
    assert np.array_equal(before.learn.weight, after.learn.weight)
    assert before.learn.frame.equals(after.learn.frame)


def test_at_an_origin_censored_snapshots_are_weighed():
    found = rows(600)
    quick = found.frame.with_columns(
        known_at=pl.when(pl.col("label") == 1).then(pl.col("as_of") + DAY).otherwise("known_at")
    )
    part = ladder._parts(replace(found, frame=quick), 601 * DAY, HORIZON)[0]
    late = part.learn.frame["as_of"].to_numpy() > part.at - HORIZON
    assert part.learn.y[late].all()
    assert part.learn.weight[part.learn.y == 0].min() > part.learn.weight[part.learn.y == 1].max()


def test_without_a_clock_order_is_enough():
    found = made.rows(900, per_lead=1)
    found = replace(found, frame=found.frame.with_columns(known_at="as_of", weight=pl.lit(1.0)))
    choice = choose(found, cut=901 * DAY, horizon_us=None)
    assert choice.rung == "scorecard"
    assert len(choice.origins) == ladder.ORIGINS


@pytest.mark.parametrize("n", [3, 12])
def test_too_few_later_outcomes_leave_the_rules(n):
    choice = choose(rows(n))
    assert choice.rung == "rules"
    assert "too few or too late" in choice.why
    assert choice.table == ()


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_is_no_error(outcome):
    found = rows(200)
    same = replace(found, y=np.full(200, outcome), frame=found.frame.with_columns(label=pl.lit(outcome)))
    choice = choose(same, ladder.rungs(PRIOR))
    assert choice.rung == "rules"
    assert choice.wins == (0 if outcome == 0 else len(set(same.lead_ids)))


def test_of_successes_alone_without_a_clock_the_prior_answers_and_says_why():
    """An imported list of won deals only: a base rate near 1 would be told to every lead."""
    found = made.rows(420, per_lead=1)
    frame = found.frame.with_columns(known_at="as_of", weight=pl.lit(1.0), label=pl.lit(1.0))
    choice = choose(replace(found, y=np.ones(len(found)), frame=frame), cut=421 * DAY, horizon_us=None)
    assert (choice.rung, choice.losses) == ("prior", 0)
    assert "only successes are known at the cut" in choice.why
    assert "quick" not in choice.why
    assert "not tried" not in choice.why
    assert choice.needs.told == "nothing tells how many outcomes `rules` needs here: only successes are known"


def test_a_rung_that_was_not_tried_says_what_was_missing():
    whole = rows(200)
    part = ladder._Part(None, whole, whole)
    won = replace(part, learn=whole.take(whole.y == 1))
    few = replace(part, learn=whole.take(np.arange(200) < 3))
    model = ladder.Rung("scorecard", STEPS[-1].fit, 10)
    assert ladder._untried(model, [few, won], "origin") == "no origin knows both outcomes"
    assert ladder._untried(model, [few], "fold") == "no fold knows the 10 successes it needs"
    assert ladder._untried(model, [part, few], "origin") == "no origin holds enough to learn it from"


def test_a_record_shorter_than_two_horizons_leaves_the_rules():
    choice = choose(rows(60), horizon_us=100 * DAY)
    assert choice.rung == "rules"


# A record of 2,701 days and a horizon of 1,800: no origin has enough before it.
SHORT, END = 1_800 * DAY, 2_701 * DAY


def short(found):
    """Let successes come after half a day, and failures at the end of the horizon: the young are known if they won."""
    won, young = pl.col("label") == 1, pl.col("as_of") + SHORT >= END
    took, weight = pl.when(won).then(DAY // 2).otherwise(SHORT), pl.when(won).then(1.0).otherwise(3.0)
    frame = found.frame.with_columns(known_at=pl.col("as_of") + took, weight=weight)
    return replace(found, frame=frame).take(frame.select(~young | won).to_series().to_numpy())


def choose_short(found, steps=STEPS, **changes):
    return choose(short(found), steps, cut=END, horizon_us=SHORT, **changes)


def test_where_no_origin_lies_in_the_record_other_leads_decide_and_it_is_told():
    choice = choose_short(rows(2_700))
    assert ladder._parts(short(rows(2_700)), END, SHORT) == []
    assert choice.rung == "scorecard"
    assert choice.across == "leads"
    assert [line.rung for line in choice.table] == ["prior", "rules", "scorecard"]
    assert [origin.at for origin in choice.origins] == [None] * ladder.FOLDS
    assert sum(origin.rows for origin in choice.origins) == 901
    assert "on other leads of the same time" in choice.why
    assert choice.why.endswith(choice.caution)
    assert choice.caution.startswith("rungs were compared across leads and not across time, because the record")
    assert "cannot see drift" in choice.caution
    assert choice.needs.source != "origins"
    data = json.loads(json.dumps(choice.to_json(), allow_nan=False))
    assert (data["across"], data["caution"]) == ("leads", choice.caution)
    assert choose_short(rows(2_700)) == choice
    assert choose_short(rows(2_700), seed=2).table != choice.table


def test_later_leads_decide_where_they_can_and_nothing_is_cautioned():
    choice = choose(rows())
    assert (choice.across, choice.caution) == ("time", None)
    assert "on later leads" in choice.why
    assert all(origin.at is not None for origin in choice.origins)


def test_origins_that_predict_too_few_successes_give_way_to_folds(monkeypatch):
    monkeypatch.setattr("training.ladder.LEAST_TESTED_WINS", 10_000)
    choice = choose(rows())
    assert choice.across == "leads"
    assert "because too few later successes can be predicted" in choice.caution


def test_other_leads_decide_only_where_many_of_them_won():
    few = rows(2_700, shift=-5.5)
    won = ladder._tested_wins(ladder._folds(short(few), END, SHORT, 0))
    assert 0 < won < ladder.LEAST_WINS_ACROSS
    choice = choose_short(few)
    assert (choice.rung, choice.across, choice.caution, choice.table) == ("rules", None, None, ())
    assert "too few or too late to compare" in choice.why


def test_among_folds_the_simplest_within_one_standard_error_is_chosen_too():
    near = (told("prior", 0.0), told("rules", 1.0, noise=1.5), told("scorecard", 1.0, noise=1.5001))
    assert choose_short(rows(2_700), near).rung == "rules"
    clear = (told("prior", 0.0), told("rules", 1.0), told("scorecard", 2.0))
    assert choose_short(rows(2_700), clear).rung == "scorecard"


def test_a_fold_holds_whole_leads_and_predicts_only_those_whose_horizon_had_ended():
    found = short(rows(2_700))
    thinned = replace(found, weight=np.full(len(found), 3.0))
    parts = ladder._folds(thinned, END, SHORT, 0)
    tested = pl.concat([part.test.frame for part in parts])
    assert len(parts) == ladder.FOLDS
    assert tested.height == tested.unique(["lead_id", "as_of"]).height == 901
    assert (tested["as_of"] + SHORT < END).all()
    for part in parts:
        assert not set(part.learn.lead_ids) & set(part.test.lead_ids)
        assert (part.test.weight == 3.0).all()
        assert np.array_equal(part.learn.weight, 3.0 * part.learn.frame["weight"].to_numpy())
        assert (part.learn.frame["as_of"] + SHORT >= END).any()
        assert len(part.test) > 100


def test_the_fewest_successes_that_are_folded_leave_enough_for_every_rung_however_leads_fall():
    found = rows(3 * ladder.LEAST_WINS_ACROSS)
    won = replace(found, y=np.ones(len(found)))
    for seed in range(200):
        parts = ladder._folds(won, END, None, seed)
        assert ladder._tested_wins(parts) == ladder.LEAST_WINS_ACROSS
        assert min(part.learn.wins() for part in parts) >= ladder.LEAST_WINS["model"]


def test_quick_successes_alone_are_no_evidence():
    found = rows(200)
    quick = found.take((found.y == 1) & (found.frame["as_of"] + HORIZON >= 201 * DAY).to_numpy())
    choice = choose(quick)
    assert choice.rung == "prior"
    assert "only quick successes" in choice.why
    assert "only successes are known" in choice.needs.told


def test_where_horizons_had_ended_and_all_had_won_the_rules_learn_it():
    """Nobody was left out for failing: the prior told 8 % where every later lead won."""
    found = rows(200)
    won = replace(found, y=np.ones(200), frame=found.frame.with_columns(label=pl.lit(1.0)))
    choice = choose(won)
    assert (choice.rung, choice.losses, choice.table) == ("rules", 0, ())
    assert f"the horizon of 196 of 200 snapshots had ended, and all succeeded: {ladder.ANSWERS['rules']}" in choice.why
    assert "quick" not in choice.why
    assert choice.needs.rung == "scorecard"
    learnt = STEPS[1].fit(won, made.SPECS, 0).raw(won)
    assert (learnt > STEPS[0].fit(won, made.SPECS, 0).raw(won) + 2).all()


def test_one_lead_is_counted_as_one():
    found = rows(6)
    alone = replace(found, y=(np.arange(6) == 0).astype(float))
    assert choose(alone).why.startswith("1 lead with a success and 5 snapshots without are known")


def test_an_origin_needs_snapshots_older_than_the_horizon():
    as_of = np.arange(100) * DAY
    found = ladder._origins(as_of, 30 * DAY)
    assert found[0] >= 40 * DAY
    assert found[-1] == 90 * DAY
    assert ladder._origins(as_of, 95 * DAY) == []
    assert ladder._origins(as_of[:0], DAY) == []
    assert len(ladder._origins(np.arange(ladder.MANY_ROWS) * DAY, None)) == ladder.ORIGINS_OF_MANY


def test_the_same_seed_chooses_the_same():
    one, other = choose(rows(600), ladder.rungs(PRIOR)), choose(rows(600), ladder.rungs(PRIOR))
    assert one == other


def test_progress_is_told_and_the_choice_is_json():
    done = []
    choice = choose(rows(), progress=lambda *counted: done.append(counted))
    assert done[-1][0] == done[-1][1] == 3 * ladder.ORIGINS
    data = json.loads(json.dumps(choice.to_json(), allow_nan=False))
    assert data["rung"] == choice.rung
    assert data["table"][0]["rung"] == "prior"
    assert len(data["origins"]) == len(choice.origins)
    assert data["next"]["rung"] == "model"


def test_very_many_rows_are_thinned_to_whole_leads_that_count_for_the_others(monkeypatch):
    monkeypatch.setattr("training.tune.MOST_ROWS", 500)
    found = rows(3_000, shift=-4.0)
    choice = choose(found)
    assert sum(origin.rows for origin in choice.origins) < 1_500
    assert choice.losses == int((found.y == 0).sum())
    rate = found.y.mean()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert choice.table[-1].log_loss == pytest.approx(entropy, rel=0.35)


def test_the_usual_model_has_the_share_of_a_line_that_folds_choose_where_outcomes_are_many(monkeypatch):
    monkeypatch.setattr(ladder.blend, "choose", lambda *_: Share(0.5))
    many, few = rows(3_000), rows(300)
    assert ladder.usual_model(many, made.SPECS, 0).share == 0.5
    assert ladder.usual_model(few, made.SPECS, 0).share == 0


def test_the_usual_model_learns():
    found = rows()
    later = rows(1_500, seed=8)
    raw = ladder.usual_model(found, made.SPECS, 0).raw(later)
    flat = np.log(found.y.mean() / (1 - found.y.mean()))
    assert np.mean(np.logaddexp(0, raw) - later.y * raw) < np.mean(np.logaddexp(0, flat) - later.y * flat) - 0.02
