"""Small segments borrow from the whole: an offset per value of a segment column, in proportion to its evidence.

A team, product or country with eleven conversions has no model of its own worth having, and the common model may be
wrong for it. Partial pooling adds one number to the common log-odds of a segment (`training.random_intercept`): about
0 where little is known, the segment's own level where much is. A value that was never seen gets 0. The level of all
rows together stays where calibration put it.

Offsets are learnt, validated and judged on rows whose horizon had ended (`training.settled`), however few these are. Of
younger rows only the successes are known, and the weights against that are right for all rows together, not for a
segment: one that began less than a horizon ago would have nothing but successes. It has no settled row, and gets 0.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from leadlight.terms import Linear, Term
from scoring.scale import logit, probabilities
from training import evaluate, level, random_intercept
from training.baselines import base_rate
from training.bootstrap import lead_codes
from training.calibrate import Learnt
from training.comparison import Comparison
from training.random_intercept import Intercepts
from training.reliability import MISSING, OTHERS
from training.rows import Rows
from training.settled import ended, of_ended
from training.tune import folds_of, number_of_folds

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Way = Literal["pooled", "separate", "single"]

LEVEL: Final = 0.9
# A segment has a separate model only with so many rows of either outcome; with fewer its own base rate stands for it.
LEAST_SEPARATE: Final = 25


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of the segment column.

    Attributes:
        value: a category, `(others)` or `(missing)`.
        rows: its settled training rows.
        leads: their leads.
        positives: the positive ones of them.
        observed: its share of positives; None without rows.
        single: its mean probability by the common model; None without rows.
        offset: log-odds added, 0 without rows.
        rate: what its true conversion rate is estimated to be; None without rows. The level of all rows is estimated
            with it, and not the one that the offsets keep. Of a score that learnt the segments from the same outcomes
            nothing between segments is taken: it is for outcomes to say.
        low: lower end of the 90 % interval of the true rate.
        high: upper end.
        served: its mean probability with the offset, as a scorer gives it before isotonic steps and a shift; None
            without rows. It lies outside the interval where the level that is kept is wrong for the segment.
    """

    value: str
    rows: float
    leads: int
    positives: float
    observed: float | None
    single: float | None
    offset: float
    rate: float | None
    low: float | None
    high: float | None
    served: float | None


@dataclass(frozen=True, slots=True)
class Pooled:
    """Offsets of a segment column.

    Attributes:
        place: of the column among the features.
        column: its name.
        spread: standard deviation between segments, log-odds.
        evidence: how many independent rows one row is worth.
        segments: every category, then `(others)` and `(missing)`.
    """

    place: int
    column: str
    spread: float
    evidence: float
    segments: tuple[Segment, ...]

    def offsets(self, X: Floats) -> Floats:
        """Give what each row's segment adds to the calibrated log-odds, shape (n,)."""
        table = np.array([segment.offset for segment in self.segments])
        return table[codes_of(X[:, self.place], len(self.segments) - 2)]

    def term(self, slope: float) -> Term:
        """Give the offsets as a term before calibration."""
        *levels, missing = (segment.offset / slope for segment in self.segments)
        return Term(place=self.place, levels=tuple(levels), missing=missing)

    def into(self, scorer: Scorer) -> Scorer:
        """Add the offsets to a calibrated scorer (its slope must be final)."""
        terms = () if scorer.linear is None else scorer.linear.terms
        return replace(scorer, linear=Linear((*terms, self.term(scorer.slope))))

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self) | {"segments": [asdict(segment) for segment in self.segments]}


def place_of(specs: tuple[FeatureSpec, ...], column: str) -> int:
    """Find the feature that holds a segment column.

    Raises:
        InputError: no categorical feature is that attribute.
    """
    found = {spec.attribute: place for place, spec in enumerate(specs) if spec.categorical and spec.attribute}
    if column not in found:
        raise InputError.unknown_name("segment column", column, found)
    return found[column]


def codes_of(column: Floats, categories: int) -> Codes:
    """Give each row its segment: its code, `categories` for any other value, `categories` + 1 for null, shape (n,)."""
    null = np.isnan(column)
    codes = np.where(null, 0, column).astype(np.intp)
    return np.where(null, categories + 1, np.where((codes < 0) | (codes > categories), categories, codes))


