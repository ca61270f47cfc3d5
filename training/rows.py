"""Training and test rows as arrays: the small carrier between tables and fitting."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import batch
from features.tables import Tables
from leadlight.spec import FeatureSpec
from rules import engine
from rules.parse import Card
from scoring.columns import Columns

Floats = NDArray[np.float64]

# Amounts beyond this, infinities included, count as this: squares and sums of them stay finite. No split or bound is
# drawn out there, so a score does not depend on it.
LARGEST: Final = 1e30
# Features are computed for so many snapshots at once, and laid out for so many: beside the matrix itself, memory does
# not grow with the number of snapshots.
COMPUTED_AT_ONCE: Final = 1_000_000
LAID_OUT_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rows:
    """n snapshots.

    Attributes:
        frame: lead_id, as_of, age, stage and label, as `training.split` gives them.
        X: features, shape (n, p), NaN = null, else within +-`LARGEST`.
        points: rule points, shape (n,).
        y: outcomes 0 or 1, shape (n,).
        weight: shape (n,).
    """

    frame: pl.DataFrame
    X: Floats
    points: Floats
    y: Floats
    weight: Floats

    def __len__(self) -> int:
        """Give the number of snapshots."""
        return len(self.y)

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Give the chosen rows."""
        frame = self.frame.filter(pl.Series(chosen))
        return type(self)(frame, self.X[chosen], self.points[chosen], self.y[chosen], self.weight[chosen])

    @property
    def lead_ids(self) -> NDArray[np.object_]:
        """Lead of each row."""
        return self.frame["lead_id"].to_numpy().astype(object)

    def wins(self) -> int:
        """Count the leads with a success, whatever the number of their snapshots."""
        return self.frame.filter(pl.Series(self.y == 1, dtype=pl.Boolean))["lead_id"].n_unique()


def gather(tables: Tables, frame: pl.DataFrame, specs: tuple[FeatureSpec, ...], card: Card) -> Rows:
    """Compute features and rule points of snapshots in one pass, a bounded number of them at a time."""
    columns = Columns.union(engine.specs(card), specs)
    X, points = np.empty((frame.height, len(specs))), np.empty(frame.height)
    for rows, matrix in _matrices(tables, frame, columns):
        X[rows] = _steady(columns.for_scorer(matrix))
        points[rows] = engine.points(card, columns.for_card(matrix), len(matrix)).total
    weight = frame["weight"].to_numpy() if "weight" in frame.columns else np.ones(frame.height)
    return Rows(frame, X, points, frame["label"].to_numpy(), weight)


def _matrices(tables: Tables, frame: pl.DataFrame, columns: Columns) -> Iterator[tuple[slice, Floats]]:
    """Yield the united features of snapshots piece by piece, and which rows each piece is."""
    for first in range(0, frame.height, COMPUTED_AT_ONCE):
        computed = batch.build(tables, frame.slice(first, COMPUTED_AT_ONCE), columns.specs)
        for start, end in pieces(computed.height, LAID_OUT_AT_ONCE):
            yield slice(first + start, first + end), batch.matrix(computed[start:end], columns.specs)


def pieces(n: int, size: int = LAID_OUT_AT_ONCE) -> Iterator[tuple[int, int]]:
    """Cut n rows into pieces of at most `size`, given as (first, one after the last).

    >>> list(pieces(5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    return ((start, min(start + size, n)) for start in range(0, n, size))


def lead_hash(lead_ids: NDArray[np.object_], seed: int) -> NDArray[np.int64]:
    """Give each row a number that depends on its lead and the seed only, shape (n,), in [0, 2^32).

    A cryptographic hash, because ids are counters: a checksum of them is no random draw, and one seed's halves would
    be another's.
    """
    known, codes = np.unique(lead_ids.astype(str), return_inverse=True)
    hashes = np.array([_hash(f"{seed}:{lead}") for lead in known], dtype=np.int64)
    return hashes[codes] if len(known) else np.empty(0, dtype=np.int64)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def _steady(X: Floats) -> Floats:
    """Bound, and round to 24 binary digits: threads add in any order, and last bits must not decide how trees grow."""
    mantissa, exponent = np.frexp(np.clip(X, -LARGEST, LARGEST))
    rounded: Floats = np.ldexp(np.round(mantissa * 2.0**24) / 2.0**24, exponent)
    return rounded
