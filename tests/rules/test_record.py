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


@pytest.mark.parametrize("text", ["many", "inf", "nan"])
def test_a_text_that_is_no_number_is_null(text):
    timeline = made.timeline(attributes={"size": text})
    assert np.isnan(column(timeline, FeatureSpec("x", "rule", "number", attribute="size"), np.array([DAY])))


def test_a_measure_that_no_card_asks_for_is_refused():
    with pytest.raises(SpecError, match="momentum"):
        column(made.timeline(), FeatureSpec("x", "rule", "momentum", window_days=7), np.array([DAY]))
