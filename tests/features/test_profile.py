from dataclasses import replace

import polars as pl
import pytest

from features.profile import profile
from leadlight.schema import DAY
from leadlight.workspace import Attribute, TablesInfo
from tests.features import market

BASE = market.BASE
CUT = BASE + 10 * DAY
KNOWN = (
    Attribute("industry", "category", "creation"),
    Attribute("size", "number", "creation"),
)


def info(*attributes, clock="time"):
    return TablesInfo("1", BASE + 100 * DAY, clock, attributes, {})


def lead(lead_id, **columns):
    return {"lead_id": lead_id, "created_at": BASE, "industry": "it", "size": 1.0, **columns}


def activity(lead_id, kind="call", **columns):
    return {
        "activity_id": f"{lead_id}/{kind}/{sorted(columns.items())}",
        "lead_id": lead_id,
        "type": kind,
        "occurred_at": BASE + DAY,
        "received_at": None,
        "actor": "lead",
        **columns,
    }


def seen(leads, activities=(), stages=(), attributes=KNOWN, clock="time", **limits):
    tables = market.tables(list(leads), list(activities), list(stages), [])
    return profile(tables, info(*attributes, clock=clock), CUT, **{"min_leads": 1, **limits})


def test_types_are_ordered_by_the_number_of_leads_not_of_rows():
    rows = [activity("a", "mail_open", occurred_at=BASE + hour) for hour in range(9)]
    rows += [activity(name, kind) for name in "ab" for kind in ("call", "blog_view")]
    assert seen([lead("a"), lead("b")], rows).types == ("blog_view", "call", "mail_open")


def test_a_type_of_too_few_leads_is_left_out():
    rows = [activity("a"), activity("b"), activity("a", "rare")]
    assert seen([lead("a"), lead("b")], rows, min_leads=2).types == ("call",)


@pytest.mark.parametrize(
    "late",
    [
        {"occurred_at": CUT},
        {"received_at": CUT},
    ],
)
def test_what_was_not_known_before_the_cut_is_not_seen(late):
    rows = [activity("a"), activity("a", "later", actor="sales", content="/x", value=1.0, **late)]
    found = seen([lead("a")], rows, [{"lead_id": "a", "stage": "mql", "entered_at": CUT}])
    assert found.types == ("call",)
    assert found.actors == ("lead",)
    assert found.stages == ()
    assert not found.has_contents
    assert not found.has_values


def test_what_was_known_just_before_the_cut_is_seen():
    rows = [activity("a", actor="sales", content="/x", value=1.0, occurred_at=CUT - 1, received_at=CUT - 1)]
    found = seen([lead("a")], rows, [{"lead_id": "a", "stage": "mql", "entered_at": CUT - 1}])
    assert (found.types, found.actors, found.stages) == (("call",), ("sales",), ("mql",))
    assert found.has_contents
    assert found.has_values


def test_attributes_that_vary_are_usable():
    found = seen([lead("a"), lead("b", industry="retail", size=2.0), lead("c", industry="retail")])
    assert found.numbers == ("size",)
    assert found.categories == {"industry": ("retail", "it")}


def test_attributes_that_do_not_vary_or_came_at_an_unknown_time_are_not():
    assert seen([lead("a"), lead("b")]).numbers == ()
    assert seen([lead("a"), lead("b")]).categories == {}
    unknown = (Attribute("industry", "category", "unknown"), Attribute("size", "number", "unknown"))
    found = seen([lead("a"), lead("b", industry="retail", size=2.0)], attributes=unknown)
    assert (found.numbers, found.categories) == ((), {})


def test_a_category_that_is_there_or_not_varies():
    assert seen([lead("a"), lead("b", industry=None)]).categories == {"industry": ("it",)}


def test_leads_created_from_the_cut_on_make_nothing_vary():
    found = seen([lead("a"), lead("b", industry="retail", size=2.0, created_at=CUT)])
    assert (found.numbers, found.categories) == ((), {})


