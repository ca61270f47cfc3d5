"""Counts and ends of windows found by place equal what a loop finds."""

import narwhals as nw
import numpy as np
import polars as pl
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
    found = runs.placed(in_order(log), wanted).to_native()

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
    found = runs.placed(in_order(log), [recent, before]).to_native()
    assert found[before.name].to_list() == [sum(window < age <= 2 * window for age in ages) for ages in log]


def test_only_features_of_ages_are_found_by_place():
    specs = {
        name: FeatureSpec("f", "frequency", name, window_days=7) for name in ("count", "momentum", "trend", "value_sum")
    }
    assert {name for name, spec in specs.items() if runs.found_by_place(spec)} == {"count", "momentum"}
