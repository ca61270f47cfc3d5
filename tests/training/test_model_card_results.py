"""What a card says of the results is what was measured, also where that is disappointing."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight.phrases import measured
from tests.training import cards
from training import model_card_results as results
from training.evaluate import compare
from training.split import AT_CREATION, Split


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def test_the_headline_says_what_can_be_relied_on(made):
    text = results.headline(made)
    assert made.standing == "better"
    assert "The model tells leads apart better than the rule card" in text
    auc = made.comparison.metrics["auc"]
    assert f"{auc['model'].value:.3f} against {auc['rules'].value:.3f} of the rules" in text
    difference = made.comparison.differences["auc"]["rules"]
    assert f"(95 % interval {difference.low:+.3f} to {difference.high:+.3f}): better" in text


def test_a_model_that_is_no_better_is_told_plainly(made):
    noise = np.random.default_rng(0).random(made.test.height)
    frame = made.test.with_columns(model=noise)
    columns = {name: frame[name].to_numpy() for name in ("model", "rules")}
    leads = frame["lead_id"].to_numpy().astype(object)
    worse = compare(made.y, columns, leads, 0, replicates=60)
    card = replace(made, test=frame, comparison=worse)
    assert card.standing == "worse"
    assert "The model is worse than the rule card: rely on the rules." in results.headline(card)
    same = compare(made.y, {**columns, "model": columns["rules"]}, leads, 0, replicates=60)
    card = replace(made, comparison=same)
    assert card.standing == "same"
    assert "cannot be told apart from the rule card" in results.headline(card)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_says_that_nothing_can_be_said(outcome):
    made = cards.card(300, y=np.full(300, outcome))
    text = results.headline(made) + results.ranking(made)
    assert made.standing == "nothing"
    assert "Nothing can be said of this training yet." in text
    assert "A comparison needs both outcomes." in text
    assert "Lift and gains need test rows of both outcomes." in text
    compared = results.compared(made)
    assert "there are no intervals and no differences" in compared
    assert "paired" not in compared
    assert "not distinguishable" not in compared


@pytest.mark.parametrize("kind", ["rules", "base_rate"])
def test_rules_alone(kind):
    made = cards.card(400, kind=kind)
    assert made.standing == "no model"
    assert "There is no model" in results.headline(made)


def test_data_without_a_clock_is_marked():
    made = cards.card(400)
    split = Split("sql", None, cards.CUT, cards.UNTIL, (1,), (1,))
    assert "Not point in time" in results.headline(replace(made, split=split))


def test_an_unresolved_leak_stands_in_the_headline(made):
    training = {**made.training, "audit": {**cards.AUDIT, "unresolved": ["row order"]}}
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert "row order" in results.headline(card)
    assert "leak" not in results.headline(made)


def test_successes_are_snapshots_and_leads_in_words():
    outcomes = np.zeros(300)
    outcomes[:5] = 1  # three leads: two at both ages, one at the first
    card = cards.card(300, y=outcomes)
    found = results.headline(card) + results.ranking(card)
    assert "5 snapshots of 3 leads reached SQL within 30 days" in found
    assert "leads worked" not in found
    assert "of leads" not in found.replace("3 leads", "")


def test_a_bar_that_is_wider_than_chance_is_said_to_be(made):
    """The verdict takes the larger of what chance gives and 0.02; chance alone is claimed where chance alone is it."""
    chance = "within what chance alone gives."
    assert f"at every age that was tested (up to 7 days) its error is {chance}" in results.headline(made)
    large = [replace(part, ece_bar={**part.ece_bar, "model": 1e-6}) for part in made.comparison.by_age]
    ok = [replace(part, ece_limit=1.0, ece_ok={**part.ece_ok, "model": True}) for part in large]
    found = results.headline(replace(made, comparison=replace(made.comparison, by_age=tuple(ok))))
    assert f"its error is {chance}" not in found
    assert (
        "means nearly what it says: at every age that was tested (up to 7 days) its error is at most 0.02 (ECE)"
        in found
    )


def test_without_a_clock_the_age_is_creation():
    made = cards.card(400)
    frame = made.test.with_columns(age=pl.lit(AT_CREATION, pl.Int64), lead_id=pl.int_range(400).cast(pl.String))
    columns = {name: frame[name].to_numpy() for name in ("model", "rules")}
    leads = frame["lead_id"].to_numpy().astype(object)
    found = compare(made.y, columns, leads, 0, replicates=20, age=frame["age"].to_numpy())
    split = Split("sql", None, cards.CUT, cards.UNTIL, (AT_CREATION,), (AT_CREATION,))
    card = replace(made, test=frame, comparison=found, split=split)
    text = results.headline(card) + results.probabilities(card)
    assert "Reliability at creation" in text
    assert '<th scope="row">creation</th>' in text
    assert "e-10" not in text


def test_probabilities_that_do_not_hold_are_told_with_their_ages(made):
    off = made.test.with_columns(model=made.test["model"] ** 3)
    columns = {name: off[name].to_numpy() for name in ("model", "rules")}
    leads = off["lead_id"].to_numpy().astype(object)
    found = compare(made.y, columns, leads, 0, replicates=60, age=off["age"].to_numpy())
    card = replace(made, test=off, comparison=found)
    assert "Do not read its probabilities as shares: their error at age 1d, 7d is larger" in results.headline(card)
    assert results.probabilities(card).count("too large") == 2


def test_every_scorer_stands_in_both_tables(made):
    found = results.compared(made)
    value = made.comparison.metrics["brier"]["base_rate"].value
    assert f"{value:.3f}<small>" in found
    difference = made.comparison.differences["brier"]["base_rate"]
    shown = measured(difference.value, difference.low, difference.high, sign="+")
    assert f"{shown[0]}<small>{shown[1]} to {shown[2]}</small>" in found


def test_a_scorecard_is_not_called_a_model(made):
    scorer = replace(made.bundle.scorer, kind="scorecard")
    card = replace(made, bundle=replace(made.bundle, scorer=scorer))
    assert "The scorecard beats the rule score" in results.compared(card)
    assert "The scorecard tells leads apart" in results.headline(card)
    assert ">scorecard</text>" in results.compared(card)


def test_shares_of_the_ranking_are_those_of_the_gains_curve(made):
    y, p = made.y, made.test["model"].to_numpy()
    best = y[np.argsort(-p, kind="stable")][: len(y) // 5]
    assert f"<td>{best.sum() / y.sum():.1%}</td>" in results.ranking(made)
