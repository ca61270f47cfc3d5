"""What a card says of the origin."""

from dataclasses import replace

import numpy as np
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
        ("audit", origin.audit, "No leak audit is recorded"),
        ("hygiene", origin.data, "hygiene was off"),
    ],
)
def test_what_training_did_not_record_is_said_to_be_missing(made, name, told_by, told):
    card = cards.without(made, name)
    assert told in told_by(card)
    assert "<svg" not in told_by(card)


def test_what_hygiene_set_aside_is_counted_by_cause(made):
    found = origin.data(made)
    assert '<th scope="row">duplicates</th><td>17</td>' in found
    assert "in the future" not in found


def test_weights_against_censoring_are_told(made):
    assert "counts 2.00 times on average, at most 3.00 times" in origin.split(made)


@pytest.mark.parametrize(
    ("how", "told", "untold"),
    [
        ("ended", "those whose horizon had ended, unweighted", "new value"),
        ("without_new_values", "weighted: too few successes are among those whose horizon had ended", "unweighted"),
        (None, "not from some or all of those whose horizon had not ended", "weighted"),
    ],
)
def test_it_is_told_which_snapshots_trees_learnt_from_where_it_is_not_all(made, how, told, untold):
    """A bundle from before (None) does not say which way was taken; nothing is claimed then that may be wrong."""
    note = {"rows": 7, "positives": 3} | ({} if how is None else {"how": how})
    found = origin.split(replace(made, bundle=replace(made.bundle, training={**made.training, "settled": note})))
    line = next(part for part in found.split("<li>") if "Trees learnt" in part)
    assert f"Trees learnt from 7 of these {made.known.height:,} snapshots, " in line
    assert told in line
    assert untold not in line
    note["rows"] = made.known.height
    whole = {**made.training, "settled": note}
    assert "Trees learnt" not in origin.split(replace(made, bundle=replace(made.bundle, training=whole)))


def test_provenance_names_what_is_needed_to_repeat_it(made):
    found = origin.provenance(made)
    for told in (made.bundle.version, made.fingerprint, "lightgbm", "slope 1.0000"):
        assert told in found


def test_a_column_without_a_feature_is_not_called_used(made):
    findings = [{**cards.AUDIT["findings"][1], "name": "constant"}, {**cards.AUDIT["findings"][2], "name": "empty"}]
    audit = {"findings": [*cards.AUDIT["findings"], *findings], "allowed": {"constant": "it is known"}}
    card = replace(made, bundle=replace(made.bundle, training={**made.training, "audit": audit}))
    rows = {row.split("</code>")[0]: row for row in origin.audit(card).split('<th scope="row"><code>')[1:]}
    assert '<td class="text">no feature made of it</td>' in rows["empty"]
    assert "allowed because: it is known; no feature made of it" in rows["constant"]
    assert '<td class="text">yes</td>' in rows["industry"]  # a feature reads it


def with_audit(made, findings, allowed):
    training = {**made.training, "audit": {"findings": findings, "allowed": allowed}, "allowed": allowed}
    return replace(made, bundle=replace(made.bundle, training=training))


def suspect(name, kind="attribute"):
    return {"kind": kind, "name": name, "verdict": "suspect", "why": "may be late", "evidence": {}}


def test_only_what_is_read_is_called_used_although_suspect(made):
    findings = [suspect("industry"), suspect("constant"), suspect("blog_view", "type")]
    allowed = dict.fromkeys(("industry", "constant", "blog_view"), "it was there")
    found = origin.data(with_audit(made, findings, allowed))
    assert "Used although suspect: <code>industry</code>, because it was there." in found
    assert "Allowed although suspect: <code>constant</code>, because it was there; no feature made of it." in found
    assert "Used by rules of the card although suspect: <code>blog_view</code>, because it was there." in found


def test_where_the_rules_answer_no_feature_is_called_used():
    card = cards.card(300, kind="rules")
    card = with_audit(card, [suspect("industry"), cards.AUDIT["findings"][0]], {"industry": "it was there"})
    told = "because it was there; no part of this score reads it"
    assert f"Allowed although suspect: <code>industry</code>, {told}." in origin.data(card)
    assert "Used" not in origin.data(card)
    assert "allowed because: it was there; no part of this score reads it" in origin.audit(card)


def test_few_successes_are_told_as_snapshots_and_leads():
    outcomes = np.zeros(300)
    outcomes[:5] = 1  # three leads: two at both ages, one at the first
    assert "Only 5 test snapshots of 3 leads reached SQL within 30 days" in origin.limits(cards.card(300, y=outcomes))


def test_the_oldest_age_that_was_tested_is_a_limit():
    made = cards.usual()
    assert "up to an age of 7 days; leads older than that are scored as if" in origin.limits(made)
    timeless = replace(made, split=replace(made.split, horizon_us=None))
    assert "up to an age" not in origin.limits(timeless)
