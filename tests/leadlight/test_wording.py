import math
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight import wording
from leadlight.errors import InputError
from leadlight.measures import MEASURES
from leadlight.schema import ACTIVITY_TYPES, ACTORS, STAGES
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec, Measure
from leadlight.vocabulary import LANGS

NAN = math.nan
PRICING = ("pricing_view",)


def spec(measure, **given_):
    """Give a specification of the measure, with what it needs."""
    needed = {
        "momentum": {"window_days": 7.0},
        "decayed_count": {"half_life_days": 14.0},
        "last_type": {"categories": ("pricing_view", "call")},
        "stage_entries": {"stage": "mql"},
        "days_since_stage": {"stage": "opportunity"},
        "number": {"attribute": "employees"},
        "category": {"attribute": "company_size", "categories": ("small", "large")},
        "trend": {"window_days": 30.0},
        "sessions": {"gap_minutes": 30.0},
        "share": {"weekdays": (5, 6)},
        "followed": {"within_days": 7.0},
        "followed_share": {"within_days": 7.0},
        "roles": {"attribute": "job_title"},
        "missing": {"attribute": "industry"},
        "days_since_date": {"attribute": "founded_on"},
        "changes": {"attribute": "department"},
    }
    return FeatureSpec("feature_name", "frequency", measure, **(needed.get(measure, {}) | given_))


