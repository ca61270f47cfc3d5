"""A log of which some rows were set aside, in the order that it had; a part of it can be read without the rest.

A filter alone would be evaluated from the first row of the file on for every part that is asked for.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

    from features.tables import Tables

PLACE: Final = "__place"
_KEPT: Final = "__kept"


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is left of a log.

    Attributes:
        log: all rows, as a Polars lazy frame whose order is the same at every reading.
        aside: places of the rows that were set aside (from 0, ascending), shape (n,).
        rest: the others, lazily.
    """

    log: "pl.LazyFrame"
    aside: NDArray[np.int64]
    rest: "pl.LazyFrame"

    @classmethod
    def of(cls, log: "pl.LazyFrame", aside: NDArray[np.int64]) -> Self:
        """Set rows of a log aside.

        Args:
            log: all rows.
            aside: their places, in any order.
        """
        import polars as pl  # noqa: PLC0415  (the service imports this package's online half only)

        aside = np.unique(aside)
        if not len(aside):
            return cls(log, aside, log)
        gone = pl.Series(aside, dtype=pl.UInt32).implode()
        rest = log.with_row_index(PLACE).filter(~pl.col(PLACE).is_in(gone)).drop(PLACE)
        return cls(log, aside, rest)

    @classmethod
    def of_tables(cls, tables: "Tables") -> Self:
        """Give the log of Polars tables; of one that was not sifted nothing is set aside."""
        known = tables.sifted
        if known is not None and known.rest is tables.activities:
            return cls(known.log, known.aside, known.rest)
        log = tables.activities.lazy()
        return cls(log, np.empty(0, np.int64), log)

    def part(self, start: int, length: int, **columns: "pl.Series") -> "pl.LazyFrame":
        """Read what is left of some rows alone.

        Args:
            start: place of the first row, those that were set aside counted too.
            length: how many rows, likewise.
            columns: put in the place of the log's own, shape (length,) each.
        """
        import polars as pl  # noqa: PLC0415

        first, last = np.searchsorted(self.aside, (start, start + length))
        rows = self.log.slice(start, length).drop(*columns).with_columns(**columns)
        if first == last:
            return rows
        kept = np.ones(length, dtype=np.bool_)
        kept[self.aside[first:last] - start] = False
        return rows.with_columns(pl.Series(_KEPT, kept)).filter(pl.col(_KEPT)).drop(_KEPT)
