import pytest

from features import hygiene
from features.hygiene_settings import HygieneSettings
from leadlight.schema import DAY
from tests.features.hygiene_market import BASE, SECOND, UNTIL, activity, lead, tables

MINUTE_SHARP = 43.0  # seconds after BASE that give a whole minute


def causes(*rows, **settings):
    rows_ = hygiene.clean(tables(rows), UNTIL, HygieneSettings(**settings)).set_aside.activities.collect()
    return dict(zip(rows_["activity_id"].to_list(), rows_["cause"].to_list(), strict=True))


def click(key, seconds, content, **columns):
    return activity(key, seconds, "mail_click", content=content, **columns)


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ({}, {"2": "duplicate"}),
        ({"seconds": 1.0}, {"2": "duplicate"}),
        ({"seconds": 1.000001}, {}),
        ({"content": "other"}, {}),
        ({"detail": "other"}, {}),
        ({"kind": "download"}, {}),
        ({"lead_id": "b"}, {}),
        ({"actor": "sales"}, {}),
        ({"value": 3.0}, {"2": "duplicate"}),
    ],
)
def test_duplicates_agree_in_what_they_are_within_a_second(second, found):
    assert causes(activity("1"), activity("2", **second)) == found


def test_the_first_known_stays_not_the_first_that_occurred():
    assert causes(activity("1", 0, received_at=BASE + DAY), activity("2", 0.5)) == {"1": "duplicate"}


def test_a_storm_of_one_event_leaves_its_first():
    rows = [activity(f"{number:02}", number * 0.4) for number in range(10)]
    left = {row["activity_id"] for row in rows} - set(causes(*rows))
    assert "00" in left
    assert len(left) <= 3
    assert causes(*rows, duplicate_seconds=None) == {}


@pytest.mark.parametrize("days", [365, 365.000001])
def test_visits_long_before_the_lead_are_set_aside_and_earlier_visits_kept(days):
    found = causes(activity("1", -days * 86_400))
    assert found == ({} if days == 365 else {"1": "too_early"})
    assert causes(activity("1", -days * 86_400), too_early_days=None) == {}


def test_what_occurs_after_the_record_is_set_aside():
    late = activity("2", 40 * 86_400 + 0.000001)
    assert causes(activity("1", 40 * 86_400), late) == {"2": "future"}
    assert causes(late, future=False) == {}


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"detail": "Barracuda Sentinel"}, True),
        ({"detail": "MailGate-LinkScanner/2.1 (+security)"}, True),
        ({"detail": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, True),
        ({"detail": "Mozilla/5.0 (Windows NT 10.0) via GoogleImageProxy"}, False),
        ({"detail": None}, False),
        ({"detail": "we run Barracuda", "kind": "chat"}, False),
        ({"detail": "told us of Barracuda", "actor": "sales", "kind": "call"}, False),
    ],
)
def test_scanners_are_known_by_the_name_they_give(columns, found):
    assert causes(activity("1", **columns)) == ({"1": "scanner_agent"} if found else {})
    assert causes(activity("1", **columns), scanner_agents=()) == {}


def test_agents_may_hold_any_sign():
    assert causes(activity("1", detail="Bot (v1.0)+"), scanner_agents=("(v1.0)+",)) == {"1": "scanner_agent"}
    assert causes(activity("1", detail="Bot (v1x0)+"), scanner_agents=("(v1.0)+",)) == {}


def test_a_click_within_seconds_of_sending_and_before_any_open_is_a_gate():
    sent = activity("s", 0, "mail_sent", content="m", actor="marketing")
    opened = activity("o", 5, "mail_open", content="m")
    assert causes(sent, click("c", 4, "m"), opened) == {"c": "click_before_open"}
    assert causes(sent, click("c", 5, "m"), opened) == {}
    assert causes(sent, click("c", 6, "m"), opened) == {}
    assert causes(sent, click("c", 30, "m")) == {"c": "click_before_open"}
    assert causes(sent, click("c", 30.5, "m")) == {}  # images are blocked: no open is no proof
    assert causes(sent, click("c", 4, "another")) == {}
    assert causes(click("c", 4, "m"), opened) == {}
    assert causes(sent, click("c", 4, "m"), click_before_open_seconds=None) == {}


def test_an_open_that_became_known_only_later_excuses_nobody_and_an_old_open_neither():
    sent = activity("s", 0, "mail_sent", content="m", actor="marketing")
    late = activity("o", 2, "mail_open", content="m", received_at=BASE + DAY)
    assert causes(sent, late, click("c", 4, "m")) == {"c": "click_before_open"}
    old = activity("o", -DAY / SECOND, "mail_open", content="m")
    assert causes(sent, old, click("c", 4, "m")) == {"c": "click_before_open"}


def test_instants_on_whole_minutes_accuse_nobody():
    sent = activity("s", MINUTE_SHARP, "mail_sent", content="m", actor="marketing")
    assert causes(sent, click("c", MINUTE_SHARP, "m")) == {}
    assert causes(sent, click("c", MINUTE_SHARP + 7, "m")) == {"c": "click_before_open"}
    assert causes(*(click(name, MINUTE_SHARP, name) for name in "xyz")) == {}


def test_from_the_third_link_within_seconds_on_clicks_are_a_machines():
    burst = [click("1", 0, "x"), click("2", 2, "y"), click("3", 5, "z"), click("4", 5, "x")]
    assert causes(*burst) == {"3": "many_links", "4": "many_links"}
    assert causes(click("1", 0, "x"), click("2", 2, "y"), click("3", 6, "z")) == {}
    assert causes(click("1", 0, "x"), click("2", 2, "y"), click("3", 4, "x")) == {}
    assert causes(*(click(name, 0, name) for name in "xyz")) == dict.fromkeys("xyz", "many_links")
    assert causes(*burst, burst_contents=4) == {}
    assert causes(*burst, burst_seconds=None) == {}


def test_nothing_to_judge():
    assert causes() == {}
    assert hygiene.clean(tables([], leads=[]), UNTIL).report().rows["leads"] == 0
    stranger = activity("1", lead_id="stranger")
    assert hygiene.clean(tables([stranger], leads=[lead("a")]), UNTIL).report().kept["activities"] == 1
