import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.schema import DAY
from leadlight.timeline import Activities
from rules.condition import Condition, compiled
from rules.engine import points, specs
from rules.ledger import ledger, since
from rules.parse import builtin
from tests.rules import made, slow

as_ofs = st.integers(0, 26).map(lambda step: step * made.STEP)


def columns(card, timeline, as_of):
    return {spec.name: np.array([slow.value(timeline, spec, as_of)]) for spec in specs(card)}


@settings(max_examples=120, deadline=None)
@given(made.cards(), made.timelines(), as_ofs)
def test_entries_add_up_to_the_points_of_the_engine_rule_by_rule(card, timeline, as_of):
    entries = ledger(card, timeline, as_of)
    counted = points(card, columns(card, timeline, as_of), n=1)
    assert math.fsum(entry.points for entry in entries) == pytest.approx(counted.total[0], abs=1e-9)
    for name, amounts in counted.by_rule.items():
        mine = math.fsum(entry.points for entry in entries if entry.rule == name)
        assert mine == pytest.approx(amounts[0], abs=1e-9), name
    assert {entry.rule for entry in entries} <= counted.by_rule.keys()


@settings(max_examples=80, deadline=None)
@given(made.cards(), made.timelines(), as_ofs)
def test_what_lies_at_or_after_as_of_changes_nothing(card, timeline, as_of):
    known = timeline.activities.known_before(as_of)
    names = [name for name in Activities.__slots__ if name != "memo"]
    before = replace(
        timeline,
        activities=Activities(**{name: getattr(timeline.activities, name)[known] for name in names}),
        stages=tuple(entry for entry in timeline.stages if entry.entered_at < as_of),
        # a later change still tells the value before it, through its old value
        changes=timeline.changes,
    )
    assert ledger(card, before, as_of) == ledger(card, timeline, as_of)
    assert all(entry.at < as_of for entry in ledger(card, timeline, as_of) if entry.at != timeline.created_at)


@settings(max_examples=50, deadline=None)
@given(made.cards(), st.lists(made.activity_rows(), max_size=8), st.randoms(use_true_random=False), as_ofs)
def test_the_order_of_rows_is_irrelevant(card, rows, random, as_of):
    rows = [{**row, "activity_id": f"a{i}"} for i, row in enumerate(rows)]
    shuffled = random.sample(rows, len(rows))
    assert ledger(card, made.timeline(rows), as_of) == ledger(card, made.timeline(shuffled), as_of)


@settings(max_examples=120, deadline=None)
@given(made.conditions, made.timelines(), as_ofs)
def test_a_condition_is_dated_where_walking_back_finds_its_last_break(condition, timeline, as_of):
    asked = Condition.model_validate(condition)
    expected = None
    if slow.true(asked, timeline, as_of):
        grid = range(as_of - made.STEP, timeline.created_at, -made.STEP)
        expected = next((at for at in grid if not slow.true(asked, timeline, at)), timeline.created_at)
    assert since(compiled(asked), timeline, as_of) == expected


def test_a_cap_cuts_the_later_entries():
    card = made.card(behaviour=[{"activity": "a", "points": 2, "cap": 5}])
    entries = ledger(card, made.timeline([("a", 0), ("a", DAY), ("a", 2 * DAY), ("a", 3 * DAY)]), 10 * DAY)
    assert [entry.points for entry in entries] == [2, 2, 1, 0]
    assert [entry.full_points for entry in entries] == [2, 2, 2, 2]
    assert [entry.activity_id for entry in entries] == ["a000", "a001", "a002", "a003"]


def test_once_gives_the_first_activity_the_points():
    card = made.card(behaviour=[{"activity": "a", "points": 2, "once": True}])
    (entry,) = ledger(card, made.timeline([("a", DAY), ("a", 2 * DAY)]), 10 * DAY)
    assert (entry.at, entry.points) == (DAY, 2)


def test_decayed_entries_carry_what_is_left():
    card = made.card(behaviour=[{"activity": "a", "points": 8, "half_life": "1d"}])
    entries = ledger(card, made.timeline([("a", 0), ("a", 2 * DAY)]), 3 * DAY)
    assert [entry.points for entry in entries] == [1, 4]


def test_the_floor_is_an_entry_dated_when_the_score_last_fell_below_zero():
    card = made.card(behaviour=[{"activity": "a", "points": 5}, {"activity": "b", "points": -4}])
    entries = ledger(card, made.timeline([("b", 0), ("a", DAY), ("b", 2 * DAY), ("b", 3 * DAY)]), 10 * DAY)
    floor = next(entry for entry in entries if entry.rule == "behaviour:floor")
    assert (floor.at, floor.points) == (2 * DAY, 7)


