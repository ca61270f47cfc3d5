"""A column as a few groups of leads: values of a category, intervals of a number, and `missing`.

What a column is called plays no part here or anywhere else in the audit.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.schema import AttributeKind

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

# A value of fewer leads shares a group with all others like it.
LEAST_GROUP: Final = 20
# At most so many values, or intervals of a number, have a group of their own.
MOST_VALUES: Final = 300
INTERVALS: Final = 50
MISSING: Final = 0


@dataclass(frozen=True, slots=True)
class Groups:
    """A column of n leads as k groups; group 0 is `missing`, whether or not it is empty.

    Attributes:
        codes: group of each lead, shape (n,).
        labels: what each group holds, for people.
        ordered: whether groups 1 to k-1 are intervals in ascending order.
    """

    codes: Codes
    labels: tuple[str, ...]
    ordered: bool

    def __len__(self) -> int:
        """Give the number of groups."""
        return len(self.labels)


def grouped(values: pl.Series, kind: AttributeKind) -> Groups:
    """Group an attribute as the tables hold it."""
    return of_numbers(as_numbers(values)) if kind == "number" else of_texts(values)


def as_numbers(values: pl.Series) -> Floats:
    """Give a numeric column, NaN = null; infinities stay."""
    return values.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()


def of_numbers(x: Floats) -> Groups:
    """Group numbers: each value by itself where there are few, else 50 intervals of about equal size.

    An infinity is a number larger (or smaller) than all others.
    """
    held = x[~np.isnan(x)]
    values, counts = np.unique(held, return_counts=True)
    if len(values) <= INTERVALS:
        edges = values[:-1]
        labels = [f"{value:g}" for value in values]
    else:
        ends = np.searchsorted(np.cumsum(counts), np.arange(1, INTERVALS) / INTERVALS * len(held), side="left")
        edges = np.unique(values[np.minimum(ends, len(values) - 2)])
        labels = [f"up to {edges[0]:g}", *_between(edges), f"above {edges[-1]:g}"]
    codes = np.where(np.isnan(x), MISSING, 1 + np.searchsorted(edges, x, side="left"))
    return Groups(codes.astype(np.int64), ("missing", *labels), ordered=True)


def _between(edges: Floats) -> list[str]:
    return [f"above {low:g} up to {high:g}" for low, high in pairwise(edges)]


def of_texts(values: pl.Series) -> Groups:
    """Group texts: each frequent value by itself, the others together."""
    texts = values.cast(pl.String).alias("value")
    counted = texts.drop_nulls().value_counts(name="rows")
    frequent = counted.filter(pl.col("rows") >= LEAST_GROUP).sort("rows", "value", descending=[True, False])
    kept = frequent["value"].head(MOST_VALUES).to_list()
    codes = texts.replace_strict(kept, range(1, len(kept) + 1), default=len(kept) + 1, return_dtype=pl.Int64)
    codes = pl.select(pl.when(texts.is_null()).then(MISSING).otherwise(codes)).to_series()
    labels = ("missing", *(f"`{value}`" for value in kept), "any other value")
    return Groups(codes.to_numpy().astype(np.int64), labels, ordered=False)