def test_few_categories_keep_codes_of_their_own():
    leads = [lead(f"l{n}", industry=f"i{n % 4}") for n in range(8)] + [lead("more", industry="i3")]
    assert seen(leads, most_categories=2).categories == {"industry": ("i3", "i0")}
    assert seen(leads, min_leads=3).categories == {"industry": ("i3",)}


def categories(**leads_with):
    """Give which values of `industry` keep a code: name -> how many leads have it; `_n`: n leads with one each."""
    values = [value for value, count in leads_with.items() if value[0] != "_" for _ in range(count)]
    values += [f"{value}{number}" for value, count in leads_with.items() if value[0] == "_" for number in range(count)]
    leads = [lead(f"l{number}", industry=value) for number, value in enumerate(values)]
    return seen(leads, min_leads=20).categories.get("industry", ())


def test_of_many_values_those_of_five_leads_keep_a_code():
    few = {f"v{number:02d}": 5 for number in range(20)}
    assert categories(**few) == tuple(few)
    assert categories(**few, rare=4) == tuple(few)
    assert categories(usual=20, **few) == ("usual", *few)


def test_where_few_leads_have_a_rare_value_twenty_are_needed():
    few = {f"v{number:02d}": 5 for number in range(20)}
    assert categories(usual=901, **few) == ("usual",)
    assert categories(usual=899, **few) == ("usual", *few)


def test_few_values_of_five_leads_share_a_code():
    few = {f"v{number:02d}": 5 for number in range(18)}
    assert categories(usual=20, **few) == ("usual",)


def test_identifiers_have_no_codes_though_some_occur_again():
    few = {f"v{number:02d}": 5 for number in range(20)}
    assert categories(**few, _=101) == ()
    assert categories(**few, _=100) == tuple(few)
    assert categories(usual=20, **few, _=200) == ("usual",)


def test_a_record_without_a_clock_says_so():
    assert seen([lead("a")]).timed
    assert not seen([lead("a")], clock="order").timed


def changed(lead_id, day, old, new, name="industry"):
    return {"lead_id": lead_id, "field": name, "changed_at": BASE + day * DAY, "old_value": old, "value": new}


def seen_with(changes, *leads, attributes=KNOWN):
    return profile(market.tables(list(leads), [], [], changes), info(*attributes), CUT, min_leads=1)


def test_shares_count_leads_and_channels_are_named():
    rows = [activity("a", channel="web"), activity("a", "mail_open", channel="mail", actor="marketing")]
    rows += [activity("b", channel="web"), activity("b", "visit", channel=None)]
    found = seen([lead(name) for name in "abcd"], rows)
    assert found.type_share == {"call": 0.5, "mail_open": 0.25, "visit": 0.25}
    assert found.actor_share == {"lead": 0.5, "marketing": 0.25}
    assert found.channel_share == {"web": 0.5, "mail": 0.25}
    assert found.channels == ("web", "mail")
    assert found.own_types == ("call", "visit")
    assert found.own == "lead"


def test_a_type_is_of_the_actor_who_does_it_most():
    rows = [activity("a", occurred_at=BASE + hour, actor="sales") for hour in range(3)] + [activity("a")]
    assert seen([lead("a")], rows).own_types == ()


def test_a_lead_that_acts_alone_needs_no_filter():
    assert seen([lead("a")], [activity("a")]).own is None


def test_stages_that_leads_come_back_to_are_told():
    entries = [{"lead_id": "a", "stage": stage, "entered_at": BASE + day} for day, stage in enumerate(["mql", "lead"])]
    again = [{"lead_id": "a", "stage": "mql", "entered_at": BASE + 5}]
    late = [{"lead_id": "a", "stage": "lead", "entered_at": CUT}]
    found = seen([lead("a")], (), [*entries, *again, *late])
    assert (found.stages, found.repeated) == (("lead", "mql"), ("mql",))


