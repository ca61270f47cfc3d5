"""Fitting: what is asked for beside the rung ends in the scorer and in the notes, and additivity survives it."""

from dataclasses import replace

import pytest

from leadlight.errors import InputError, NotEnoughDataError
from scoring.scale import probabilities
from tests.training import market
from training import fitting, ground, tune
from training.best_trial import Verdict
from training.settled import chosen


@pytest.fixture(scope="module")
def prepared(frames, tmp_path_factory):
    room = market.publish(tmp_path_factory.mktemp("fitting") / "ws", frames)
    return ground.prepare(room, market.options())


def made(prepared, **asked):
    options = market.options(trials=1, **asked)
    return fitting.make(prepared.known, prepared.specs, prepared.split, options)


def test_a_segment_is_compared_and_told_whether_it_helps_or_not(prepared):
    found = made(prepared, segment="industry")
    told = found.notes["segment"]
    assert told["column"] == "industry"
    assert told["used"] == (found.scorer.linear is not None)
    assert {one["value"] for one in told["segments"]} >= {"(others)", "(missing)"}


def test_a_segment_that_does_not_exist_is_refused(prepared):
    with pytest.raises(InputError, match="segment column"):
        made(prepared, segment="industri")


@pytest.mark.parametrize("rung", ["prior", "rules", "scorecard", "model"])
def test_every_rung_gives_a_scorer_of_its_kind(prepared, rung):
    found = made(prepared, rung=rung)
    kinds = {"prior": {"rules", "base_rate"}, "rules": {"rules", "base_rate"}}
    assert found.scorer.kind in kinds.get(rung, {"scorecard", "lightgbm"})
    assert (found.scorer.interval is None) == (rung == "prior")
    assert found.notes["ladder"]["rung"] == rung
    assert (found.auc is None) == (rung in {"prior", "rules"})
    rows, way = chosen(prepared.known, prepared.specs)
    told = {"rows": len(rows), "positives": int(rows.y.sum()), "how": way}
    assert found.notes.get("settled") == (told if rung == "model" else None)


def test_successes_known_before_their_horizon_ended_move_no_rules(prepared):
    known, split = prepared.known, prepared.split
    young = known.frame["as_of"].to_numpy() + market.HORIZON >= split.cut
    alone = replace(prepared, known=known.take(young & (known.y == 1)))
    with pytest.raises(NotEnoughDataError, match="--rung rules: no failure is known at the cut, only successes"):
        made(alone, rung="rules")
    assert made(alone, rung="prior").notes["ladder"]["rung"] == "prior"
    ended = replace(prepared, known=known.take(~young & (known.y == 1)))
    assert made(ended, rung="rules").notes["ladder"]["rung"] == "rules"


@pytest.mark.parametrize("rung", ["scorecard", "model"])
def test_the_audit_hears_of_settled_rows_within_cohorts(prepared, rung, monkeypatch):
    """Not of all known ones: there a clock tells new successes from old failures (`audit_total`)."""
    asked = []
    monkeypatch.setattr(fitting, "total_auc", lambda z, rows: asked.append((len(z), len(rows))) or 0.97)
    found = made(prepared, rung=rung)
    assert found.auc == 0.97
    assert len(asked) == 1
    assert asked[0][0] == asked[0][1] > 0


def test_one_direction_is_kept(prepared):
    name = next(spec.name for spec in prepared.specs if not spec.categorical)
    found = made(prepared, monotone={name: 1})
    assert 1 in found.notes["recipe"]["monotone_constraints"]


def test_a_line_beside_the_trees_takes_its_share_and_leaves_the_rules_what_they_are(prepared, monkeypatch):
    alone = made(prepared, rung="model")
    assert alone.notes["line"]["share"] == 0
    monkeypatch.setattr("training.blend.LEAST_WINS", 1)
    monkeypatch.setattr("training.blend.SHARES", (0.25, 0.5))
    found = made(prepared, rung="model", segment="industry")
    share, scorer, test = found.notes["line"]["share"], found.scorer, prepared.test
    assert share in {0.25, 0.5}
    assert (scorer.rule_share, scorer.rule_a, scorer.rule_b) == (1 - share, alone.scorer.rule_a, alone.scorer.rule_b)
    assert {term.place for term in scorer.linear.terms} == set(range(len(scorer.specs)))
    parts = scorer.contributions(test.X, test.points)
    assert parts.log_odds(test.points) == pytest.approx(scorer.log_odds(test.X, test.points), abs=1e-9)
    rate = probabilities(scorer.log_odds(prepared.known.X, prepared.known.points))
    assert rate @ prepared.known.weight == pytest.approx(prepared.known.y @ prepared.known.weight, rel=0.2)


def test_the_notes_say_which_recipe_was_taken_and_why(prepared, monkeypatch):
    assert made(prepared).notes["tuning"]["against_usual"] == {"best": 0, "taken": 0, "gain": None, "error": None}
    monkeypatch.setattr(tune, "against_usual", lambda *_: Verdict(1, 0.2, 0.1))
    options = market.options(trials=2, rung="model")
    notes = fitting.make(prepared.known, prepared.specs, prepared.split, options).notes
    assert notes["tuning"]["against_usual"] == {"best": 1, "taken": 1, "gain": 0.2, "error": 0.1}
    assert notes["tuning"]["log_loss"] == notes["trials"][1]["log_loss"]
    assert notes["recipe"]["max_depth"] == notes["trials"][1]["max_depth"]
