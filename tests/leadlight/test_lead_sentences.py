from typing import get_args

import pytest

from leadlight.lead_sentences import EN, JA
from leadlight.spec import ACTIVITY_MEASURES, Measure
from tests.leadlight.test_wording import NAN, PRICING, spec


def test_it_speaks_of_exactly_what_is_measured_of_everything_but_activities():
    assert set(EN) == set(JA) == {measure for measure in get_args(Measure) if measure not in ACTIVITY_MEASURES}


@pytest.mark.parametrize(
    ("given", "value", "en", "ja"),
    [
        (spec("days_in_stage"), 8.2, "entered the stage of now 8 days ago", "現在のステージになったのは8日前"),
        (spec("days_in_stage"), NAN, "no stage entered so far", "これまでにステージの記録なし"),
        (spec("created_hour", utc_offset_hours=9), 9.0, "became a lead between 9:00 and 10:00 UTC+9", None),
        (spec("colleagues"), 0.0, "no other lead of the company", "同じ企業の他のリードなし"),
        (spec("colleagues"), 1.0, "1 other lead of the company", "同じ企業の他のリードが1人"),
        (spec("colleagues"), 50.0, "at least 50 other leads of the company", "同じ企業の他のリードが50人以上"),
        (
            spec("colleagues_active", types=PRICING, window_days=30),
            2.0,
            "2 colleagues with pricing page view in the last 30 days",
            "直近30日間に料金ページ閲覧のあった同僚が2人",
        ),
        (spec("colleagues_active"), 1.0, "1 colleague with activity so far", "これまでに活動のあった同僚が1人"),
        (spec("colleagues_active", actor="lead"), 0.0, "no colleague with activity so far", "これまでに同僚の活動なし"),
        (
            spec("most_active_colleague", actor="lead", window_days=7),
            9.0,
            "most active colleague: 9 activities in the last 7 days",
            "直近7日間に最も活発な同僚は活動9回",
        ),
        (spec("most_active_colleague"), 0.0, "no colleague with activity so far", "これまでに同僚の活動なし"),
        (spec("colleague_recency"), 3.0, "last activity of a colleague 3 days ago", "同僚の最後の活動は3日前"),
        (spec("colleague_recency", actor="sales"), NAN, "no colleague with contact by sales so far", None),
        (
            spec("roles"),
            3.0,
            "Job title: 3 different among the lead and its colleagues",
            "本人と同僚の役職は3種類",
        ),
        (spec("roles"), 0.0, "Job title is not known of the lead and its colleagues", "本人と同僚の役職は不明"),
        (spec("missing"), 1.0, "Industry is not known", "業種は不明"),
        (spec("missing"), 0.0, "Industry is known", "業種は判明"),
        (spec("days_since_date"), 400.0, "Founded on: 400 days ago", "Founded onは400日前"),
        (spec("days_since_date"), -12.0, "Founded on: 12 days ahead", "Founded onは12日後"),
        (spec("days_since_date"), NAN, "Founded on is not known", "Founded onは不明"),
        (spec("changes", window_days=30), 2.0, "Department changed twice in the last 30 days", None),
        (spec("changes"), 0.0, "Department did not change so far", "これまでに部署の変更なし"),
    ],
)
def test_sentences(given, value, en, ja):
    assert EN[given.measure](given, value) == en
    assert JA[given.measure](given, value) == ja if ja else "nan" not in JA[given.measure](given, value)