def test_a_groups_cap_is_an_entry_dated_when_it_was_passed():
    card = made.card(
        behaviour=[{"activity": "a", "points": 4, "group": "g"}, {"activity": "b", "points": 3, "group": "g"}],
        groups={"g": 8},
    )
    entries = ledger(card, made.timeline([("a", 0), ("b", DAY), ("a", 2 * DAY)]), 10 * DAY)
    cut = next(entry for entry in entries if entry.rule == "group:g")
    assert (cut.at, cut.points) == (2 * DAY, -3)


def test_an_exclusion_takes_all_points_back_on_both_sides():
    card = made.card(
        behaviour=[{"activity": "a", "points": 5}],
        fit=[{"when": {"attribute": "kind", "known": True}, "points": 3}],
        exclude=[{"when": {"attribute": "kind", "one_of": ["competitor"]}}],
    )
    timeline = made.timeline([("a", DAY)], attributes={"kind": "competitor"})
    entries = ledger(card, timeline, 10 * DAY)
    assert {entry.rule: entry.points for entry in entries if "excluded" in entry.rule} == {
        "behaviour:excluded": -5,
        "fit:excluded": -3,
    }
    assert sum(entry.points for entry in entries) == 0


def test_the_first_of_two_exclusions_is_the_one_told():
    card = made.card(
        behaviour=[{"activity": "a", "points": 5}],
        exclude=[
            {"when": {"stage": "lost"}, "label": {"en": "lost", "ja": "失注"}},
            {"when": {"activity": "b"}, "label": {"en": "left", "ja": "退会"}},
        ],
    )
    entries = ledger(card, made.timeline([("a", DAY), ("b", 2 * DAY)], stages=[("lost", 3 * DAY)]), 10 * DAY)
    assert [(e.at, e.label_en) for e in entries if e.rule == "behaviour:excluded"] == [(2 * DAY, "left")]


def test_a_window_keeps_an_activity_of_its_very_age():
    card = made.card(behaviour=[{"activity": "a", "points": 5, "within": "1d"}])
    timeline = made.timeline([("a", DAY)])
    assert [len(ledger(card, timeline, as_of)) for as_of in (DAY, DAY + 1, 2 * DAY, 2 * DAY + 1)] == [0, 1, 1, 0]


def test_a_condition_that_a_window_ends_is_dated_at_its_end():
    fresh = compiled(Condition.model_validate({"not": {"stage": "lost", "within": "3d"}}))
    timeline = made.timeline(stages=[("lost", 2 * DAY)])
    assert since(fresh, timeline, 10 * DAY) == 5 * DAY
    assert since(fresh, timeline, 5 * DAY) is None
    assert since(fresh, timeline, 5 * DAY + 1) == 5 * DAY


def test_what_was_received_after_its_window_never_counts():
    row = {"type": "a", "occurred_at": 0, "received_at": 5 * DAY}
    quiet = compiled(Condition.model_validate({"activity": "a", "within": "1d", "at_most": 0}))
    assert since(quiet, made.timeline([row]), 10 * DAY) == 0
    assert since(quiet, made.timeline([row]), 3 * DAY) == 0


def test_what_held_before_the_lead_was_created_is_dated_at_its_creation():
    asked = compiled(Condition.model_validate({"activity": "a"}))
    assert since(asked, made.timeline([("a", DAY)], created_at=3 * DAY), 10 * DAY) == 3 * DAY


def test_silence_begins_thirty_days_after_the_last_open_and_ends_with_the_next():
    card = builtin("standard")
    sent = [("mail_sent", day * DAY) for day in range(0, 120, 7)]

    def silent(activities, as_of):
        return [e for e in ledger(card, made.timeline([*sent, *activities]), as_of) if e.rule == "silent"]

    assert silent([], 30 * DAY) == []  # nobody is silent for 30 days before the 30th day
    (entry,) = silent([("mail_open", 10 * DAY)], 60 * DAY)
    assert (entry.at, entry.points) == (40 * DAY, -10)
    assert silent([("mail_open", 10 * DAY), ("mail_open", 59 * DAY)], 60 * DAY) == []
    assert ledger(card, made.timeline(), 60 * DAY) == ()  # no mail was sent


def test_entries_are_oldest_first():
    card = builtin("standard")
    timeline = made.timeline([("pricing_view", 5 * DAY), ("download", 2 * DAY), ("blog_view", 9 * DAY)])
    entries = ledger(card, timeline, 10 * DAY)
    assert [entry.rule for entry in entries] == ["download", "pricing", "blog"]
    assert entries[0].label_ja == "資料をダウンロード"
