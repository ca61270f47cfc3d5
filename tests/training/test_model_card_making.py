"""What a card says of the making."""

from dataclasses import replace

import pytest

from tests.training import cards
from training import evaluate
from training import model_card_making as making
from training.best_trial import Verdict

SEGMENT = {
    "column": f"team {cards.EVIL}",
    "used": True,
    "segments": [
        {
            "value": f"north {cards.EVIL}",
            "leads": 40,
            "observed": 0.3,
            "single": 0.2,
            "offset": 0.25,
            "rate": 0.24,
            "low": 0.2,
            "high": 0.3,
            "served": 0.23,
        },
        {"value": "(missing)", "leads": 0, "observed": None, "single": None, "offset": 0.0, "rate": None, "low": None},
    ],
}


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def with_notes(made, **notes):
    return replace(made, bundle=replace(made.bundle, training={**made.training, **notes}))


def test_recipe_and_calibration_are_told(made):
    calibrator = {"method": "sigmoid", "slope": 0.9, "intercept": 0.1, "why": "400 leads carry two numbers"}
    found = making.making(with_notes(made, calibrator=calibrator, trials=[{}, {}]))
    assert "max depth 3, trees 30" in found
    assert "The best of 2 recipes" in found
    assert "Calibration (slope 0.900, level +0.100): 400 leads carry two numbers." in found


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict(0), "Of 2 recipes the usual one."),
        (
            Verdict(1, 0.002, 0.001),
            "The best of 2 recipes; on leads without a say in the choice it gains +0.00200 nats",
        ),
        (Verdict(1, -0.001, 0.002), "the usual one: on leads without a say in the choice the best gains -0.00100 nats"),
    ],
)
def test_which_recipe_was_taken_is_told_and_why(made, verdict, told):
    found = making.making(with_notes(made, trials=[{}, {}], tuning={"against_usual": verdict.to_json()}))
    assert told in found
    assert (verdict.error is None) == ("standard error" not in found)


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.5, "has 50% of the log-odds, trees and rules the rest."), (0.0, "Trees alone")],
)
def test_the_lines_share_is_told_and_what_it_was_chosen_by(made, share, told):
    line = {"share": share, "log_loss": {"0": 0.1234567, "0.5": 0.12}, "penalty": None}
    found = making.making(with_notes(made, line=line))
    assert told in found
    assert "0% 0.12346, 50% 0.12000." in found
    assert "Log loss" not in making.making(with_notes(made, line={"share": 0.0, "log_loss": {}, "penalty": None}))


def test_one_recipe_is_no_choice(made):
    notes = {"trials": [{}], "tuning": {"against_usual": Verdict(0).to_json()}}
    found = making.making(with_notes(made, **notes))
    assert "The usual recipe; no other was tried." in found
    assert "1 recipes" not in found + making.making(with_notes(made, trials=[{}]))


def test_encodings_say_what_they_gained(made):
    gains = [
        {"place": 0, "name": cards.EVIL, "gain": 0.01, "error": 0.002, "used": True},
        {"place": 1, "name": "b", "gain": -0.01, "error": 0.002, "used": False},
    ]
    found = making.making(with_notes(made, encodings=gains))
    assert "+0.01000 \N{PLUS-MINUS SIGN} 0.00200" in found
    assert "<script" not in found
    assert found.count("left as it is") == 1


def test_nothing_fitted_is_said(made):
    assert "Nothing was fitted" in making.making(cards.without(made, "recipe"))


def test_no_pooling_no_word_of_it(made):
    assert making.borrowed(made.training) == []


def test_pooled_segments_are_told_and_escaped(made):
    columns = {name: made.test["model"].to_numpy() for name in ("pooled", "single", "separate")}
    leads = made.test["lead_id"].to_numpy().astype(object)
    compared = evaluate.compare(made.y, columns, leads, 0, reference="pooled", replicates=20).to_json()
    found = "".join(making.borrowed({"segment": {**SEGMENT, "comparison": compared}}))
    assert "<script" not in found
    assert "partial pooling" in found
    assert "<td>30.0%</td><td>20.0%</td><td>23.0%</td><td>24.0%</td><td>20.0% to 30.0%</td><td>+0.250</td>" in found
    assert "outside the interval" not in found
    assert "No settled leads yet: <code>(missing)</code>." in found
    unused = "".join(making.borrowed({"segment": {**SEGMENT, "used": False}}))
    assert "not used" in unused


def test_what_is_served_outside_the_interval_of_the_true_rate_is_named(made):
    one = SEGMENT["segments"][0]
    segments = [{**one, "served": 0.19}, {**one, "value": "south", "served": 0.31, "single": 0.21}]
    found = "".join(making.borrowed({"segment": {**SEGMENT, "segments": segments}}))
    assert "of their true rate: <code>north &lt;script" in found
    assert "(19.0%, below), <code>south</code> (31.0%, above).</p>" in found
    alone = [{**segments[0], "single": 0.35}, segments[1]]
    unused = "".join(making.borrowed({"segment": {**SEGMENT, "used": False, "segments": alone}}))
    assert "(35.0%, above).</p>" in unused
    assert "south</code> (" not in unused


def test_a_bundle_that_does_not_tell_what_is_served_has_its_card(made):
    old = {name: value for name, value in SEGMENT["segments"][0].items() if name != "served"}
    found = "".join(making.borrowed({"segment": {**SEGMENT, "segments": [old]}}))
    assert f"<td>20.0%</td><td>{making.DASH}</td><td>24.0%</td>" in found
    assert "outside the interval" not in found


def test_segments_without_a_settled_lead_are_named_and_very_many_counted(made):
    empty = {"leads": 0, "observed": None, "single": None, "offset": 0.0, "rate": None, "low": None}
    segments = [{**empty, "value": f"team {at:02d}"} for at in range(making.MOST_SEGMENTS + 3)]
    found = "".join(making.borrowed({"segment": {**SEGMENT, "segments": segments}}))
    assert "No settled leads yet: <code>team 00</code>, <code>team 01</code>" in found
    assert f"<code>team {making.MOST_SEGMENTS - 1}</code> and 3 more." in found
    assert "What segments of the training side borrow" not in found
    settled = [{**SEGMENT["segments"][0]}]
    assert "No settled leads" not in "".join(making.borrowed({"segment": {**SEGMENT, "segments": settled}}))
