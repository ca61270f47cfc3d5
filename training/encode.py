"""Target encoding: a category with many values becomes one number, how far its leads lie from the whole, in log-odds.

A training row is encoded by the outcomes that were known before its as_of, those of its own lead left out: that is what
a score at that instant could have known, and no outcome ever meets itself. Rows on which validation measures what that
is worth are encoded by the same rule. A scorer holds the table of all outcomes known at the cut, a number per category
and one for all others. Null stays null.

Columns are tried one by one. Where several help, they are tried together too: two columns may tell the same, and each
number more is one more that leans on few outcomes. If together they do not beat no encoding by more than one standard
error, or are worse than the best single one by more than one, that one alone is encoded.

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
from training.clustered import mean_by_lead
from training.fit import Recipe, fit
from training.rows import Rows, lead_hash
from training.settled import of_ended
from training.tune import USUAL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Places = tuple[int, ...]

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
    """What encoding a column, or several together, is worth.

    Attributes:
        places: of the columns.
        name: of the column, or of all with commas between.
        gain: log loss per row without it minus with it, nats.
        error: its standard error, by lead.
        used: whether this is encoded, be it with others.
    """

    places: Places
    name: str
    gain: float
    error: float
    used: bool

    @property
    def helps(self) -> bool:
        """Whether it helps by more than one standard error."""
        return self.gain > self.error

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {**asdict(self), "places": list(self.places)}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows to be fitted on, and what a scorer needs to repeat their encoding.

    Attributes:
        rows: the training rows, chosen columns encoded by what was known before each row.
        specs: one per column as fitting is to see it: encoded columns are numbers.
        encodings: place -> number per code, the last for all others, for a scorer with the original specs.
        gains: what validation said of every column that was tried, and at the end of those that help, together, where
            these are several.
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
    places = tuple(sorted({place for found in gains if found.used for place in found.places}))
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
    as_of = rows.frame["as_of"].to_numpy().astype(np.int64)
    history = _History(_numbered(rows.lead_ids), known_at(rows, horizon_us), as_of, rows.y)
    X = rows.X.copy()
    for place in places:
        X[:, place] = history.encoded(_codes(rows.X[:, place], specs[place]), spread)
    return replace(rows, X=X)


def encoded_later(
    later: Rows, learnt: Rows, specs: Sequence[FeatureSpec], places: Sequence[int], spread: float = SPREAD
) -> Rows:
    """Encode columns of later rows by all outcomes learnt from, those of each row's own lead left out.

    Args:
        later: rows to be predicted; their outcomes are not looked at.
        learnt: rows whose outcomes are known before any of the later ones, each counting 1.
        specs: one per column of X.
        places: columns to encode.
        spread: standard deviation of categories' log-odds about the whole, > 0.
    """
    n, m = len(learnt), len(later)
    known_before = np.arange(n + m) < n
    history = _History(
        _numbered(learnt.lead_ids, later.lead_ids),
        ready=np.where(known_before, 0, 1),
        as_of=np.ones(n + m, dtype=np.int64),
        y=np.concatenate([learnt.y, np.zeros(m)]),
    )
    X = later.X.copy()
    for place in places:
        column = np.concatenate([learnt.X[:, place], later.X[:, place]])
        X[:, place] = history.encoded(_codes(column, specs[place]), spread)[n:]
    return replace(later, X=X)


def tables(
    rows: Rows, specs: Sequence[FeatureSpec], places: Sequence[int], spread: float = SPREAD
) -> dict[int, tuple[float, ...]]:
    """Give the encoding of each column by the outcomes of all rows whose horizon had ended: a number per code.

    The last number is for all others. Of younger rows only successes are known: as in `known_at`, they do not count.
    """
    rows = of_ended(rows)
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
    """Measure what encoding columns with many categories is worth, on rows later than those learnt from.

    From every origin, models with columns encoded and one without are fitted on what was known at it and compared on
    the rows up to the next. The standard error takes all rows of a lead as one draw.

    Returns:
        One per column, and at the end one for those that help, together, where these are several; none where there is
        no such column, no origin at which enough was known, or one lead only to compare on.
    """
    places = candidates(specs)
    if not places:
        return ()
    trials = _Trials(rows, specs, horizon_us, seed, spread)
    trials.run((), *((place,) for place in places))
    alone = [found for place in places if (found := trials.gain((place,))) is not None]
    helping = tuple(found.places[0] for found in alone if found.helps)
    if len(helping) < 2:
        return tuple(replace(found, used=found.helps) for found in alone)
    trials.run(helping)
    return trials.decided(alone, helping)


class _Trials:
    """Log losses of the same later rows, one model per set of encoded columns."""

    def __init__(
        self, rows: Rows, specs: Sequence[FeatureSpec], horizon_us: int | None, seed: int, spread: float
    ) -> None:
        self._rows, self._specs, self._horizon_us = rows, specs, horizon_us
        self._seed, self._spread = seed, spread
        compared = [(later.weight, later.lead_ids) for _, later in _origins(rows, horizon_us)]
        self._weight = np.concatenate([np.empty(0), *(weight for weight, _ in compared)])
        self._lead = _numbered(*(leads for _, leads in compared))
        self._losses: dict[Places, Floats] = {}

    def run(self, *sets: Places) -> None:
        """Fit and predict at every origin, once per set of columns to be encoded."""
        found: dict[Places, list[Floats]] = {places: [np.empty(0)] for places in sets}
        for learn, test in _origins(self._rows, self._horizon_us):
            drawn = _draw(learn, self._seed)
            for places, losses in found.items():
                learnt, served = self._encoded(learn, test, places) if places else (learn, test)
                model = fit(learnt.take(drawn), as_numbers(self._specs, places), TRIED, self._seed)
                losses.append(log_losses_of_log_odds(test.y, model.raw(served)))
        self._losses |= {places: np.concatenate(losses) for places, losses in found.items()}

    def gain(self, places: Places) -> Gain | None:
        """Compare encoding columns with encoding none; None with fewer than two leads. Whether it is used is open."""
        paired = self._paired((), places)
        names = ", ".join(self._specs[place].name for place in places)
        return None if paired is None else Gain(places, names, *paired, used=False)

    def decided(self, alone: Sequence[Gain], helping: Places) -> tuple[Gain, ...]:
        """Take all columns that help alone, or only the best of them, by what they are worth together."""
        best = max((found for found in alone if found.helps), key=lambda found: found.gain)
        together, over_best = self.gain(helping), self._paired(best.places, helping)
        if together is None or over_best is None:
            return tuple(alone)
        joined = together.helps and over_best[0] >= -over_best[1]
        used = helping if joined else best.places
        return (
            *(replace(found, used=found.places[0] in used) for found in alone),
            replace(together, used=joined),
        )

    def _encoded(self, learn: Rows, test: Rows, places: Places) -> tuple[Rows, Rows]:
        learnt = encoded(learn, self._specs, places, self._horizon_us, self._spread)
        return learnt, encoded_later(test, learn, self._specs, places, self._spread)

    def _paired(self, one: Places, other: Places) -> tuple[float, float] | None:
        """Give the mean log loss with one set minus that with another, and its standard error."""
        return mean_by_lead(self._losses[one] - self._losses[other], self._weight, self._lead)


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

    def encoded(self, codes: Ints, spread: float) -> Floats:
        """Encode codes (n,), -1 = null, shape (n,), NaN = null."""
        own = self._leads * (int(codes.max(initial=0)) + 2) + codes + 1
        category = self._before(codes + 1) - self._before(own)
        positives, outcomes, leads = self._whole.T
        per_lead = outcomes / np.maximum(leads, 1.0)
        numbers = _shrunk(
            category[:, 0], category[:, 1], positives, outcomes, per_lead=np.maximum(per_lead, 1.0), spread=spread
        )
        return np.where(codes < 0, np.nan, numbers)

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


def _numbered(*leads: NDArray[np.object_]) -> Ints:
    """Number the leads of several parts, one after the other, shape (rows of all,)."""
    ids = [np.empty(0, dtype=str), *(part.astype(str) for part in leads)]
    return np.unique(np.concatenate(ids), return_inverse=True)[1]


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
