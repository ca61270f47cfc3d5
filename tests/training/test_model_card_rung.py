"""What a card says of the ladder."""

from dataclasses import replace

import pytest

from tests.training import cards
from training import model_card_origin as origin
from training import model_card_rung as rungs


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def with_ladder(made, **told):
    training = {**made.training, "ladder": {**cards.LADDER, **told}}
    return replace(made, bundle=replace(made.bundle, training=training))


def test_what_training_did_not_record_is_said_to_be_missing(made):
    found = rungs.rung(cards.without(made, "ladder"))
    assert "were not compared in this training" in found
    assert "<table" not in found


def test_the_ladder_sets_off_what_was_chosen_and_says_what_is_next(made):
    found = rungs.rung(made)
    assert '<tr class="ours"><th scope="row">LightGBM model</th>' in found
    assert "+0.1000<small>\N{PLUS-MINUS SIGN} 0.0300</small>" in found
    assert "<code>model</code> needs about 900 leads with a success." in found


def test_a_ladder_that_was_judged_across_leads_says_so_and_it_is_a_limit(made):
    caution = "rungs were compared across leads and not across time, because of this; this cannot see drift"
    ladder = {**cards.LADDER, "across": "leads", "caution": caution, "why": f"so; {caution}"}
    card = replace(made, bundle=replace(made.bundle, training={**made.training, "ladder": ladder}))
    assert "Log loss on snapshots of other leads of the same time" in rungs.rung(card)
    assert "this cannot see drift" in rungs.rung(card)
    assert "Rungs were compared across leads and not across time" in origin.limits(card)
    assert "Log loss on later snapshots" in rungs.rung(made)
    assert "across leads" not in origin.limits(made)


def test_a_ladder_without_comparison_says_so(made):
    training = {**made.training, "ladder": {"rung": "rules", "why": "too few", "table": [], "next": None}}
    found = rungs.rung(replace(made, bundle=replace(made.bundle, training=training)))
    assert "too few later outcomes to compare" in found
    assert "Too few." in found


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"asked": True, "losses": 0}, "Rungs were not compared: this one was asked for (<code>--rung</code>)."),
        ({"losses": 0}, "only successes were known at the cut"),
        ({"wins": 0, "losses": 0}, "no outcome was known at the cut"),
    ],
)
def test_why_nothing_was_compared_is_told(made, told, words):
    found = rungs.rung(with_ladder(made, table=[], **told))
    assert words in found
    assert "too few later outcomes" not in found
    assert ("Asked for: " in found) == told.get("asked", False)


def test_rungs_that_predicted_different_snapshots_are_said_to_be_no_difference_of_two_columns(made):
    """One that needs more outcomes predicts the later origins only, which may be harder."""
    first, second = {"rows": 1_000, "log_loss": {"rules": 0.1}}, {"rows": 200, "log_loss": {"rules": 2, "model": 1}}
    found = rungs.rung(with_ladder(made, origins=[first, second]))
    assert "it is not the difference of the two log losses" in " ".join(found.split())
    assert "<td>1,200</td>" in found
    assert "<td>200</td>" in found
    assert "not the difference" not in rungs.rung(with_ladder(made, origins=[second]))