def fit(
    rows: Rows,
    z: Floats,
    specs: tuple[FeatureSpec, ...],
    place: int,
    *,
    column: Floats | None = None,
    learnt: bool = False,
) -> Pooled:
    """Estimate the offset of every segment, from settled rows.

    Args:
        rows: training rows, settled or not.
        z: their calibrated log-odds, out of fold, shape (n,).
        specs: one per column of X.
        place: of the segment column (see `place_of`).
        column: codes of the segment column, shape (n,), where X holds an encoding in their place; None = as in X.
        learnt: whether z learnt all that the column tells from the same outcomes, as a model does.

    Raises:
        InputError: the column holds no categories.
    """
    spec = specs[place]
    if not spec.categorical:
        raise InputError(f"segment column `{spec.name}` holds no categories")
    names = [*spec.categories, OTHERS, MISSING]
    was = ended(rows)
    codes = codes_of((rows.X[:, place] if column is None else column)[was], len(spec.categories))
    rows, z = of_ended(rows), z[was]
    found = _intercepts(rows, z, codes, len(names))
    if learnt:
        found = _by_outcomes(found, rows, z, codes)
    leads = _distinct_leads(rows, codes, len(names))
    segments = _segments(names, rows, z, codes, leads=leads, found=found)
    return Pooled(place, spec.name, found.spread, found.evidence, segments)


def held_out(rows: Rows, z: Floats, place: int, categories: int, seed: int, *, column: Floats | None = None) -> Floats:
    """Add to every row the offset that its segment gets without its own fold of leads, shape (n,).

    This is what intervals and comparisons need: z with an offset that did not see the row's outcome. Offsets are learnt
    from settled rows, and given to all.

    Args:
        rows: training rows, settled or not.
        z: calibrated log-odds, out of fold, shape (n,).
        place: of the segment column.
        categories: number of its categories.
        seed: of the folds.
        column: codes of the segment column, as in `fit`.
    """
    codes = codes_of(rows.X[:, place] if column is None else column, categories)
    fold, was = folds_of(rows, number_of_folds(len(rows)), seed + 3), ended(rows)
    settled, pooled = of_ended(rows), z.copy()
    for number in np.unique(fold):
        inside, outside = was & (fold != number), fold == number
        if inside.any():
            found = _intercepts(settled.take(inside[was]), z[inside], codes[inside], categories + 2)
            pooled[outside] += found.offset[codes[outside]]
    return pooled


def compare(
    rows: Rows,
    z: Floats,
    place: int,
    categories: int,
    *,
    learn: Callable[[Rows], Learnt],
    seed: int,
    column: Floats | None = None,
) -> Comparison:
    """Compare partial pooling with one model for all and with a model per segment, on leads none of them learnt from.

    The reference is `pooled`; `single` is the common model; `separate` learns from the rows of one segment only, and
    answers with the segment's base rate where it has fewer than 25 rows of either outcome. Settled rows are compared.
    They carry no weight against censoring, which is all that training rows are weighted for: each counts 1 here as in
    what was fitted.

    Args:
        rows: training rows, settled or not.
        z: calibrated log-odds of the common model, out of fold, shape (n,).
        place: of the segment column.
        categories: number of its categories.
        learn: learns a model from rows.
        seed: of folds and intervals.
        column: codes of the segment column, as in `fit`.
    """
    found = three_ways(rows, z, place, categories, learn=learn, seed=seed, column=column)
    columns: dict[str, Floats | None] = {way: probabilities(log_odds) for way, log_odds in found.items()}
    settled = of_ended(rows)
    age = settled.frame["age"].to_numpy()
    return evaluate.compare(settled.y, columns, settled.lead_ids, seed, reference="pooled", age=age, each_age=False)


def three_ways(
    rows: Rows,
    z: Floats,
    place: int,
    categories: int,
    *,
    learn: Callable[[Rows], Learnt],
    seed: int,
    column: Floats | None = None,
) -> dict[Way, Floats]:
    """Give the log-odds that `compare` compares, of the m settled rows, shape (m,) each; no own outcome is in them."""
    was = ended(rows)
    codes = codes_of((rows.X[:, place] if column is None else column)[was], categories)
    return {
        "pooled": held_out(rows, z, place, categories, seed, column=column)[was],
        "single": z[was],
        "separate": _separate(of_ended(rows), codes, learn, seed),
    }


