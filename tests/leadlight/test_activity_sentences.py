import math
from typing import get_args

import pytest

from leadlight.activity_sentences import EN, JA
from leadlight.spec import ACTIVITY_MEASURES, Measure
from tests.leadlight.test_wording import NAN, PRICING, spec


def test_it_speaks_of_exactly_what_is_measured_of_activities():
    assert set(EN) == set(JA) == {measure for measure in get_args(Measure) if measure in ACTIVITY_MEASURES}


@pytest.mark.parametrize(
    ("given", "value", "en", "ja"),
    [
        (
            spec("trend", types=PRICING),
            0.6,
            "pricing page views in the last 30 days: mostly late",
            "直近30日間の料金ページ閲覧は後半に集中",
        ),
        (spec("trend"), -0.6, "activities in the last 30 days: mostly early", "直近30日間の活動は前半に集中"),
        (spec("trend"), 0.1, "activities in the last 30 days: evenly spread", "直近30日間の活動は均等に分布"),
        (spec("gap_mean"), 2.5, "activities so far: 2.5 days apart on average", "これまでに活動の間隔は平均2.5日"),
        (spec("gap_mean"), NAN, "fewer than two activities so far", "これまでに活動が2回未満"),
        (spec("gap_spread"), 1.0, "activities so far: at even intervals", "これまでに活動はほぼ一定の間隔"),
        (spec("gap_spread"), 1.5, "activities so far: at uneven intervals", "これまでに活動は不規則な間隔"),
        (spec("gap_spread"), 4.0, "activities so far: in bursts", "これまでに活動は短期間に集中"),
        (spec("gap_spread"), NAN, "too few activities so far to tell a rhythm", "これまでに活動が少なく間隔は不明"),
        (spec("sessions", window_days=7), 3.0, "was active in 3 separate visits in the last 7 days", None),
        (spec("sessions", types=PRICING), 1.0, "viewed the pricing page in one visit so far", None),
        (spec("sessions"), 0.0, "no activity so far", "これまでに活動なし"),
        (spec("share"), 0.25, "25% of activities so far on weekends", "これまでに活動の25%が土日"),
        (spec("share"), NAN, "no activity so far", "これまでに活動なし"),
        (
            spec("followed", types=("mail_open",), then_types=PRICING),
            2.0,
            "e-mail opened followed by pricing page view within 7 days: twice so far",
            "これまでにメール開封から7日間以内に料金ページ閲覧が2回",
        ),
        (
            spec("followed", types=("mail_open",), then_types=PRICING),
            0.0,
            "no e-mail opened followed by pricing page view within 7 days so far",
            "これまでにメール開封から7日間以内の料金ページ閲覧なし",
        ),
        (
            spec("followed_share", actor="sales", then_actor="lead"),
            0.5,
            "50% of contacts by sales so far followed by activity of the lead within 7 days",
            "これまでに営業の接触の50%で7日間以内にリードの行動",
        ),
        (spec("followed_share", actor="sales"), NAN, "no contact by sales so far", "これまでに営業の接触なし"),
    ],
)
def test_sentences(given, value, en, ja):
    assert EN[given.measure](given, value) == en
    assert JA[given.measure](given, value) == ja if ja else "nan" not in JA[given.measure](given, value)


def test_one_that_measures_nothing_is_said_as_such():
    assert EN["count"](spec("count"), math.nan) == "no activity so far"
