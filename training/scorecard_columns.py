"""How a feature becomes columns of the scorecard's line, and a line's coefficients a term of the scorer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from leadlight.terms import Term

Floats = NDArray[np.float64]

# Values beyond these quantiles count as the quantile: a lead with ten thousand page views is not a thousand buyers.
BOUNDS: Final = (0.01, 0.99)
# Of a category's values, the most frequent so many have a coefficient of their own; the others share one.
MOST_LEVELS: Final = 20
# A value, or being missing, needs so many rows for a coefficient of its own.
LEAST_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Group:
    """The columns of one feature: a line (numeric) or one 0/1 column a level, and one for missing.

    Attributes:
        place: of the feature in the matrix.
        codes: number of codes, 0 for a quantity.
        levels: codes with a column of their own (categorical); the other codes share one more.
        low: values below count as it (numeric).
        high: values above count as it (numeric).
        center: mean inside the bounds (numeric).
        scale: standard deviation inside the bounds, > 0 (numeric).
        missing: whether there is a column for missing values.
    """

    place: int
    codes: int = 0
    levels: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    missing: bool = False

    def columns(self, x: Floats) -> list[Floats]:
        """Give the columns, shape (n,) each, for the feature's values x; NaN = missing."""
        null = np.isnan(x)
        if self.codes:
            found = [(x == level).astype(np.float64) for level in self.levels]
            found.append((~null & ~np.isin(x, self.levels)).astype(np.float64))
        else:
            bounded = (np.clip(x, self.low, self.high) - self.center) / self.scale
            found = [np.where(null, 0.0, bounded)]
        return [*found, null.astype(np.float64)] if self.missing else found

    def term(self, coefficients: Floats) -> Term:
        """Give the term of coefficients, one per column of `columns`."""
        missing = float(coefficients[-1]) if self.missing else 0.0
        if not self.codes:
            weight = float(coefficients[0])
            return Term(
                self.place,
                weight=weight,
                center=self.center,
                scale=self.scale,
                missing=missing,
                low=self.low,
                high=self.high,
            )
        own = dict(zip(self.levels, coefficients.tolist(), strict=False))
        others = float(coefficients[len(self.levels)])
        return Term(self.place, levels=tuple(own.get(code, others) for code in range(self.codes)), missing=missing)


def groups_of(X: Floats, specs: Sequence[FeatureSpec]) -> list[Group]:
    """Learn the columns of every feature that varies in the training rows.

    Args:
        X: features, shape (n, p), NaN = null; codes where the spec is categorical.
        specs: one per column.

    Raises:
        InputError: shapes that differ, or an infinity.
    """
    if X.ndim != 2 or X.shape[1] != len(specs):
        raise InputError(f"X has shape {X.shape}, must be (n, {len(specs)}): a column per spec")
    if np.isinf(X).any():
        raise InputError("X holds an infinity; features must be finite or null")
    found = (
        _levels(place, X[:, place], len(spec.categories) + 1) if spec.categorical else _line(place, X[:, place])
        for place, spec in enumerate(specs)
    )
    return [group for group in found if group is not None]


def table(X: Floats, groups: Sequence[Group]) -> tuple[Floats, NDArray[np.int64]]:
    """Give the columns of groups, shape (n, q), and the number of the group that each belongs to, shape (q,)."""
    columns, owner = [], []
    for number, group in enumerate(groups):
        found = group.columns(X[:, group.place])
        columns += found
        owner += [number] * len(found)
    return (np.column_stack(columns) if columns else np.zeros((len(X), 0))), np.array(owner, dtype=np.int64)


def _line(place: int, x: Floats) -> Group | None:
    """Learn bounds, center and scale of a quantity; None where it does not vary (missing included)."""
    null = np.isnan(x)
    known = x[~null]
    missing = int(null.sum()) >= LEAST_ROWS and len(known) > 0
    if not len(known):
        return None
    low, high = (float(bound) for bound in np.quantile(known, BOUNDS))
    if low == high:  # hardly ever anything else: the few others are what it tells
        low, high = float(known.min()), float(known.max())
    bounded = np.clip(known, low, high)
    scale = float(bounded.std())
    if scale <= 1e-12 * max(1.0, abs(low), abs(high)):
        return Group(place, low=low, high=high, center=low, missing=True) if missing else None
    return Group(place, low=low, high=high, center=float(bounded.mean()), scale=scale, missing=missing)


def _levels(place: int, x: Floats, codes: int) -> Group | None:
    """Learn which codes have a column of their own; None where all rows have the same."""
    null = np.isnan(x)
    found, counts = np.unique(x[~null], return_counts=True)
    missing = int(null.sum()) >= LEAST_ROWS
    if len(found) + int(null.any()) < 2 or codes < 1:
        return None
    frequent = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
    own = tuple(sorted(int(found[at]) for at in frequent if counts[at] >= LEAST_ROWS))
    return Group(place, codes=codes, levels=own, missing=missing)
