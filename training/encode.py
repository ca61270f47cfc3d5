"""Target encoding: a category with many values becomes one number, how far its leads lie from the whole, in log-odds.

A training row is encoded by the outcomes that were known before its as_of, those of its own lead left out: that is what
a score at that instant could have known, and no outcome ever meets itself. A scorer holds the table of all outcomes
known at the cut, a number per category and one for all others. Null stays null.

The number is logit(q) - logit(p), where p is the rate of the whole and q that of the category, shrunk to p:

    p = (positives + 1/2) / (outcomes + 1)
    m = rows per lead / (SPREAD^2 p (1 - p))
    q = (positives of the category + m p) / (outcomes of the category + m)

Empirical Bayes: the log-odds of categories are taken to lie about those of the whole with standard deviation SPREAD,
which on the scale of rates is a Beta prior worth m outcomes. Rows of one lead mostly share their outcome, so m counts
leads, not rows. Without any outcome the number is 0: nothing sets the category apart from the whole.

Source: D. Micci-Barreca (2001), doi:10.1145/507533.507538; in the order of time: L. Prokhorenkova et al. (2018),
CatBoost, doi:10.48550/arXiv.1706.09516.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.metrics import log_losses_of_log_odds
from leadlight.spec import FeatureSpec
from leadlight.terms import encoder
from training.fit import Recipe, fit
from training.rows import Rows, lead_hash
from training.tune import USUAL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Standard deviation of categories' log-odds about the whole: two thirds have between 0.6 and 1.6 times its odds.
SPREAD: Final = 0.5
# Trees split few categories well by themselves; from so many on an encoding is tried.
MANY: Final = 20
# An encoding is tried with the usual recipe, on at most about so many rows (whole leads).
TRIED: Final = Recipe(USUAL, 120)
MOST_ROWS: Final = 40_000
# It is measured on what came after these shares of the training rows in the order of time.
ORIGINS: Final = (0.5, 0.67, 0.83)
# An origin counts where so many outcomes of either class were known at it.
LEAST_PER_CLASS: Final = 25


@dataclass(frozen=True, slots=True)
class Gain:
    """What encoding one column is worth: log loss per row without it minus with it, nats, and its standard error."""

    place: int
    name: str
    gain: float
    error: float

    @property
    def used(self) -> bool:
        """Whether it helps by more than one standard error."""
        return self.gain > self.error

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {**asdict(self), "used": self.used}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows to be fitted on, and what a scorer needs to repeat their encoding.

    Attributes:
        rows: the training rows, chosen columns encoded by what was known before each row.
        specs: one per column as fitting is to see it: encoded columns are numbers.
        encodings: place -> number per code, the last for all others, for a scorer with the original specs.
        gains: what validation said of every column that was tried.
    """

    rows: Rows
    specs: tuple[FeatureSpec, ...]
    encodings: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    gains: tuple[Gain, ...] = ()


def prepare(
    rows: Rows, specs: Sequence[FeatureSpec], horizon_us: int | None, seed: int, spread: float = SPREAD
) -> Encoded:
    """Encode the columns of which validation says that it helps; the rows stay as they are where there is none.

    Args:
        rows: training rows.
        specs: one per column of X.
        horizon_us: of the question; None = ever (data without a clock: an outcome counts as known at once).
        seed: of what is drawn.
        spread: standard deviation of categories' log-odds about the whole, > 0.
    """
    gains = measure(rows, specs, horizon_us, seed, spread)
    places = tuple(found.place for found in gains if found.used)
    if not places:
        return Encoded(rows, tuple(specs), {}, gains)
    return Encoded(
        encoded(rows, specs, places, horizon_us, spread),
        as_numbers(specs, places),
        tables(rows, specs, places, spread),
        gains,
    )


