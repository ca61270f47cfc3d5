"""What moves scores: the exact parts of a scorer on a sample of rows, by feature and by family, in points of the score.

Parts are told against their mean over the sample, so that they add up to a score minus the mean score, exactly:

    sum over parts of (part - mean part) = raw score - mean raw score

Where several features say almost the same, a model shares one effect among them, and another model on other rows may
share it differently: families are steadier than features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.bundle import Scorer
from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from scoring.scale import POINTS_PER_LOG_ODDS
from training.ranks import rank_correlation

Floats = NDArray[np.float64]

SAMPLE: Final = 2_000
RULES: Final = "rule card"
CALIBRATION: Final = "calibration"
# A part that moves scores by less than this moves none.
NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Influence:
    """Parts of the scores of m sampled rows, in points of the score against the sample's mean.

    Attributes:
        names: of the parts: the rule card, the features, and `calibration` where there is such a step; k of them.
        families: family of each part, length k.
        categorical: whether the values of a part are codes without an order, length k.
        values: what the part was computed from (rule points, feature values; NaN = null or none), shape (m, k).
        points: shape (m, k).
        rows: how many rows were sampled from.
    """

    names: tuple[str, ...]
    families: tuple[str, ...]
    categorical: tuple[bool, ...]
    values: Floats
    points: Floats
    rows: int

    @property
    def mean(self) -> Floats:
        """By how many points a part moves a score on average, up or down, shape (k,)."""
        found: Floats = np.abs(self.points).mean(axis=0) if len(self.points) else np.zeros(len(self.names))
        return found

    def strongest(self, most: int) -> list[int]:
        """Give the places of the parts that move scores the most, strongest first, those without effect left out."""
        mean = self.mean
        ranked = sorted(range(len(mean)), key=lambda place: (-mean[place], place))
        return [place for place in ranked[:most] if mean[place] > NOTHING]

    def by_family(self) -> list[tuple[str, float]]:
        """Give by how many points each family as a whole moves a score on average, strongest first."""
        found = {}
        for family in dict.fromkeys(self.families):
            own = [place for place, name in enumerate(self.families) if name == family]
            found[family] = float(np.abs(self.points[:, own].sum(axis=1)).mean()) if len(self.points) else 0.0
        return sorted((item for item in found.items() if item[1] > NOTHING), key=lambda item: -item[1])

    def direction(self, place: int) -> float | None:
        """Give the rank correlation of a part's values with its points; None for categories and constants."""
        known = ~np.isnan(self.values[:, place])
        values, points = self.values[known, place], self.points[known, place]
        if self.categorical[place] or len(values) < 3 or np.ptp(values) == 0 or np.ptp(points) < NOTHING:
            return None
        return rank_correlation(values, points)


def influence(scorer: Scorer, X: Floats, points: Floats, seed: int, most: int = SAMPLE) -> Influence:
    """Split the scores of a seeded sample of rows into their parts.

    Args:
        scorer: gives the parts.
        X: features as the scorer reads them, shape (n, len(scorer.specs)), NaN = null.
        points: rule points, shape (n,).
        seed: of the sample.
        most: rows in it.

    Raises:
        InputError: X does not have the scorer's columns.
    """
    if X.shape != (len(points), len(scorer.specs)):
        raise InputError(f"X has shape {X.shape}, the scorer reads ({len(points)}, {len(scorer.specs)})")
    chosen = sample(len(points), most, seed)
    values, given = np.ascontiguousarray(X[chosen]), points[chosen]
    parts = scorer.contributions(values, given)
    columns = [parts.rule_scale * given, *parts.features.T]
    names, families = [RULES, *(spec.name for spec in scorer.specs)], [RULES, *(spec.family for spec in scorer.specs)]
    seen = [given, *values.T]
    codes = [False, *(spec.categorical for spec in scorer.specs)]
    if np.any(parts.extra):
        columns.append(parts.extra)
        names.append(CALIBRATION)
        families.append(CALIBRATION)
        seen.append(np.full(len(given), np.nan))
        codes.append(False)
    table = np.column_stack(columns) * POINTS_PER_LOG_ODDS
    centred = table - table.mean(axis=0) if len(table) else table
    return Influence(tuple(names), tuple(families), tuple(codes), np.column_stack(seen), centred, len(points))


def columns_of(scorer: Scorer, specs: Sequence[FeatureSpec], X: Floats) -> Floats:
    """Choose the columns that a scorer reads, in its order, shape (n, len(scorer.specs)).

    Args:
        scorer: what reads.
        specs: one per column of X.
        X: shape (n, len(specs)).

    Raises:
        InputError: X lacks a column.
    """
    places = {spec.name: place for place, spec in enumerate(specs)}
    missing = [spec.name for spec in scorer.specs if spec.name not in places]
    if missing:
        raise InputError(f"the scorer reads `{missing[0]}`, which the rows given do not have")
    return X[:, [places[spec.name] for spec in scorer.specs]]


def sample(n: int, most: int, seed: int) -> NDArray[np.intp]:
    """Choose at most so many of n rows, in their order."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