def test_company_is_the_share_of_leads_that_have_colleagues():
    leads = [lead("a", account_id="x"), lead("b", account_id="x"), lead("c", account_id="y"), lead("d")]
    assert seen(leads).company == 0.5
    assert seen([lead("a"), lead("b")]).company == 0.0
    assert seen([lead("a", account_id="x"), lead("b", account_id="x", created_at=CUT)]).company == 0.0


def test_role_like_attributes_are_known_by_their_name():
    titled = (Attribute("role", "category", "creation"), Attribute("industry", "category", "creation"))
    leads = [lead(name, role=name, industry=name) for name in "ab"]
    assert seen(leads, attributes=titled).role_like == ("role",)


def test_dates_are_told_from_categories():
    leads = [lead("a", industry="2024-02-01"), lead("b", industry="2023-12-31T10:00"), lead("c", industry=None)]
    found = seen(leads)
    assert (found.dates, "industry" in found.categories) == (("industry",), False)
    assert seen([*leads, lead("d", industry="unknown")]).dates == ()
    without_clock = seen(leads, clock="order")
    assert (without_clock.dates, "industry" in without_clock.categories) == ((), True)


def test_the_share_of_missing_values_is_of_all_leads_before_the_cut():
    leads = [lead("a", size=None), lead("b"), lead("c", size=2.0), lead("d", size=None, industry=None)]
    assert seen(leads).missing == {"industry": 0.25, "size": 0.5}


def test_attributes_are_read_as_they_were_before_the_cut():
    leads = [lead("a", industry="later"), lead("b", industry="later"), lead("c", industry="it")]
    changes = [changed("a", 1, "old", "then"), changed("a", 20, "then", "later"), changed("b", 20, "first", "later")]
    found = seen_with(changes, *leads)
    assert found.categories == {"industry": ("first", "it", "then")}
    assert found.changed == {"industry": pytest.approx(1 / 3)}


def test_numbers_are_read_as_they_were_before_the_cut():
    changes = [changed("a", 20, "1.0", "7", "size"), changed("b", 20, None, "7", "size")]
    found = seen_with(changes, lead("a", size=7.0), lead("b", size=7.0), lead("c"))
    assert found.numbers == ()
    assert found.missing["size"] == pytest.approx(1 / 3)


def test_an_attribute_that_was_cleared_is_missing():
    changes = [changed("a", 1, "it", None), changed("b", 1, "it", None), changed("b", 2, None, "retail")]
    changes += [changed("c", 20, "it", None)]
    found = seen_with(changes, *(lead(name, industry=None) for name in "abc"))
    assert found.categories == {"industry": ("it", "retail")}
    assert found.missing["industry"] == pytest.approx(1 / 3)
    assert found.changed == {"industry": pytest.approx(2 / 3)}


def test_nothing_at_all_is_a_profile_too():
    found = seen([])
    assert (found.types, found.actors, found.numbers, found.company, found.missing["size"]) == ((), (), (), 0.0, 0.0)


def seen_beside_changes(changes, names, *leads):
    """Profile leads with attributes of these names beside `industry`, which has changes."""
    tables = replace(market.tables([], [], [], changes), leads=pl.LazyFrame(leads))
    attributes = [Attribute("industry", "category", "changes"), *(Attribute(n, "category", "creation") for n in names)]
    return profile(tables, info(*attributes), CUT, min_leads=1)


def test_attributes_may_have_any_name_beside_one_with_changes():
    names = ("last", "first", "own", "changed", "value", "field", "len", "old_value")
    leads = [lead(key, account_id=None, **dict.fromkeys(names, f"{key} itself")) for key in "ab"]
    found = seen_beside_changes([changed("a", 20, "then", "later")], names, *leads)
    assert found.categories["industry"] == ("it", "then")
    assert {name: found.categories[name] for name in names} == dict.fromkeys(names, ("a itself", "b itself"))


def test_a_lead_without_a_value_before_its_changes_is_given_none_of_another_attribute():
    leads = [lead(key, account_id=None, last="wrong") for key in "abc"]
    found = seen_beside_changes([changed("a", 20, None, "later")], ("last",), *leads)
    assert found.missing["industry"] == pytest.approx(1 / 3)