def candidates(specs: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Give the places of columns with many categories."""
    return tuple(place for place, spec in enumerate(specs) if spec.categorical and len(spec.categories) >= MANY)


def as_numbers(specs: Sequence[FeatureSpec], places: Sequence[int]) -> tuple[FeatureSpec, ...]:
    """Give the specifications as fitting is to see them: those at the places hold quantities, not codes."""
    return tuple(
        FeatureSpec(spec.name, spec.family, "count") if place in places else spec for place, spec in enumerate(specs)
    )


def known_at(rows: Rows, horizon_us: int | None) -> Ints:
    """Give the instant (µs UTC) at which each row's outcome counts as known, shape (n,): the end of its horizon.

    A success is known earlier, but to count it earlier than the failures of its time would make every recent rate too
    high. Without a horizon (data without a clock) an outcome is known at once.
    """
    as_of: Ints = rows.frame["as_of"].to_numpy().astype(np.int64)
    return as_of if horizon_us is None else as_of + horizon_us


def encoded(
    rows: Rows, specs: Sequence[FeatureSpec], places: Sequence[int], horizon_us: int | None, spread: float = SPREAD
) -> Rows:
    """Encode columns of training rows by the outcomes known before each row's as_of, its own lead left out."""
    ready = known_at(rows, horizon_us)
    leads = np.unique(rows.lead_ids.astype(str), return_inverse=True)[1]
    history = _History(leads, ready, rows.frame["as_of"].to_numpy().astype(np.int64), rows.y)
    X = rows.X.copy()
    for place in places:
        codes = _codes(rows.X[:, place], specs[place])
        X[:, place] = np.where(codes < 0, np.nan, history.log_odds(codes, spread))
    return replace(rows, X=X)


def tables(
    rows: Rows, specs: Sequence[FeatureSpec], places: Sequence[int], spread: float = SPREAD
) -> dict[int, tuple[float, ...]]:
    """Give the encoding of each column by all outcomes of the rows: a number per code, the last for all others."""
    n, k = float(rows.weight.sum()), float(rows.weight @ rows.y)
    per_lead = max(len(rows), 1) / max(len(np.unique(rows.lead_ids.astype(str))), 1)
    found: dict[int, tuple[float, ...]] = {}
    for place in places:
        codes, size = _codes(rows.X[:, place], specs[place]), len(specs[place].categories) + 1
        known = codes >= 0
        mass = rows.weight[known]
        outcomes = np.bincount(codes[known], mass, minlength=size).astype(np.float64)
        positives = np.bincount(codes[known], mass * rows.y[known], minlength=size).astype(np.float64)
        numbers = _shrunk(
            positives, outcomes, np.full(size, k), np.full(size, n), per_lead=np.full(size, per_lead), spread=spread
        )
        found[place] = tuple(numbers.tolist())
    return found


def measure(
    rows: Rows, specs: Sequence[FeatureSpec], horizon_us: int | None, seed: int, spread: float = SPREAD
) -> tuple[Gain, ...]:
    """Measure what encoding each column with many categories is worth, on rows later than those learnt from.

    From every origin, a model with the column encoded and one without are fitted on what was known at it and compared
    on the rows up to the next. The standard error takes all rows of a lead as one draw.

    Returns:
        One per column; none where there is no such column, or no origin at which enough was known.
    """
    places = candidates(specs)
    if not places:
        return ()
    plain: list[Floats] = []
    with_it: dict[int, list[Floats]] = {place: [] for place in places}
    later: list[Rows] = []
    for learn, test in _origins(rows, horizon_us):
        drawn = _draw(learn, seed)
        plain.append(_losses(learn.take(drawn), test, specs, seed))
        later.append(test)
        for place in places:
            one = encoded(learn, specs, (place,), horizon_us, spread).take(drawn)
            serving = replace(test, X=_applied(test.X, tables(learn, specs, (place,), spread)))
            with_it[place].append(_losses(one, serving, as_numbers(specs, (place,)), seed))
    if not later:
        return ()
    leads = np.concatenate([test.lead_ids.astype(str) for test in later])
    weight = np.concatenate([test.weight for test in later])
    base = np.concatenate(plain)
    return tuple(
        Gain(place, specs[place].name, *_mean_and_error(base - np.concatenate(losses), weight, leads))
        for place, losses in with_it.items()
    )


class _History:
    """Outcomes in the order in which they became known; sums of those known before each row, its own lead left out."""

    def __init__(self, leads: Ints, ready: Ints, as_of: Ints, y: Floats) -> None:
        self._leads = leads
        instants = np.unique(np.concatenate([ready, as_of]))
        self._ready, self._as_of = np.searchsorted(instants, ready), np.searchsorted(instants, as_of)
        self._span = len(instants) + 1
        first = np.zeros(len(y))
        order = np.argsort(ready, kind="stable")
        first[order[np.unique(leads[order], return_index=True)[1]]] = 1.0
        self._each = np.column_stack([y, np.ones(len(y)), first])
        everything = np.zeros(len(y), dtype=np.int64)
        self._whole = self._before(everything) - self._before(leads)

    def log_odds(self, codes: Ints, spread: float) -> Floats:
        """Encode codes (n,), -1 = null (whose number means nothing), shape (n,)."""
        own = self._leads * (int(codes.max(initial=0)) + 2) + codes + 1
        category = self._before(codes + 1) - self._before(own)
        positives, outcomes, leads = self._whole.T
        per_lead = outcomes / np.maximum(leads, 1.0)
        return _shrunk(
            category[:, 0], category[:, 1], positives, outcomes, per_lead=np.maximum(per_lead, 1.0), spread=spread
        )

    def _before(self, groups: Ints) -> Floats:
        """Sum (positives, outcomes, leads) of the rows of the same group that were known before each, shape (n, 3)."""
        keys = groups * self._span
        order = np.argsort(keys + self._ready, kind="stable")
        known = (keys + self._ready)[order]
        totals = np.vstack([np.zeros((1, self._each.shape[1])), np.cumsum(self._each[order], axis=0)])
        sums: Floats = totals[np.searchsorted(known, keys + self._as_of)] - totals[np.searchsorted(known, keys)]
        return sums


def _shrunk(
    positives: Floats, outcomes: Floats, all_positives: Floats, all_outcomes: Floats, *, per_lead: Floats, spread: float
) -> Floats:
    """Give log-odds of categories against the whole, shape (n,), by the formula above."""
    p = (all_positives + 0.5) / (all_outcomes + 1.0)
    m = per_lead / (spread**2 * p * (1.0 - p))
    q = (positives + m * p) / (outcomes + m)
    return np.asarray(np.log(q / (1.0 - q)) - np.log(p / (1.0 - p)))


def _codes(column: Floats, spec: FeatureSpec) -> Ints:
    """Give codes as integers, -1 = null; what is no code of the specification counts as others."""
    others = len(spec.categories)
    null = np.isnan(column)
    codes = np.where(null, -1, column).astype(np.int64)
    return np.where(null | ((codes >= 0) & (codes <= others)), codes, others)


def _applied(X: Floats, encodings: Mapping[int, tuple[float, ...]]) -> Floats:
    """Encode columns as a scorer does."""
    lookup = encoder(encodings)
    if lookup is None:
        return X
    numbers = X.copy()
    numbers[:, lookup.places] = lookup.of(X)
    return numbers


def _origins(rows: Rows, horizon_us: int | None) -> Iterator[tuple[Rows, Rows]]:
    """Give (known at the origin, later than it and up to the next) for every origin at which enough was known."""
    as_of, ready = rows.frame["as_of"].to_numpy(), known_at(rows, horizon_us)
    if not len(rows):
        return
    starts = [int(instant) for instant in np.unique(np.quantile(as_of, ORIGINS, method="lower"))]
    for start, end in zip(starts, [*starts[1:], int(as_of.max()) + 1], strict=True):
        learn, later = ready < start, (as_of >= start) & (as_of < end)
        positives = int(rows.y[learn].sum())
        if min(positives, int(learn.sum()) - positives) >= LEAST_PER_CLASS and later.any():
            # Every horizon among them has ended, so that none of their outcomes was more likely to be known.
            known = rows.take(learn)
            yield replace(known, weight=np.ones(len(known))), rows.take(later)


def _draw(rows: Rows, seed: int) -> Mask:
    """Choose whole leads, about `MOST_ROWS` rows."""
    if len(rows) <= MOST_ROWS:
        return np.ones(len(rows), dtype=np.bool_)
    return np.asarray(lead_hash(rows.lead_ids, seed + 3) < MOST_ROWS / len(rows) * 2**32)


def _losses(learn: Rows, test: Rows, specs: Sequence[FeatureSpec], seed: int) -> Floats:
    """Give the log loss of every test row under a model with the usual recipe, nats, shape (n,)."""
    return log_losses_of_log_odds(test.y, fit(learn, specs, TRIED, seed).raw(test))


def _mean_and_error(values: Floats, weight: Floats, leads: NDArray[np.str_]) -> tuple[float, float]:
    """Give the weighted mean of rows and its standard error, the rows of a lead being one draw."""
    mean = float(np.average(values, weights=weight))
    sums = np.bincount(np.unique(leads, return_inverse=True)[1], weight * (values - mean))
    return mean, float(np.sqrt(sums @ sums) / weight.sum())
