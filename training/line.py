"""A logistic regression as terms of a scorer: one line or one number a category for each feature, so reasons add up.

`training.baselines.Logistic` expands features into standardised columns. Here its coefficients are gathered by feature
again: a quantity becomes a line over sign(x) ln(1 + |x|), a category a number per value, both with a number for null.
Values beyond those that were learnt from count as the outermost of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from leadlight.terms import Linear, Term, squashed
from training.baselines import Logistic
from training.rows import Rows
from training.tune import tuning_rows

Floats = NDArray[np.float64]

# Learnt from are about so many rows: every lead with a success and a weighted share of the others.
MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line over all features: raw log-odds = level + sum of terms. Rule points have no part in it.

    Attributes:
        level: log-odds where every term adds nothing.
        linear: the terms; places are columns of the training matrix.
        penalty: inverse strength of the ridge; None where one class left nothing to fit.
    """

    level: float
    linear: Linear
    penalty: float | None

    @classmethod
    def fit(cls, rows: Rows, specs: Sequence[FeatureSpec], seed: int) -> Self:
        """Fit on training rows; deterministic.

        Args:
            rows: training rows; of very many, whole leads are drawn.
            specs: one per column of X.
            seed: which leads are drawn.
        """
        drawn = tuning_rows(rows, seed, MOST_ROWS)
        found = Logistic.fit(drawn.X, drawn.y, specs, drawn.weight, order=drawn.frame["as_of"].to_numpy())
        return cls.of(found, specs, drawn.X)

    @classmethod
    def of(cls, found: Logistic, specs: Sequence[FeatureSpec], X: Floats) -> Self:
        """Gather the coefficients of a regression by feature.

        Args:
            found: the regression.
            specs: one per column of X.
            X: the rows it was fitted on, shape (n, p).
        """
        columns = found.columns
        slopes = found.coefficients / columns.scale  # log-odds for one unit of a column
        level, at, terms = found.intercept, 0, []
        for place, (codes, missing) in enumerate(zip(columns.codes, columns.missing, strict=True)):
            width = max(codes, 1)
            own, mean = slopes[at : at + width], columns.mean[at : at + width]
            at += width
            null = 0.0
            if missing:
                null = float(slopes[at])
                level -= null * float(columns.mean[at])
                at += 1
            if codes:
                middle = float(own @ mean)
                shared = len(specs[place].categories) + 1 - codes  # codes that share the last column
                levels = np.append(own, np.full(shared, own[-1])) - middle
                terms.append(Term(place, levels=tuple(levels.tolist()), missing=null - middle))
            else:
                null += float(own[0] * (columns.medians[place] - mean[0]))
                terms.append(_quantity(place, float(own[0]), float(mean[0]), null, X[:, place]))
        return cls(level, Linear(tuple(terms)), found.penalty)

    def raw(self, rows: Rows) -> Floats:
        """Give the log-odds, shape (n,)."""
        parts: Floats = self.linear.of(rows.X, rows.X).sum(axis=1)
        return self.level + parts

    def times(self, share: float) -> Linear:
        """Give the terms with every number of log-odds multiplied by a share; the level is the caller's to place."""
        return Linear(
            tuple(
                replace(
                    term,
                    weight=share * term.weight,
                    levels=tuple(share * number for number in term.levels),
                    missing=share * term.missing,
                )
                for term in self.linear.terms
            )
        )


def _quantity(place: int, slope: float, center: float, null: float, x: Floats) -> Term:
    """Give the line of a quantity, bounded by what was seen of it."""
    known = squashed(x[~np.isnan(x)])
    low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
    return Term(place, weight=slope, center=center, missing=null, low=low, high=high, log=True)
