"""What a card says of the origin."""

from dataclasses import replace

import pytest

from tests.training import cards
from training import model_card_origin as origin


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def test_without_training_rows_the_line_of_time_has_its_test_side(made):
    found = origin.split(replace(made, known=None))
    assert "<svg" in found
    assert 'class="bar train"' not in found
    assert 'class="bar test"' in found


def test_the_audit_shows_what_was_left_out_and_allowed(made):
    found = origin.audit(made)
    assert found.index("closing_note") < found.index("<code>notes</code>") < found.index("<code>industry</code>")
    assert "left out" in found
    assert "allowed because: the form is filled at creation" in found


def test_an_unresolved_leak_is_a_warning(made):
    audit = {**cards.AUDIT, "unresolved": ["row order"]}
    training = {**made.training, "audit": audit}
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert "must not be promoted: <code>row order</code>" in origin.audit(card)


def test_very_many_findings_are_cut_and_said_to_be(made):
    findings = [
        {"kind": "attribute", "name": f"c{n}", "verdict": "ok", "why": ""} for n in range(origin.MOST_FINDINGS + 5)
    ]
    training = {**made.training, "audit": {"findings": findings}}
    card = replace(made, bundle=replace(made.bundle, training=training))
    found = origin.audit(card)
    assert f"The {origin.MOST_FINDINGS} gravest of {origin.MOST_FINDINGS + 5} are shown" in found
    assert found.count("<tr>") == origin.MOST_FINDINGS + 1


def test_the_audit_may_be_recorded_as_a_mere_list(made):
    training = {**made.training, "audit": ["looked at nothing"]}
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert "looked at nothing" in origin.audit(card)


@pytest.mark.parametrize(
    ("name", "told_by", "told"),
    [
        ("ladder", origin.rung, "were not compared"),
        ("audit", origin.audit, "No leak audit is recorded"),
        ("hygiene", origin.data, "hygiene was off"),
    ],
)
def test_what_training_did_not_record_is_said_to_be_missing(made, name, told_by, told):
    card = cards.without(made, name)
    assert told in told_by(card)
    assert "<svg" not in told_by(card)


def test_the_ladder_sets_off_what_was_chosen_and_says_what_is_next(made):
    found = origin.rung(made)
    assert '<tr class="ours"><th scope="row">LightGBM model</th>' in found
    assert "+0.1000<small>\N{PLUS-MINUS SIGN} 0.0300</small>" in found
    assert "<code>model</code> needs about 900 leads with a success." in found


def test_a_ladder_that_was_judged_across_leads_says_so_and_it_is_a_limit(made):
    caution = "rungs were compared across leads and not across time, because of this; this cannot see drift"
    ladder = {**cards.LADDER, "across": "leads", "caution": caution, "why": f"so; {caution}"}
    card = replace(made, bundle=replace(made.bundle, training={**made.training, "ladder": ladder}))
    assert "Log loss on snapshots of other leads of the same time" in origin.rung(card)
    assert "this cannot see drift" in origin.rung(card)
    assert "Rungs were compared across leads and not across time" in origin.limits(card)
    assert "Log loss on later snapshots" in origin.rung(made)
    assert "across leads" not in origin.limits(made)


def test_a_ladder_without_comparison_says_so(made):
    training = {**made.training, "ladder": {"rung": "rules", "why": "too few", "table": [], "next": None}}
    found = origin.rung(replace(made, bundle=replace(made.bundle, training=training)))
    assert "too few later outcomes to compare" in found
    assert "Too few." in found


def test_what_hygiene_set_aside_is_counted_by_cause(made):
    found = origin.data(made)
    assert '<th scope="row">duplicates</th><td>17</td>' in found
    assert "in the future" not in found


def test_weights_against_censoring_are_told(made):
    assert "counts 2.00 times on average, at most 3.00 times" in origin.split(made)


def test_it_is_told_where_trees_learnt_from_settled_snapshots_only(made):
    training = {**made.training, "settled": {"rows": 7, "positives": 3}}
    told = f"Trees learnt from the 7 of these {made.known.height:,} snapshots whose horizon had ended"
    assert told in origin.split(replace(made, bundle=replace(made.bundle, training=training)))
    training["settled"] = {"rows": made.known.height, "positives": 3}
    assert "Trees learnt" not in origin.split(replace(made, bundle=replace(made.bundle, training=training)))


def test_provenance_names_what_is_needed_to_repeat_it(made):
    found = origin.provenance(made)
    for told in (made.bundle.version, made.fingerprint, "lightgbm", "slope 1.0000"):
        assert told in found