@pytest.mark.parametrize(
    ("given_", "value", "en", "ja"),
    [
        (
            spec("count", types=PRICING, window_days=7),
            3.0,
            "viewed the pricing page 3 times in the last 7 days",
            "直近7日間に料金ページを3回閲覧",
        ),
        (spec("count", types=PRICING), 1.0, "viewed the pricing page once so far", "これまでに料金ページを1回閲覧"),
        (
            spec("count", types=PRICING, window_days=30),
            0.0,
            "no pricing page view in the last 30 days",
            "直近30日間に料金ページ閲覧なし",
        ),
        (spec("count", window_days=1), 12.0, "was active 12 times in the last 24 hours", "直近24時間に12回活動"),
        (
            spec("count", actor="sales", window_days=30),
            2.0,
            "was contacted by sales twice in the last 30 days",
            "直近30日間に営業が2回接触",
        ),
        (
            spec("distinct_days", window_days=30),
            5.0,
            "was active on 5 different days in the last 30 days",
            "直近30日間に活動した日が5日",
        ),
        (
            spec("distinct_types", window_days=30),
            4.0,
            "4 different kinds of activity in the last 30 days",
            "直近30日間に活動が4種類",
        ),
        (
            spec("days_since_last", types=("seminar_attended",)),
            3.4,
            "last seminar attendance 3 days ago",
            "最後のセミナー参加は3日前",
        ),
        (
            spec("days_since_last", types=("mail_open",)),
            0.5,
            "last e-mail opened 12 hours ago",
            "最後のメール開封は12時間前",
        ),
        (spec("days_since_last", types=("download",)), NAN, "no download so far", "これまでに資料ダウンロードなし"),
        (
            spec("decayed_count", types=PRICING),
            2.4371,
            "2.4 recent pricing page views (weight halves every 14 days)",
            "最近の料金ページ閲覧2.4回相当(重みは14日で半減)",
        ),
        (
            spec("momentum", types=PRICING),
            1.0,
            "more pricing page views in the last 7 days than in the 7 days before",
            "直近7日間の料金ページ閲覧がその前より増加",
        ),
        (
            spec("momentum", types=PRICING),
            -1.0,
            "fewer pricing page views in the last 7 days than in the 7 days before",
            "直近7日間の料金ページ閲覧がその前より減少",
        ),
        (spec("last_type", k=2), 1.0, "second-last activity: call", "最後から2番目の活動は通話"),
        (spec("last_type"), 2.0, "last activity: of another kind", "最後の活動はその他"),
        (spec("age_days"), 40.2, "became a lead 40 days ago", "リード獲得は40日前"),
        (spec("created_weekday"), 0.0, "became a lead on a Monday", "リード獲得は月曜日"),
        (spec("created_hour"), 9.0, "became a lead between 9:00 and 10:00 UTC", "リード獲得は9時台(UTC)"),
        (spec("stage_entries"), 2.0, "reached stage MQL twice so far", "これまでにMQLとなったのは2回"),
        (spec("stage_entries", stage="lost"), 1.0, "lost once so far", "これまでに失注となったのは1回"),
        (spec("days_since_stage"), 8.0, "reached stage opportunity 8 days ago", "商談となったのは8日前"),
        (spec("number"), 12000.0, "Employees: 12,000", "従業員数は12,000"),
        (spec("category"), 1.0, "Company size: large", "企業規模はlarge"),
        (spec("category"), NAN, "Company size is not known", "企業規模は不明"),
        (spec("category"), 2.0, "Company size: another value", "企業規模はその他"),
        (
            spec("count", types=("w_nabellen_start",)),
            2.0,
            "had “W nabellen start” twice so far",
            "これまでに「W nabellen start」を2回記録",
        ),
        (
            spec("count", types=("call",), actor="sales", channel="web", content="/a/*"),
            0.0,
            "no call (by sales) via Web (“/a/*”) so far",
            "これまでに「/a/*」のWeb経由で営業による通話なし",
        ),
    ],
)
def test_sentences(given_, value, en, ja):
    assert wording.sentence(given_, value, "en") == en
    assert wording.sentence(given_, value, "ja") == ja


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("measure", get_args(Measure))
def test_every_measure_has_a_sentence_without_technical_names(measure, lang):
    kinds = [(name,) for name in ACTIVITY_TYPES] + [(), ACTIVITY_TYPES[:2], ACTIVITY_TYPES]
    reads = measure in ACTIVITY_MEASURES or MEASURES[measure].source == "colleagues"
    choices = [{"types": types} for types in kinds] if reads else [{}]
    choices += [{"actor": actor} for actor in ACTORS] if reads else []
    choices += [{"then_types": types, "then_actor": "lead"} for types in kinds] if "followed" in measure else []
    if measure in {"stage_entries", "days_since_stage"}:
        choices = [{"stage": stage} for stage in STAGES]
    for choice in choices:
        for value in (NAN, 0.0, 1.0, 2.0, 5.0, 2.4371):
            text = wording.sentence(spec(measure, **choice), value, lang)
            assert text
            assert "_" not in text
            assert "feature" not in text
            assert "nan" not in text
            assert not re.search(r"\d\.0\b|\d\.\d{4,}|[\uff10-\uff19]", text)
            if lang == "ja":
                assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text)
                assert not re.search(r"\b(ago|times|days|last|lead)\b", text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_readable(value):
    shown = wording.number(value)
    assert not shown.endswith(".0")
    assert shown != "-0"
    if 0.1 <= abs(value) < 1e15:
        assert float(shown.replace(",", "")) == pytest.approx(value, abs=0.051)


def test_reasons_show_their_points():
    assert wording.reason("viewed the pricing page", 6.21, "en") == "viewed the pricing page (+6.2 points)"
    assert wording.reason("料金ページを閲覧", -3.0, "ja") == "料金ページを閲覧(-3.0点)"
    assert wording.rest(7, "en") == "7 other signals together"
    assert wording.rest(1, "en") == "1 other signal"
    assert wording.rest(7, "ja") == "その他7項目の合計"


def test_rules_speak_with_the_label_of_the_card():
    say = wording.rule_sentence
    assert say("pricing", "viewed the pricing page", 40.0, "en") == "viewed the pricing page: +40 on the rule card"
    assert say("no-open", "no mail opened", -10.0, "ja") == "no mail opened:配点表で-10点"
    assert say("behaviour:floor", None, 5.0, "ja") == "行動スコアは0点を下回らない:配点表で+5点"
    assert say("some_rule", None, 5.0, "en") == "Some rule: +5 on the rule card"


def test_values_are_given_by_name():
    assert wording.shown_value(spec("category"), 0.0) == "small"
    assert wording.shown_value(spec("category"), 2.0) == "other"
    assert wording.shown_value(spec("count"), 3.0) == 3.0
    assert wording.shown_value(spec("count"), NAN) is None


def test_another_language_is_refused():
    assert wording.checked_lang("ja") == "ja"
    with pytest.raises(InputError, match="language `fr`"):
        wording.checked_lang("fr")
