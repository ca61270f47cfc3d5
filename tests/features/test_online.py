"""Every measure against the slow reference on random records, and a few rows computed by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import online
from features.tables import timelines
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, AttributeChange, StageEntry, Timeline
from tests.features import market

PLAN = online.Plan(market.SPECS)

# 2024-10-04T00:00:00Z, a Friday.
BASE = 20_000 * DAY
AS_OF = BASE + 10 * DAY


def line(*rows, **columns):
    activities = [
        {"activity_id": str(place), "type": "call", "occurred_at": BASE, "actor": "lead", **row}
        for place, row in enumerate(rows)
    ]
    base = {"lead_id": "a", "created_at": BASE, "attributes": {}, "activities": Activities.from_rows(activities)}
    return Timeline(**{**base, **columns})


def value(timeline, *args, as_of=AS_OF, **kwargs):
    (found,) = online.row(timeline, as_of, (FeatureSpec("x", *args, **kwargs),))
    return found


def ago(days, **columns):
    return {"occurred_at": AS_OF - round(days * DAY), **columns}


def test_a_window_includes_its_far_edge_and_not_as_of():
    edges = line(ago(2), {"occurred_at": AS_OF - 2 * DAY - 1}, {"occurred_at": AS_OF - 1}, {"occurred_at": AS_OF})
    assert value(edges, "frequency", "count", window_days=2) == 2
    assert value(edges, "frequency", "count") == 3


def test_what_was_received_late_counts_from_the_instant_after_its_arrival():
    told = line(ago(3, received_at=AS_OF))
    assert value(told, "frequency", "count") == 0
    assert value(told, "frequency", "count", as_of=AS_OF + 1) == 1
    assert value(told, "recency", "days_since_last", as_of=AS_OF + DAY) == 4  # since it happened, not since it came


def test_an_answer_that_came_late_does_not_answer_until_it_is_known_and_the_next_one_does():
    told = line(
        ago(5, type="mail"),
        ago(4.5, type="reply", received_at=AS_OF),
        ago(4.4, type="reply", received_at=AS_OF + DAY),
        ago(4.2, type="reply"),
        ago(3, type="mail"),
        ago(2, type="reply", received_at=AS_OF),
    )
    for within, before, after in ((0.5, 0, 1), (0.8, 1, 1), (1, 1, 2)):
        arguments = {"then_types": ("reply",), "within_days": within}
        assert value(told, "sequence", "followed", ("mail",), **arguments) == before
        assert value(told, "sequence", "followed", ("mail",), as_of=AS_OF + 1, **arguments) == after
    assert value(told, "recency", "days_since_last", ("reply",)) == pytest.approx(4.2)


def test_counts_by_hand():
    three = line(
        ago(1, type="pricing_view", content="/blog/1", value=2.5, actor="sales", channel="web"),
        ago(1.25, content="/blog/22", value=-1.0),
        ago(6, type="pricing_view", content="/blog/1"),
    )
    assert value(three, "frequency", "count", ("pricing_view",)) == 2
    assert value(three, "touches", "count", actor="sales") == 1
    assert value(three, "frequency", "count", channel="web") == 1
    assert value(three, "frequency", "count", content="/blog/?") == 2
    assert value(three, "frequency", "distinct_contents") == 2
    assert value(three, "frequency", "distinct_days") == 3
    assert value(three, "frequency", "value_sum") == 1.5
    assert value(three, "breadth", "distinct_types") == 2
    assert value(three, "breadth", "distinct_types", window_days=1) == 1
    assert value(three, "recency", "days_since_last") == 1
    assert value(three, "recency", "days_since_first") == 6


def test_an_activity_counts_half_after_its_half_life():
    two = line(ago(2), ago(4))
    assert value(two, "decay", "decayed_count", half_life_days=2) == pytest.approx(0.5 + 0.25)
    assert value(two, "decay", "decayed_count", half_life_days=2, window_days=3) == pytest.approx(0.5)


def test_momentum_is_in_doublings():
    rising = line(ago(0.5), ago(0.6), ago(1), ago(1.5))
    assert value(rising, "momentum", "momentum", window_days=1) == 1  # (3 + 1) / (1 + 1)
    assert value(line(), "momentum", "momentum", window_days=1) == 0


def test_the_last_types_as_codes():
    two = line(ago(2, type="call"), ago(1, type="visit"))
    categories = ("call", "mail_open")
    assert value(two, "sequence", "last_type", categories=categories) == 2  # any other
    assert value(two, "sequence", "last_type", k=2, categories=categories) == 0
    assert np.isnan(value(two, "sequence", "last_type", k=3, categories=categories))


def test_age_and_clock():
    born = line(created_at=BASE + 5 * HOUR + HOUR // 2)
    assert value(born, "age", "age_days", as_of=BASE + 29 * HOUR + HOUR // 2) == 1
    assert value(born, "age", "created_hour") == 5
    assert value(born, "age", "created_weekday") == 4


def test_stages_before_as_of():
    twice = line(stages=(StageEntry("mql", BASE), StageEntry("mql", AS_OF - DAY), StageEntry("mql", AS_OF)))
    assert value(twice, "stage", "stage_entries", stage="mql") == 2
    assert value(twice, "stage", "days_since_stage", stage="mql") == 1
    assert value(twice, "stage", "stage_entries", stage="sql") == 0
    assert np.isnan(value(twice, "stage", "days_since_stage", stage="sql"))


def test_an_attribute_is_what_it_was_at_as_of():
    changes = (AttributeChange("size", BASE + DAY, "7", "12"), AttributeChange("size", AS_OF, "12", "90"))
    grown = line(attributes={"size": 90.0}, changes=changes)
    assert value(grown, "fit", "number", attribute="size", as_of=BASE + DAY) == 7
    assert value(grown, "fit", "number", attribute="size") == 12
    assert value(grown, "fit", "number", attribute="size", as_of=AS_OF + 1) == 90


def test_categories_and_what_is_no_number():
    known = line(attributes={"industry": "farm", "size": "many", "country": None})
    assert value(known, "fit", "category", attribute="industry", categories=("it", "farm")) == 1
    assert value(known, "fit", "category", attribute="industry", categories=("it",)) == 1
    assert np.isnan(value(known, "fit", "category", attribute="country", categories=("it",)))
    assert np.isnan(value(known, "fit", "number", attribute="size"))
    assert np.isnan(value(known, "fit", "number", attribute="absent"))


def test_nothing_recorded_counts_zero_and_has_no_recency():
    specs = (
        FeatureSpec("n", "frequency", "count"),
        FeatureSpec("sum", "frequency", "value_sum"),
        FeatureSpec("decayed", "decay", "decayed_count", half_life_days=1),
        FeatureSpec("last", "recency", "days_since_last"),
        FeatureSpec("first", "recency", "days_since_first"),
    )
    np.testing.assert_array_equal(online.row(line(), AS_OF, specs), [0, 0, 0, np.nan, np.nan])
    assert online.row(line(), AS_OF, ()).shape == (0,)


def company_of(record, lines, lead_id):
    accounts = {row["lead_id"]: row["account_id"] for row in record[0]}
    own = accounts[lead_id]
    return [] if own is None else [lines[name] for name, account in accounts.items() if account == own]


def assert_equals_the_reference(record, lead_id, as_of, found):
    wanted = [market.reference(record, lead_id, as_of, spec) for spec in market.SPECS]
    for spec, one, other in zip(market.SPECS, found, wanted, strict=True):
        expected = np.nan if other is None else other
        np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-12, err_msg=spec.name)


@settings(max_examples=100, deadline=None)
@given(record=market.records(), lead_id=market.lead_ids, instants=st.lists(market.instants, min_size=1, max_size=3))
def test_every_measure_equals_the_slow_reference(record, lead_id, instants):
    lines = timelines(market.tables(*record))
    others = [line for line in company_of(record, lines, lead_id) if line.lead_id != lead_id]
    for as_of in instants:  # over one record, whose codes are made once
        assert_equals_the_reference(record, lead_id, as_of, PLAN.row(lines[lead_id], as_of, others))


@settings(max_examples=20, deadline=None)
@given(record=market.records(), instants=st.lists(market.instants, min_size=1, max_size=2))
def test_a_company_made_ready_once_answers_for_each_of_its_leads(record, instants):
    lines = timelines(market.tables(*record))
    for lead_id in market.LEADS:
        ready = online.Colleagues(company_of(record, lines, lead_id))  # the lead itself among them
        for as_of in instants:
            assert_equals_the_reference(record, lead_id, as_of, PLAN.row(lines[lead_id], as_of, ready))


@pytest.mark.parametrize("lead_id", ["p000", "p008", "p010", "p030", "p059"])
@pytest.mark.parametrize("as_of", [market.BASE, market.BASE + 1, market.BASE + DAY + 1, market.BASE + 4 * DAY])
def test_of_a_large_company_the_fifty_created_last_count(lead_id, as_of):
    record = market.crowd()
    lines = timelines(market.tables(*record))
    everybody = list(lines.values())
    shuffled = [everybody[place] for place in np.random.default_rng(1).permutation(len(everybody))]
    assert_equals_the_reference(record, lead_id, as_of, online.row(lines[lead_id], as_of, market.SPECS, shuffled))


def test_the_crowd_would_tell_if_its_oldest_leads_counted():
    lines = timelines(market.tables(*market.crowd()))
    most = (FeatureSpec("most", "company", "most_active_colleague"),)
    assert online.row(lines["p059"], market.BASE + 4 * DAY, most, [lines["p000"], lines["p020"]]) == [9.0]
    assert online.row(lines["p059"], market.BASE + 4 * DAY, most, list(lines.values())) == [1.0]


def test_a_glob_matches_the_whole_text_over_line_breaks_too():
    odd = line(ago(1, content="/blog/1\n"), ago(1, content="/blog/\n"), ago(1, content="x/blog/1"))
    assert value(odd, "frequency", "count", content="/blog/?") == 1
    assert value(odd, "frequency", "count", content="/blog/*") == 2


def test_more_globs_than_a_machine_word_has_bits():
    specs = tuple(FeatureSpec(f"n{place}", "rule", "count", content=f"/{place}*") for place in range(70))
    found = online.row(line(ago(1, content="/69/x"), ago(2, content="/6/x"), ago(3)), AS_OF, specs)
    assert {spec.name: count for spec, count in zip(specs, found, strict=True) if count} == {"n6": 2.0, "n69": 1.0}


def test_followed_by_something_at_the_same_instant_but_not_by_itself():
    same = line(ago(1, type="mail"), ago(1, type="open"), ago(0.5, type="mail"))
    arguments = {"then_types": ("open",), "within_days": 1}
    assert value(same, "sequence", "followed", ("mail",), **arguments) == 1
    assert value(same, "sequence", "followed_share", ("mail",), **arguments) == 0.5
    assert value(same, "sequence", "followed", ("open",), **arguments) == 0


def test_a_longer_pause_than_the_gap_starts_a_session():
    minute = 60_000_000
    visits = line(*({"occurred_at": BASE + at} for at in (0, 30 * minute, 60 * minute + 1, DAY)))
    assert value(visits, "rhythm", "sessions", gap_minutes=30) == 3
    assert value(visits, "rhythm", "sessions", gap_minutes=36_500 * 1440) == 1


def test_gaps_that_are_regular_have_a_spread_of_one():
    regular = line(ago(1), ago(3), ago(5))
    assert value(regular, "rhythm", "gap_mean") == 2
    assert value(regular, "rhythm", "gap_spread") == 1
    assert np.isnan(value(line(ago(1), ago(1)), "rhythm", "gap_spread"))
    assert np.isnan(value(regular, "rhythm", "gap_mean", window_days=2))


@pytest.mark.parametrize(
    ("text", "days"), [("2024-10-01", 13), ("2024-02-31", 226), ("2024-03-02T12:00", 226), ("2024-00-10", np.nan)]
)
def test_days_since_a_date(text, days):
    (found,) = online.row(
        line(attributes={"since": text}), AS_OF, (FeatureSpec("x", "fit", "days_since_date", attribute="since"),)
    )
    np.testing.assert_equal(found, days)


@pytest.mark.parametrize("text", ["1_000", "\uff11\uff12", "0x10", "inf", ""])
def test_only_a_plain_finite_number_is_one(text):
    assert np.isnan(value(line(attributes={"size": text}), "fit", "number", attribute="size"))
