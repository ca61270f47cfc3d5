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


def test_a_record_without_a_clock_says_so():
    assert seen([lead("a")]).timed
    assert not seen([lead("a")], clock="order").timed
