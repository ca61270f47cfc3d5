import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import online
from leadlight.errors import SpecError
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from rules.condition import Condition, compiled, ranges
from rules.engine import specs
from rules.record import changes, column, matching
from tests.rules import made, slow


@settings(max_examples=60, deadline=None)
@given(made.cards(), made.timelines(), st.lists(made.moments, min_size=1, max_size=5))
def test_column_agrees_with_plain_loops_and_with_the_features_of_the_service(card, timeline, instants):
    for spec in specs(card):
        if spec.measure == "decayed_count":
            continue
        got = column(timeline, spec, np.array(instants, dtype=np.int64))
        np.testing.assert_array_equal(got, [slow.value(timeline, spec, at) for at in instants])
        np.testing.assert_array_equal(got, [online.row(timeline, at, [spec])[0] for at in instants])


@settings(max_examples=50, deadline=None)
@given(made.conditions, made.timelines())
def test_between_two_changes_a_column_keeps_its_side_of_the_test(condition, timeline):
    for test in ranges(compiled(Condition.model_validate(condition))):
        moments = np.unique(changes(timeline, test))
        grid = np.arange(-4, 40) * made.STEP
        values = column(timeline, test.spec, np.concatenate([grid, grid + 1]))
        inside = (values >= test.low) & (values <= test.high)
        moved = grid[inside[: len(grid)] != inside[len(grid) :]]
        assert set(moved) <= set(moments)


def test_a_content_of_several_lines_is_matched_whole():
    timeline = made.timeline([{"type": "a", "occurred_at": 0, "content": "one\ntwo"}])
    assert matching(timeline.activities, FeatureSpec("x", "rule", "count", content="one*")).tolist() == [True]
    assert matching(timeline.activities, FeatureSpec("x", "rule", "count", content="one")).tolist() == [False]


@pytest.mark.parametrize(
    "value",
    ["many", "inf", "nan", "1_000", "\uff11\uff12", " 7", "1e999", "0x10", "1,5", "", np.inf, np.nan],
)
def test_what_is_no_number_is_null_as_for_the_service(value):
    timeline, spec = made.timeline(attributes={"size": value}), FeatureSpec("x", "rule", "number", attribute="size")
    assert np.isnan(column(timeline, spec, np.array([DAY])))
    assert np.isnan(online.row(timeline, DAY, [spec])[0])


@pytest.mark.parametrize(("value", "read"), [("+.5e1", 5.0), ("7.", 7.0), ("-12", -12.0), (3, 3.0)])
def test_numbers_are_read_as_for_the_service(value, read):
    timeline, spec = made.timeline(attributes={"size": value}), FeatureSpec("x", "rule", "number", attribute="size")
    assert column(timeline, spec, np.array([DAY])).tolist() == [read]
    assert online.row(timeline, DAY, [spec])[0] == read


def test_a_missing_number_is_no_category():
    spec = FeatureSpec("x", "rule", "category", attribute="size", categories=("3",))
    values = [column(made.timeline(attributes={"size": size}), spec, np.array([DAY]))[0] for size in (3.0, np.nan)]
    np.testing.assert_array_equal(values, [0.0, np.nan])


def test_detail_is_matched_like_content():
    rows = [{"type": "a", "occurred_at": 0, "detail": detail} for detail in ("a bot/2", "browser", None)]
    activities = made.timeline(rows).activities
    assert matching(activities, FeatureSpec("x", "rule", "count", detail="*bot*")).tolist() == [True, False, False]
    assert not matching(activities, FeatureSpec("x", "rule", "count", detail="*bot*", content="*")).any()


def test_a_measure_that_no_card_asks_for_is_refused():
    with pytest.raises(SpecError, match="momentum"):
        column(made.timeline(), FeatureSpec("x", "rule", "momentum", window_days=7), np.array([DAY]))
