from dataclasses import replace

import pytest

from training import record


@pytest.fixture
def bundle(first):
    return first[1].bundle


def told(bundle, **training):
    return replace(bundle, training={**bundle.training, **training})


def test_better_than_the_rules_is_read_from_the_figures(bundle):
    assert record.beats_rules(bundle) is True
    assert record.beats_rules(replace(bundle, metrics={})) is False
    rules = replace(bundle, scorer=replace(bundle.scorer, kind="rules", specs=(), booster=None))
    assert record.beats_rules(rules) is None
    assert not record.is_model(rules)


def test_what_answers_is_called_by_its_name(bundle):
    assert record.called(bundle) == "the model"
    assert record.called(replace(bundle, scorer=bundle.scorer.rules_alone())) == "the trained rules"


def test_whether_the_rung_was_asked_for_is_told_where_it_is_recorded(bundle):
    assert record.asked_for(told(bundle, ladder={"rung": "scorecard", "asked": True}))
    assert not record.asked_for(told(bundle, ladder={"rung": "scorecard"}))
    assert not record.asked_for(told(bundle, ladder=None))


def test_what_the_audit_left_out_is_told_with_its_reason(bundle):
    leak = {"kind": "type", "name": "signed", "verdict": "leak", "why": "it comes after"}
    same = {**leak, "kind": "attribute", "verdict": "ok"}
    audit = {"findings": [leak, same], "dropped_types": ["signed"], "dropped_attributes": []}
    assert record.left_out(told(bundle, audit=audit)) == (leak,)
    assert record.left_out(told(bundle, audit=None)) == ()
    assert record.left_out(told(bundle, audit=[LEAK])) == ()


def test_the_rung_is_told_where_the_ladder_was_climbed(bundle):
    assert record.rung(told(bundle, ladder={"rung": "scorecard"})) == "scorecard"
    assert record.rung(told(bundle, ladder=None)) is None


def test_rules_that_answer_for_a_model_are_rules(bundle):
    suspected = found("model", "model", "leak")
    stand_in = replace(
        told(bundle, ladder={"rung": "model"}, audit={"findings": [suspected], "unresolved": ["model"]}),
        scorer=bundle.scorer.rules_alone(),
    )
    assert record.rung(stand_in) == "rules"
    assert record.audit_state(stand_in) == "clean"  # it is the model's AUC that is too good to be true


LEAK = {"column": "closed_at", "verdict": "leak", "resolved": False, "sentence": "it is the day of the outcome"}
SUSPECT = {"column": "score", "verdict": "suspect", "resolved": False}


@pytest.mark.parametrize(
    ("audit", "state"),
    [
        (None, "not audited"),
        ([], "clean"),
        ([{"column": "size", "verdict": "ok", "resolved": True}], "clean"),
        ([{**LEAK, "resolved": True}, {**SUSPECT, "resolved": True}], "clean"),
        ([SUSPECT], "suspect"),
        ([SUSPECT, LEAK], "leak"),
        ({"findings": [LEAK]}, "leak"),
    ],
)
def test_an_audit_is_summed_up(bundle, audit, state):
    assert record.audit_state(told(bundle, audit=audit)) == state


def found(kind, name, verdict):
    return {"kind": kind, "name": name, "verdict": verdict, "why": f"{name} knows"}


@pytest.mark.parametrize(
    ("finding", "rest", "state"),
    [
        (found("attribute", "tags", "leak"), {"dropped_attributes": ["tags"]}, "clean"),
        (found("attribute", "tags", "leak"), {"dropped_types": ["tags"]}, "leak"),
        (found("attribute", "tags", "leak"), {"allowed": {"tags": "please"}}, "leak"),
        (found("attribute", "size", "suspect"), {"allowed": {"size": "measured on day one"}}, "clean"),
        (found("attribute", "size", "suspect"), {}, "suspect"),
        (found("type", "contract_sent", "leak"), {"dropped_types": ["contract_sent"]}, "clean"),
        (found("type", "contract_sent", "leak"), {}, "leak"),
        (found("order", "rows", "leak"), {"unresolved": []}, "clean"),
        (found("order", "rows", "leak"), {"unresolved": ["rows"]}, "leak"),
        (found("model", "model", "leak"), {"unresolved": ["model"]}, "leak"),
        (found("model", "model", "suspect"), {}, "suspect"),
        (found("attribute", "size", "ok"), {}, "clean"),
        (found("attribute", "size", "ok"), {"won": 1, "lost": 0}, "clean"),
        (found("attribute", "size", "ok"), {"won": 0, "lost": 0}, "no outcomes"),
        (found("attribute", "size", "suspect"), {"won": 0, "lost": 0}, "suspect"),
    ],
)
def test_a_recorded_audit_is_read(bundle, finding, rest, state):
    assert record.audit_state(told(bundle, audit={"findings": [finding], **rest})) == state


def test_what_is_unresolved_is_named(bundle):
    found = told(bundle, audit=[LEAK, SUSPECT, {**LEAK, "resolved": True}])
    assert record.unresolved(found, "leak") == ("`closed_at`: it is the day of the outcome",)
    assert record.unresolved(found, "suspect") == ("`score`",)
