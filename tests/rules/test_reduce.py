"""A reduced card reads nothing that it must not, and says what was taken; all else stays word for word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import engine
from rules.parse import from_json, to_json
from rules.reduce import Cut, without
from tests.rules import made

ATTRIBUTE = {"attribute": "size", "at_least": 2}
KIND = {"attribute": "kind", "known": True}


def reduced(card, attributes=(), types=(), others=("a", "c")):
    return without(card, attributes, types, others)


def test_nothing_to_take_gives_the_same_card():
    card = made.card(behaviour=[{"activity": "a", "points": 5}], fit=[{"when": ATTRIBUTE, "points": 5}])
    assert reduced(card, ["kind"], ["b"]) == (card, ())
    assert reduced(card, ["kind"], ["b"])[0] is card


def test_an_entry_that_reads_an_attribute_goes_as_a_whole_wherever_it_stands():
    card = made.card(
        behaviour=[{"activity": "a", "points": 5}, {"when": {"any": [ATTRIBUTE, {"activity": "a"}]}, "points": 5}],
        fit=[{"when": ATTRIBUTE, "points": 5}, {"when": KIND, "points": 3}, {"when": {"not": ATTRIBUTE}, "points": 1}],
        hot_when=[{"when": {"all": [{"activity": "a"}, {"not": ATTRIBUTE}]}}],
        exclude=[{"when": ATTRIBUTE}, {"when": KIND}],
    )
    left, cuts = reduced(card, ["size"])
    assert [rule.name for rule in (*left.behaviour, *left.fit)] == ["behaviour-0", "fit-1"]
    assert (left.hot_when, [entry.name for entry in left.exclude]) == ((), ["exclude-1"])
    assert [cut.name for cut in cuts] == ["behaviour-1", "fit-0", "fit-2", "hot-when-0", "exclude-0"]
    assert cuts[1] == Cut("fit", "fit-0", ("size",), (), whole=True)
    assert (left.threshold, left.temperature, left.name) == (card.threshold, card.temperature, card.name)


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"activity": ["a", "b"], "points": 5, "cap": 9}, ("a",)),
        ({"activity": "*", "points": 5, "within": "1d"}, ("a", "c")),
        ({"activity": "b", "points": 5}, None),
    ],
)
def test_activities_are_counted_without_those_of_a_type(entry, left):
    card = made.card(behaviour=[{"activity": "a", "points": 5}, entry])
    after, cuts = reduced(card, types=["b"])
    assert cuts == (Cut("behaviour", "behaviour-1", (), ("b",), whole=left is None),)
    changed = [rule for rule in after.behaviour if rule.name == "behaviour-1"]
    assert [rule.activity for rule in changed] == ([] if left is None else [left])
    assert all(rule.cap == entry.get("cap") and rule.within == entry.get("within") for rule in changed)


def test_a_condition_over_several_types_asks_for_the_others():
    asked = {"all": [{"activity": "*", "at_least": 3}, {"not": {"activity": ["b", "c"]}}, KIND]}
    after, cuts = reduced(made.card(behaviour=[{"when": asked, "points": 5}]), types=["b"])
    counted, negated, kind = after.behaviour[0].when.all_
    assert (counted.activity, counted.at_least, negated.not_.activity) == (("a", "c"), 3, ("c",))
    assert kind.attribute == "kind"
    assert not cuts[0].whole


def test_a_group_without_rules_goes_and_nothing_may_be_left():
    card = made.card(fit=[{"when": ATTRIBUTE, "points": 5, "group": "size"}], groups={"size": 8})
    left, _ = reduced(card, ["size"])
    assert (left.fit, left.groups) == ((), {})
    assert from_json(to_json(left)) == left
    points = engine.points(left, {}, 2)
    assert points.total.tolist() == [0.0, 0.0]


@settings(max_examples=150, deadline=None)
@given(made.cards(), st.sets(st.sampled_from(["size", "kind"])), st.sets(st.sampled_from(["a", "b"])))
def test_whatever_the_card_it_reads_nothing_that_it_must_not(card, attributes, types):
    others = [name for name in ("a", "b", "c") if name not in types]
    left, cuts = without(card, attributes, types, others)
    for spec in engine.specs(left):
        assert spec.attribute not in attributes
        assert not types.intersection(spec.types)
        assert spec.types or not types or spec.measure not in {"count", "decayed_count"}
    assert from_json(to_json(left)) == left
    assert without(left, attributes, types, others) == (left, ())
    touched = {cut.name for cut in cuts}
    for part in ("behaviour", "fit", "hot_when", "exclude"):
        before = [entry for entry in getattr(card, part) if entry.name not in touched]
        assert before == [entry for entry in getattr(left, part) if entry.name not in touched]
    assert all(cut.attributes or cut.types for cut in cuts)
