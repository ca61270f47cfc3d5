"""Aggregation by place: in a frame in order, the activities of a snapshot are a run of rows whose ages fall.

How many lie in a window, and the newest and the oldest, are found by binary search, all runs at once; other values are
added up from run to run. Nothing is hashed but what has to be told apart.
"""

from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from features.expressions.cells import Ages, Cell
from features.expressions.frame import NEVER, ROW

Places = NDArray[np.int64]


def totals(rows: Any, wanted: Sequence[Cell]) -> Any:
    """Give cells.

    Args:
        rows: an eager frame in order, at least ROW, age and what the cells look at.
        wanted: cells.

    Returns:
        An eager frame: ROW, each snapshot of `rows` once, in order, and one column per cell, NaN = null.
    """
    row, ages = rows[ROW].to_numpy(), rows["age"].to_numpy()
    start = np.flatnonzero(np.concatenate(([True] * bool(len(row)), row[1:] != row[:-1])))
    end = np.append(start[1:], len(row)).astype(np.int64)[: len(start)]
    runs = _Runs(ages, start, end)
    told_apart = [cell for cell in wanted if cell.how == "n_unique"]
    columns = {cell.name: runs.cell(rows, cell) for cell in wanted if cell.how != "n_unique"}
    if told_apart:
        columns |= _different(rows, told_apart)
    return nw.from_dict({ROW: row[start], **columns}, backend=rows.implementation)


def _different(rows: Any, wanted: Sequence[Cell]) -> dict[str, Any]:
    valued = rows.select(ROW, **{cell.name: cell.value for cell in wanted})
    each = valued.group_by(ROW).agg(**{cell.name: cell.aggregated() for cell in wanted}).sort(ROW)
    return {cell.name: each[cell.name].to_numpy() for cell in wanted}


class _Runs:
    """Runs of falling ages."""

    def __init__(self, ages: NDArray[np.int64], start: Places, end: Places) -> None:
        self._ages, self._start, self._end = ages, start, end
        self._known: dict[int, Places] = {NEVER: start, 0: end}

    def cell(self, rows: Any, cell: Cell) -> NDArray[Any]:
        """Give a cell of every run."""
        if cell.ages is not None:
            return self._of_ages(cell.how, cell.ages)
        if cell.how == "len":
            return self._end - self._start
        values = rows.select(value=cell.value)["value"].fill_null(0).to_numpy()
        if cell.how == "sum":
            whole = np.int64 if values.dtype.kind in "bi" else np.float64
            return np.add.reduceat(values, self._start, dtype=whole)
        return (np.maximum if cell.how == "max" else np.minimum).reduceat(values, self._start)

    def _of_ages(self, how: str, ages: Ages) -> NDArray[Any]:
        """Give how many ages lie in `ages` (after, until], or the least or the greatest of them."""
        first, last = self._first(ages[1]), self._first(ages[0])
        if how in {"sum", "len"}:
            return last - first
        place = first if how == "max" else last - 1
        return np.where(first < last, self._ages[np.minimum(place, len(self._ages) - 1)], np.nan)

    def _first(self, until: int | None) -> Places:
        """Give of each run the first place whose age is at most `until`."""
        limit = NEVER if until is None else until
        if limit not in self._known:
            self._known[limit] = first_place(lambda _, place: self._ages[place] > limit, self._start, self._end)
        return self._known[limit]


def first_place(too_early: Callable[[Places, Places], NDArray[np.bool_]], start: Places, end: Places) -> Places:
    """Find in each run start:end the first place that is not too early, or its end.

    Args:
        too_early: given runs and a place in each, whether it is; in a run no such place comes after one that is not.
        start: where the runs begin.
        end: where they end, exclusive.
    """
    low, high = start.copy(), end.copy()
    open_ = np.flatnonzero(low < high)
    while len(open_):
        middle = (low[open_] + high[open_]) // 2
        early = too_early(open_, middle)
        low[open_[early]] = middle[early] + 1
        high[open_[~early]] = middle[~early]
        open_ = open_[low[open_] < high[open_]]
    return low
