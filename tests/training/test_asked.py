"""What is asked for beside the question: wrong names are refused on every rung, and what has no effect is said."""

import json
from dataclasses import replace

import polars as pl
import pytest

from leadlight.errors import InputError
from leadlight.workspace import Attribute
from tests.training import made, market
from tests.training.test_audit_gate import FOUND
from tests.training.test_cli import run
from training import asked
from training.audit import Finding
from training.ladder_needs import RUNGS

QUESTION = ("--target", "sql", "--horizon", "30d", "--test-from", "2025-06-01", "--ages", "1d,7d", "--no-track")


def train(capsys, room, *words, status=0):
    return run(capsys, "train", *QUESTION, "--workspace", room.root, *words, status=status)


@pytest.fixture
def room(frames, tmp_path):
    return market.publish(tmp_path / "ws", frames)


@pytest.mark.parametrize(
    ("rung", "words", "problem"),
    [
        *((rung, ("--monotone", "fit.industri=+1"), "did you mean `fit.industry`?") for rung in RUNGS),
        ("rules", ("--monotone", "fit.industry=+1"), "`fit.industry` is a category"),
        ("rules", ("--segment", "industri"), "segment column `industri` does not exist; did you mean `industry`?"),
    ],
)
def test_names_are_looked_at_whatever_the_rung(room, capsys, rung, words, problem):
    said = train(capsys, room, "--rung", rung, *words, status=2)
    assert problem in said.err
    assert said.out == ""
    assert not room.bundles.exists()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (pl.lit("x"), "all leads before the cut have the same value"),
        (pl.lit(None, dtype=pl.String), "no lead before the cut has a value of it"),
        (pl.lit("x-") + (pl.int_range(pl.len()) // 4).cast(pl.String), "no value of it is that of enough leads"),
    ],
)
def test_a_segment_that_no_feature_reads_is_told_with_the_reason(frames, tmp_path, capsys, value, why):
    """It stands in the data, so it exists."""
    changed = frames | {"leads": frames["leads"].with_columns(plan=value)}
    known = market.info()
    attributes = (*known.attributes, Attribute("plan", "category", "creation"))
    room = market.publish(tmp_path / "ws", changed, replace(known, attributes=attributes))
    said = train(capsys, room, "--rung", "rules", "--segment", "plan", status=2)
    assert f"--segment `plan`: no feature reads this attribute, because {why}" in said.err
    assert "does not exist" not in said.err


def test_what_the_audit_leaves_out_is_said_to_be_left_out():
    for options, told in (
        (market.options(segment="status"), "--segment `status`: the audit leaves `status` out.*declare `known_at`"),
        (market.options(segment="size"), "--segment `size`: it is no category"),
        (market.options(segment="budget"), "or --allow budget --because TEXT"),
        (market.options(monotone={"fit.budget": 1}), "--monotone `fit.budget`: the audit leaves `budget` out"),
    ):
        with pytest.raises(InputError, match=told):
            asked.check(options, made.SPECS, FOUND)
    with pytest.raises(InputError, match="--segment `budget`: no feature reads this attribute"):
        asked.check(market.options(segment="budget", allow={"budget": "asked early"}), made.SPECS, FOUND)
    with pytest.raises(InputError, match="segment column `budgets` does not exist"):
        asked.check(market.options(segment="budgets"), made.SPECS, FOUND)
    asked.check(market.options(segment="industry", monotone={"views": 1}), made.SPECS, FOUND)


ALL = {"isotonic": True, "segment": "industry", "monotone": {"views": 1}, "price": 5.0, "seconds": 9.0}
CALIBRATED = {"isotonic_steps": 4, "why": "sigmoid"}


def names(rung, notes, **options):
    return [one.option for one in asked.not_applied(market.options(**{"trials": 15, **options}), rung, notes)]


@pytest.mark.parametrize("rung", ["prior", "rules"])
def test_the_rules_apply_nothing(rung):
    assert names(rung, {}, **ALL) == ["--monotone", "--isotonic", "--segment industry", "--seconds, --price"]
    assert names(rung, {}) == []
    assert names(rung, {}, trials=3, studies="sqlite:///x.db") == ["--trials, --studies"]


def test_a_scorecard_is_calibrated_and_has_segments():
    notes = {"calibrator": CALIBRATED, "segment": {"used": True}}
    assert names("scorecard", notes, **ALL) == ["--monotone", "--seconds, --price"]


