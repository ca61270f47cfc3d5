"""What is aggregated by place equals what a loop finds."""

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.expressions import cells, runs
from features.expressions.frame import ROW
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec

logs = st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=6), max_size=5)
windows = st.one_of(st.none(), st.integers(1, 13))


def of_age(measure: str, window: int | None) -> cells.Cell:
    (cell,) = cells.cells(FeatureSpec("f", "frequency", measure, window_days=window))
    return cell


def in_order(log: list[list[int]]) -> nw.DataFrame:
    rows = [(7 * row, age * DAY) for row, ages in enumerate(log) for age in sorted(ages, reverse=True)]
    return nw.from_native(pl.DataFrame(rows, {ROW: pl.Int64, "age": pl.Int64}, orient="row"), eager_only=True)


@settings(max_examples=200, deadline=None)
@given(log=logs, window=windows)
def test_windows_are_found_by_place(log, window):
    wanted = [of_age(name, window) for name in ("count", "days_since_last", "days_since_first")]
    found = runs.totals(in_order(log), wanted).to_native()

    assert found[ROW].to_list() == [7 * row for row in range(len(log))]
    for ages, (number, least, most) in zip(log, found.drop(ROW).iter_rows(), strict=True):
        inside = [age for age in ages if window is None or age <= window]
        assert number == len(inside)
        assert (np.isnan(least), np.isnan(most)) == (not inside, not inside)
        assert not inside or (least, most) == (min(inside) * DAY, max(inside) * DAY)


@settings(max_examples=100, deadline=None)
@given(log=logs, window=st.integers(1, 6))
def test_the_window_before_is_found_by_place(log, window):
    recent, before = cells.cells(FeatureSpec("f", "momentum", "momentum", window_days=window))
    found = runs.totals(in_order(log), [recent, before]).to_native()
    assert found[before.name].to_list() == [sum(window < age <= 2 * window for age in ages) for ages in log]


values = st.one_of(st.none(), st.floats(-1e6, 1e6))


@settings(max_examples=100, deadline=None)
@given(log=st.lists(st.lists(values, min_size=1, max_size=6), max_size=5))
def test_values_are_added_up_from_run_to_run(log):
    rows = [(row, DAY, value, text) for row, run in enumerate(log) for value, text in zip(run, "abbac\n", strict=False)]
    schema = {ROW: pl.Int64, "age": pl.Int64, "value": pl.Float64, "type": pl.String}
    frame = nw.from_native(pl.DataFrame(rows, schema, orient="row"), eager_only=True)
    wanted = [
        *cells.cells(FeatureSpec("f", "frequency", "value_sum")),
        *cells.cells(FeatureSpec("f", "breadth", "distinct_types", window_days=2)),
        *cells.cells(FeatureSpec("f", "breadth", "distinct_types", window_days=0.5)),
    ]
    found = runs.totals(frame, wanted).to_native()

    assert found[ROW].to_list() == list(range(len(log)))
    in_turn = found.select(cell.name for cell in wanted).iter_rows()
    for run, (total, types, none, outside, all_outside) in zip(log, in_turn, strict=True):
        assert total == pytest.approx(sum(value or 0.0 for value in run))
        assert (types, none) == (len(set("abbac\n"[: len(run)])), 0)
        assert (outside, all_outside) == (1, 1)