def helps(comparison: Comparison) -> bool:
    """Tell whether validation says that the offsets help: log loss lower than that of the single model beyond noise."""
    return comparison.verdict("log_loss", "single") == "better"


def _intercepts(rows: Rows, z: Floats, codes: Codes, groups: int) -> Intercepts:
    """Estimate the segments; offsets are lowered until the level of all rows is that of z, estimated rates are not."""
    leads, _ = lead_codes(rows.lead_ids)
    found = random_intercept.fit(z, rows.y, rows.weight, codes, groups, leads=leads, level=LEVEL)
    excess = level.excess(z + found.offset[codes], z, rows.weight)
    return replace(found, offset=np.where(found.rows > 0, found.offset - excess, 0.0))


def _by_outcomes(found: Intercepts, rows: Rows, z: Floats, codes: Codes) -> Intercepts:
    """Take the rates from outcomes alone, for z that learnt the segments from them; offsets stay.

    What a segment had by luck is in such a z, also in that of leads it did not learn from: residuals are then too small
    for what is known of the segment. Here z tells leads of a segment apart, and nothing between segments.
    """
    leads, _ = lead_codes(rows.lead_ids)
    even = level.even(z, rows.weight, codes)
    alone = random_intercept.fit(even, rows.y, rows.weight, codes, len(found.rows), leads=leads, level=LEVEL)
    return replace(found, rate=alone.rate, rate_low=alone.rate_low, rate_high=alone.rate_high)


def _distinct_leads(rows: Rows, codes: Codes, groups: int) -> NDArray[np.intp]:
    leads, _ = lead_codes(rows.lead_ids)
    pairs = np.unique(np.column_stack([codes, leads]), axis=0)
    return np.bincount(pairs[:, 0], minlength=groups)


def _segments(
    names: list[str], rows: Rows, z: Floats, codes: Codes, *, leads: NDArray[np.intp], found: Intercepts
) -> tuple[Segment, ...]:
    positives = np.bincount(codes, rows.weight * rows.y, minlength=len(names))
    settled = found.rows > 0
    single, served = (
        np.bincount(codes, rows.weight * probabilities(log_odds), minlength=len(names))
        / np.where(settled, found.rows, 1)
        for log_odds in (z, z + found.offset[codes])
    )
    told = {
        "observed": positives / np.where(settled, found.rows, 1),
        "single": single,
        "rate": found.rate,
        "low": found.rate_low,
        "high": found.rate_high,
        "served": served,
    }
    return tuple(
        Segment(
            value=name,
            rows=float(found.rows[g]),
            leads=int(leads[g]),
            positives=float(positives[g]),
            offset=float(found.offset[g]),
            **{key: float(column[g]) if settled[g] else None for key, column in told.items()},
        )
        for g, name in enumerate(names)
    )


def _separate(rows: Rows, codes: Codes, learn: Callable[[Rows], Learnt], seed: int) -> Floats:
    """Predict every row by a model of its segment that did not learn from its fold, shape (n,)."""
    fold = folds_of(rows, number_of_folds(len(rows)), seed + 3)
    found = np.empty(len(rows))
    for code in np.unique(codes):
        for number in np.unique(fold):
            inside, outside = (codes == code) & (fold != number), (codes == code) & (fold == number)
            if outside.any():
                found[outside] = _segment_log_odds(rows, inside, outside, learn)
    return found


def _segment_log_odds(
    rows: Rows, inside: NDArray[np.bool_], outside: NDArray[np.bool_], learn: Callable[[Rows], Learnt]
) -> Floats | float:
    positives = int(rows.y[inside].sum())
    if min(positives, int(inside.sum()) - positives) >= LEAST_SEPARATE:
        return learn(rows.take(inside)).raw(rows.take(outside))
    if not inside.any():
        return logit(base_rate(rows.y, rows.weight))
    return logit(base_rate(rows.y[inside], rows.weight[inside]))
