import pytest

from leadlight import phrases
from leadlight.spec import FeatureSpec


def share(**given):
    return FeatureSpec("x", "rhythm", "share", **given)


@pytest.mark.parametrize(
    ("days", "en", "ja"),
    [
        (1 / 1440, "1 minute", "1分"),
        (0.01, "14 minutes", "14分"),
        (1 / 24, "1 hour", "1時間"),
        (0.5, "12 hours", "12時間"),
        (1.0, "1 day", "1日"),
        (3.26, "3.3 days", "3.3日"),
    ],
)
def test_times_are_said_in_the_unit_that_suits_them(days, en, ja):
    assert (phrases.duration(days, "en"), phrases.duration(days, "ja")) == (en, ja)


@pytest.mark.parametrize(
    ("given", "en", "ja"),
    [
        ({"weekdays": (6, 5)}, "on weekends", "土日"),
        ({"weekdays": (0, 1, 2, 3, 4)}, "on Monday to Friday", "月〜金曜日"),
        ({"weekdays": (0, 2)}, "on Monday, Wednesday", "月・水曜日"),
        ({"weekdays": (3,)}, "on Thursday", "木曜日"),
        ({"hours": (9.0, 18.5)}, "between 9:00 and 18:30 UTC", "9:00〜18:30(UTC)"),
        (
            {"hours": (0, 24), "weekdays": (5, 6), "utc_offset_hours": 9},
            "between 0:00 and 24:00 UTC+9, on weekends",
            "土日の0:00〜24:00(UTC+9)",
        ),
    ],
)
def test_hours_and_weekdays(given, en, ja):
    assert phrases.hours_and_weekdays(share(**given), "en") == en
    assert phrases.hours_and_weekdays(share(**given), "ja") == ja


@pytest.mark.parametrize(
    ("offset", "name"), [(0.0, "UTC"), (9.0, "UTC+9"), (-3.5, "UTC-3:30"), (5.75, "UTC+5:45"), (-0.5, "UTC-0:30")]
)
def test_the_zone_of_a_clock_has_a_name(offset, name):
    assert phrases.zone(share(weekdays=(0,), utc_offset_hours=offset)) == name


def test_every_filter_is_said():
    spec = FeatureSpec("x", "frequency", "count", ("call",), "sales", "phone", "/a/*", detail="bot*")
    assert phrases.phrase(spec).noun == "call (by sales) via Phone (“/a/*”) (“bot*”)"
    assert phrases.phrase(spec).ja == "「bot*」の「/a/*」のPhone経由で営業による通話"


def test_what_follows_is_said_by_its_own_filter():
    spec = FeatureSpec("x", "touches", "followed", ("mail_sent",), then_types=("mail_click",), within_days=1)
    assert phrases.then_phrase(spec).noun == "click in an e-mail"
    answered = FeatureSpec("x", "touches", "followed", actor="sales", then_actor="lead", within_days=1)
    assert phrases.then_phrase(answered).noun == "activity of the lead"
    anything = FeatureSpec("x", "touches", "followed", actor="sales", within_days=1)
    assert phrases.then_phrase(anything).noun == "activity"


def test_shares_are_percent():
    assert [phrases.percent(share) for share in (0.0, 0.256, 1.0)] == ["0%", "26%", "100%"]


@pytest.mark.parametrize(
    ("values", "given", "shown"),
    [
        ((0.6931, 0.68, 0.71), {}, ("0.693", "0.680", "0.710")),
        ((0.0004234, 0.0003, 0.00061), {}, ("0.000423", "0.000300", "0.000610")),
        ((0.00012, -0.003, 0.003), {"decimals": 4, "sign": "+"}, ("+0.00012", "-0.00300", "+0.00300")),
        ((-1e-17,), {"sign": "+"}, ("+0.000",)),
        ((3.25,), {}, ("3.250",)),
    ],
)
def test_small_figures_keep_three_significant_ones(values, given, shown):
    assert phrases.measured(*values, **given) == shown