def test_a_model_applies_everything_that_its_outcomes_carry():
    assert names("model", {"calibrator": CALIBRATED, "segment": {"used": True}}, **ALL) == []
    poor = {"calibrator": {"isotonic_steps": None, "why": "slope only; no isotonic term"}, "segment": {"used": False}}
    first, second = asked.not_applied(market.options(**ALL), "model", poor)
    assert first.to_json() == {"option": "--isotonic", "why": "slope only; no isotonic term"}
    assert "is not lower than without it beyond noise" in second.why
    (alone,) = asked.not_applied(market.options(segment="industry"), "model", {"calibrator": CALIBRATED})
    assert "too few training rows" in alone.why


def test_an_allowance_that_is_not_needed_is_told_and_not_recorded(room, capsys):
    words = ("--allow", "industry", "--because", "known from the form", "--allow", "later", "--because", "asked early")
    found = json.loads(train(capsys, room, "--rung", "rules", *words, "--json").out)
    told = {"option": "--allow industry", "why": "the audit does not suspect it, so it needs no allowance"}
    assert found["not_applied"] == [told]
    assert found["audit"]["allowed"] == {"later": "asked early"}
    bundle = json.loads((room.bundle_path(found["version"]) / "training.json").read_text())
    assert bundle["allowed"] == bundle["audit"]["allowed"] == {"later": "asked early"}
    page = room.model_card_path(found["version"]).read_text()
    assert "the audit does not suspect it" in page
    assert "known from the form" not in page


def test_a_declared_column_is_not_said_to_be_beyond_suspicion():
    """The numbers do suggest something: it is the mapping's word that counts."""
    declared = Finding("attribute", "stage_note", "ok", "declared known at creation", {}, "creation", "suspect")
    found = replace(FOUND, findings=(*FOUND.findings, declared))
    first, second = asked.without_effect(found, {"stage_note": "on the form", "size": "sure", "budget": "asked early"})
    assert first.why == "the mapping declares its `known_at`, so it needs no allowance"
    assert second.why == "the audit does not suspect it, so it needs no allowance"


def test_the_audit_says_which_allowance_is_not_needed(room, capsys):
    question = ("--target", "sql", "--horizon", "30d", "--test-from", "2025-06-01", "--workspace", room.root)
    words = ("--allow", "industry", "--because", "known from the form")
    said = run(capsys, "audit", *question, *words, "--json", status=1)
    assert "note: --allow industry is not applied: the audit does not suspect it" in said.err
    assert json.loads(said.out)["allowed"] == {}


def test_damaged_studies_are_told_before_the_audit(room, capsys):
    """And only where a model may come of it: the other rungs are not tuned."""
    room.studies_db.write_bytes(b"no database" * 1_000)
    for words in ((), ("--rung", "model")):
        said = train(capsys, room, *words, status=2)
        assert "are damaged" in said.err
        assert "audit" not in said.err
    train(capsys, room, "--rung", "rules")


def test_told_in_sentences():
    training = {asked.KEY: [{"option": "--price", "why": "only the rung `model` is tuned"}], "against_monotone": ["b"]}
    assert asked.told(training) == ("--price is not applied: only the rung `model` is tuned", "b")
    assert asked.told({}) == ()


def test_a_training_says_what_it_did_not_apply(room, capsys, monkeypatch):
    """What a team's environment says for every training was not asked of this one."""
    monkeypatch.setenv("LEADLIGHT_STUDIES", "sqlite:///elsewhere.db")
    words = ("--rung", "rules", "--isotonic", "--segment", "industry", "--price", "5")
    found = json.loads(train(capsys, room, *words, "--json").out)
    assert [one["option"] for one in found["not_applied"]] == ["--isotonic", "--segment industry", "--price"]
    assert found["ladder"]["asked"] is True
    bundle = json.loads((room.bundle_path(found["version"]) / "training.json").read_text())
    assert bundle["not_applied"] == found["not_applied"]
    page = room.model_card_path(found["version"]).read_text()
    assert "only a scorecard or a model has segments" in page
    said = train(capsys, room, *words).out
    assert "note: --price is not applied: only the rung `model` is tuned; this is the rung `rules`" in said
    assert "The trained rules tell leads apart just as the rule score does; of the probabilities: " in said
    assert "What is served" not in said
