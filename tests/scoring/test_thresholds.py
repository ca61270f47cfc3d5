import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.metrics import wilson_interval
from scoring.thresholds import at, recommend


def curve(points: list[tuple[int, int, int, int, float | None]], *, weeks: float = 10.0) -> dict:
    """Rows of (threshold, crossings, mature, reached, wins share)."""
    rows = []
    for threshold, crossings, mature, reached, wins in points:
        low, high = wilson_interval(reached, mature) if mature else (None, None)
        rows.append(
            {
                "threshold": threshold,
                "crossings": crossings,
                "mqls_per_week": crossings / weeks,
                "mature": mature,
                "reached": reached,
                "sql_rate": reached / mature if mature else None,
                "low": low,
                "high": high,
                "wins_share": wins,
                "lead_to_mql": crossings / 4_000,
            }
        )
    return {"min_mature": 30, "usual_lead_to_mql": [0.1, 0.2], "rows": rows}


CURVE = curve(
    [
        (30, 900, 800, 120, 0.95),
        (40, 700, 600, 150, 0.90),
        (50, 500, 400, 140, 0.80),
        (60, 300, 200, 90, 0.60),
        (70, 100, 60, 36, 0.30),
        (80, 20, 10, 9, 0.05),
    ]
)


def test_the_rate_binds():
    found = recommend(CURVE, 0.30, 0.50, None)
    assert (found.value, found.binding, found.reached) == (50, "rate", True)
    assert found.sql_rate == 0.35
    assert found.low < 0.35 < found.high
    assert "30 %" in found.reason


def test_the_capacity_binds():
    found = recommend(CURVE, 0.30, 0.50, 35, current=50)
    assert (found.value, found.binding) == (60, "capacity")
    assert found.change["mqls_per_week"] == pytest.approx(30 - 50)
    assert found.change["sql_rate"] == pytest.approx(0.45 - 0.35)
    assert found.change["wins_share"] == pytest.approx(-0.2)
    assert "35 a week" in found.reason
    assert "50 -> 30 MQLs a week" in found.advice[0]


def test_above_the_range_it_can_be_lowered():
    found = recommend(CURVE, 0.30, 0.50, 12)
    assert (found.value, found.binding) == (70, "capacity")
    assert "lowered" in " ".join(found.advice)
    assert "下げられます" in "".join(recommend(CURVE, 0.30, 0.50, 12, lang="ja").advice)


def test_nothing_binds_where_the_lowest_is_best():
    found = recommend(CURVE, 0.10, 0.50, None)
    assert (found.value, found.binding) == (30, "none")


def test_a_rate_from_few_crossings_does_not_count():
    found = recommend(CURVE, 0.80, 0.90, None)
    assert (found.value, found.binding, found.reached) == (None, "rate", False)
    assert found.nearest["threshold"] == 70
    assert "70 comes nearest" in found.reason


def test_capacity_that_no_good_threshold_keeps():
    found = recommend(CURVE, 0.50, 0.60, 5)
    assert (found.value, found.binding) == (None, "capacity")
    assert found.nearest["threshold"] == 70


def test_too_little_is_known():
    found = recommend(curve([(50, 20, 12, 6, 0.5)]), 0.3, 0.5)
    assert (found.value, found.binding, found.nearest) == (None, "none", None)
    assert "at most 12" in found.reason
    assert recommend(curve([]), 0.3, 0.5).value is None


def test_equal_thresholds_give_the_highest():
    same = curve([(cut, 300, 200, 80, 0.6) for cut in range(46, 51)])
    assert recommend(same, 0.3, 0.5).value == 50


def test_without_wins_the_volume_decides():
    found = recommend(curve([(10, 900, 800, 300, None), (20, 500, 400, 160, None)]), 0.3, 0.5)
    assert found.value == 10


def test_a_current_threshold_above_all_scores_hands_over_nobody():
    assert at(CURVE, 99)["mqls_per_week"] == 0
    assert at(CURVE, 55)["threshold"] == 60
    assert recommend(CURVE, 0.3, 0.5, current=99).change["mqls_per_week"] == pytest.approx(50)


@pytest.mark.parametrize("wish", [(0.5, 0.3, 10), (-0.1, 0.3, 10), (0.3, 1.2, 10), (math.nan, 0.5, 1), (0.3, 0.5, 0)])
def test_a_wish_that_cannot_be_meant_is_refused(wish):
    with pytest.raises(InputError, match="such as"):
        recommend(CURVE, *wish)


def test_something_else_than_a_curve_is_refused():
    with pytest.raises(InputError, match="no curve"):
        recommend({}, 0.3, 0.5)


POINT = st.tuples(st.integers(0, 200), st.integers(0, 100), st.floats(0, 1))


@settings(max_examples=120, deadline=None)
@given(
    points=st.lists(POINT, max_size=12),
    low=st.floats(0, 1),
    capacity=st.one_of(st.none(), st.floats(0.5, 20)),
    data=st.data(),
)
def test_no_other_threshold_that_fulfils_the_wish_catches_more(points, low, capacity, data):
    rows = []
    for cut, (crossings, mature, wins) in enumerate(points):
        known = min(mature, crossings)
        rows.append((cut, crossings, known, data.draw(st.integers(0, known)), wins))
    made = curve(rows)
    found = recommend(made, low, 1.0, capacity)
    json.dumps(found.to_json(), allow_nan=False)
    assert recommend(made, low, 1.0, capacity, lang="ja").value == found.value
    fulfil = [
        row
        for row in made["rows"]
        if row["mature"] >= 30
        and row["reached"] / row["mature"] >= low
        and row["crossings"] > 0
        and (capacity is None or row["crossings"] / 10 <= capacity)
    ]
    assert found.reached == bool(fulfil)
    if fulfil:
        assert found.value in [row["threshold"] for row in fulfil]
        assert found.wins_share == max(row["wins_share"] for row in fulfil)
