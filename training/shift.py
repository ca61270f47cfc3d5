"""A changed base rate, found in recent scores without outcomes; what outcomes say of it: `training.shift_verdict`.

Label shift: if only the share of future successes changed, while those who will succeed look as they always did, and
those who will not as well, then every probability has to move by the same number of log-odds, and the scores
themselves tell how far: the mean corrected probability must be the new base rate.

Source: M. Saerens, P. Latinne, C. Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
probabilities, doi:10.1162/089976602753284446. Their EM iteration climbs a likelihood that is concave in the base rate;
its fixed point is found here by bisection, in a known number of steps. Leads of different ages have different base
rates; their likelihoods are multiplied, with one change of the odds for all of them. The interval holds the changes
that a score test does not reject: where scores tell little, an interval around the estimate would be far too narrow.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.scorer import Scorer
from scoring.scale import logit, probabilities, probability
from training import shift_told
from training.bootstrap import lead_codes

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Leads = Sequence[str] | NDArray[np.object_]

ASSUMPTION: Final = (
    "assumes that only the share of successes changed: leads that will succeed look as successes always did, and those "
    "that will not as failures always did (P(features | outcome) is unchanged); scores alone cannot test this, "
    "outcomes can"
)
# An alarm needs a change that is not zero beyond this chance of an error, and of at least a tenth of the odds.
ALARM_ERROR: Final = 0.01
LEAST_CHANGE: Final = 0.1
# No correction beyond this many log-odds (odds times 400).
LARGEST: Final = 6.0
NO_RECENT: Final = "no recent score to look for a changed base rate in; ingest newer leads first"
NO_MATURED: Final = f"no matured snapshot to hold scores against; {shift_told.MEND}"
# Scores that spread less than this tell nothing about the base rate.
LEAST_SPREAD: Final = 1e-6
# Halvings of an interval of 12 log-odds: ends are found to 1e-8.
BISECTIONS: Final = 30


@dataclass(frozen=True, slots=True)
class Shift:
    """What recent scores say about the base rate.

    Attributes:
        before: base rate that the scores were calibrated to.
        after: base rate of the recent scores, as estimated.
        low: lower end of the interval of `after`, which misses it with a chance of `error`.
        high: upper end.
        error: of this one look; where looks are numbered, those of all together add up to 1 % (`training.shift_looks`).
        estimate: estimated change in log-odds.
        log_odds: what to add to every log-odds: the estimate if the alarm is raised, else 0 (see `against`, too).
        alarm: whether the change is beyond noise.
        likelihood_ratio: twice the gain in log-likelihood of the new base rate (about chi-square with 1 degree of
            freedom where nothing changed and every score is of another lead).
        scores: number of recent scores.
        leads: of how many leads.
        why: the finding in one sentence.
        assumption: what must hold for the correction to be right.
    """

    before: float
    after: float
    low: float
    high: float
    error: float
    estimate: float
    log_odds: float
    alarm: bool
    likelihood_ratio: float
    scores: int
    leads: int
    why: str
    assumption: str = ASSUMPTION

    def into(self, scorer: Scorer) -> Scorer:
        """Give the scorer with this correction instead of the one it may have."""
        return replace(scorer, shift=self.log_odds)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)


def against(
    recent: ArrayLike,
    reference: ArrayLike,
    y: ArrayLike,
    *,
    recent_leads: Leads | None = None,
    reference_leads: Leads | None = None,
    recent_ages: ArrayLike | None = None,
    reference_ages: ArrayLike | None = None,
    error: float = ALARM_ERROR,
) -> Shift:
    """Estimate the base rate of recent leads against the newest matured ones of the same ages.

    What is off for the matured leads already is no change: at each age the log-odds are first moved to the observed
    rate of the matured ones. The number to add, if the alarm is raised, contains both moves.

    Args:
        recent: calibrated log-odds of recent snapshots without any shift, shape (n,).
        reference: the same of matured snapshots, shape (m,).
        y: outcomes of the matured ones, shape (m,).
        recent_leads: lead of each recent snapshot; None = each is of another lead.
        reference_leads: the same of the matured ones.
        recent_ages: age of each recent snapshot, in any unit; None = all are of one age. Those of an age of which no
            matured snapshots with both outcomes are given are left out.
        reference_ages: the same of the matured ones.
        error: chance of a false alarm at this one look; the interval of the base rate leaves out as much.

    Raises:
        InputError: values outside their domain.
        NotEnoughDataError: nothing recent, nothing matured, or at no age both outcomes among matured snapshots.
    """
    z, known, outcomes = checked(recent), checked(reference, NO_MATURED), np.asarray(y, dtype=np.float64)
    if outcomes.shape != known.shape or not np.isin(outcomes, (0.0, 1.0)).all():
        raise InputError("reference and y (0 or 1) must be of the same matured rows")
    place, ages = _ages(recent_ages, len(z)), _ages(reference_ages, len(known))
    leads, levels = _codes(recent_leads, len(z)), _levels(known, outcomes, place, ages)
    told = np.isin(place, list(levels))
    z, place = z[told], place[told]
    level, old = (np.array([levels[age][part] for age in place.tolist()]) for part in (0, 1))
    matured = _Matured(known, outcomes, ages, _codes(reference_leads, len(known)), levels, z, place)
    found = _found(_Recent(z + level, old, np.unique(leads[told], return_inverse=True)[1], matured), error)
    if not found.alarm:
        return found
    return replace(found, log_odds=_level(z, float(probabilities(z + level + found.estimate).mean())))


@dataclass(frozen=True, slots=True)
class _Matured:
    """The matured rows, shape (m,) each, beside the recent ones that they are held against, shape (n,) each.

    Attributes:
        raw: log-odds.
        y: outcomes.
        age: of each row.
        lead: number of the lead of each row.
        levels: see `_levels`.
        recent: log-odds of the recent rows.
        recent_age: of each of these; all are in `levels`.
    """

    raw: Floats
    y: Floats
    age: Codes
    lead: Codes
    levels: Mapping[int, tuple[float, float]]
    recent: Floats
    recent_age: Codes

    def noise(self, change: float) -> float:
        """Give the variance that the base rate brings into the equation of a change."""
        influence = np.zeros(len(self.raw))
        for age, (up, prior) in self.levels.items():
            new, rows = self.recent_age == age, self.age == age
            influence[rows] = _influence(self.recent[new] + up, self.raw[rows] + up, self.y[rows], prior, change)
        return self._by_lead(influence)

    def spread(self, change: float) -> float:
        """Give the variance of the sum over recent rows that a change lets expect."""
        root = np.zeros(len(self.raw))
        for age, (up, prior) in self.levels.items():
            rows = self.age == age
            recent = float((self.recent_age == age).sum())
            root[rows] = _expected(self.raw[rows] + up, prior, change) * math.sqrt(recent)
        return self._by_lead(root)

    def _by_lead(self, values: Floats) -> float:
        of_lead = np.bincount(self.lead, values)
        return float(of_lead @ of_lead)


def _levels(known: Floats, y: Floats, recent: Codes, ages: Codes) -> dict[int, tuple[float, float]]:
    """Give for each age with both outcomes what moves its matured log-odds to their rate, and the log-odds of the rate.

    Raises:
        NotEnoughDataError: there is no such age among the recent snapshots.
    """
    found = {}
    for age in np.intersect1d(recent, ages).tolist():
        rate = float(y[ages == age].mean())
        if 0 < rate < 1:
            found[age] = (_level(known[ages == age], rate), logit(rate))
    if not found:
        raise NotEnoughDataError(shift_told.missing(y[np.isin(ages, recent)]))
    return found


def _influence(z: Floats, known: Floats, y: Floats, prior: float, change: float) -> Floats:
    """Give how much each matured row of an age moves the equation that the change solves, shape (m,).

    Through the rate that it is part of, and through the level that follows from it; where nothing changed and the
    scores are calibrated, the two leave only the row's predicted probability, which is what is compared.
    """
    p, moved, new = probabilities(known), probabilities(z + change), probability(prior + change)
    rate = float(y.mean())
    by_rate = len(z) * new * (1 - new) / (rate * (1 - rate))
    by_level = float((moved * (1 - moved)).sum()) / max(float((p * (1 - p)).mean()), LEAST_SPREAD)
    return np.asarray((by_level * (y - p) - by_rate * (y - rate)) / len(known))


def _expected(known: Floats, prior: float, change: float) -> Floats:
    """Give what each matured row of an age tells of the spread of one recent one, shape (m,).

    Their squares sum to the mean squared residual that recent scores have if the assumption holds: that of the matured
    ones, those who will succeed weighted by the change of the odds.
    """
    weight = 1 + math.expm1(change) * probabilities(known)
    residual = probabilities(known + change) - probability(prior + change)
    return np.asarray(residual * np.sqrt(weight / weight.sum()))


def _level(z: Floats, rate: float) -> float:
    """Find what must be added for the mean probability to be a rate, within +-6 log-odds."""
    return _bisected(lambda up: bool(probabilities(z + up).mean() < rate))


@dataclass(frozen=True, slots=True)
class _Recent:
    """Recent rows, moved to the levels of the matured ones, shape (n,) each; a change of their odds has to fit them.

    Attributes:
        z: log-odds.
        old: log-odds of the base rate of each row's age.
        lead: number of the lead of each row, from 0 on without a gap.
        matured: what they are held against.
    """

    z: Floats
    old: Floats
    lead: Codes
    matured: _Matured

    def rejected(self, change: float, error: float) -> bool:
        """Whether a change of the odds does not fit these scores, said with `error` as the chance to be wrong."""
        residual = probabilities(self.z + change) - probabilities(self.old + change)
        variance = self._spread(residual, change) + self.matured.noise(change)
        return float(residual.sum()) ** 2 > NormalDist().inv_cdf(error / 2) ** 2 * variance

    def interval(self, change: float, error: float) -> tuple[float, float]:
        """Give the ends of the changes around a fitting one that are not rejected, at most +-6 log-odds."""
        low, high = (_end(change, end, lambda by: self.rejected(by, error)) for end in (-LARGEST, LARGEST))
        return low, high

    def told(self, before: float, after: float, interval: str, *, alarm: bool) -> str:
        """Tell what was found, and on how few matured leads of these ages it stands."""
        known = self.matured
        kept = np.isin(known.age, list(known.levels))
        few = shift_told.few(known.y[kept], known.lead[kept])
        leads = int(self.lead.max()) + 1
        return shift_told.finding(before, after, interval, leads, few=few, assumption=ASSUMPTION if alarm else None)

    def _spread(self, residual: Floats, change: float) -> float:
        """Give the variance of the sum of residuals, pooled with what the matured rows let expect.

        Few scores tell little of their own spread.
        """
        by_lead = np.bincount(self.lead, residual)
        seen, known = len(self.z), len(self.matured.raw)
        return (seen * float(by_lead @ by_lead) + known * self.matured.spread(change)) / (seen + known)


def _found(recent: _Recent, error: float) -> Shift:
    """Find the change, its interval, and whether it is beyond noise; `error` is the chance that either is wrong."""
    z, old = recent.z, recent.old
    told = float(np.std(z - old)) > LEAST_SPREAD
    change = _fixed_point(z, old) if told else 0.0
    alarm = told and abs(change) > LEAST_CHANGE and recent.rejected(0.0, error)
    ends = recent.interval(change, error) if told else (-math.inf, math.inf)
    before, low, after, high = (float(probabilities(old + by).mean()) for by in (0.0, ends[0], change, ends[1]))
    leads = int(recent.lead.max()) + 1
    return Shift(
        before=before,
        after=after,
        low=low,
        high=high,
        error=error,
        estimate=change,
        log_odds=change if alarm else 0.0,
        alarm=alarm,
        likelihood_ratio=2 * _gain(z, old, change),
        scores=len(z),
        leads=leads,
        why=recent.told(before, after, f"{level(error)} interval {low:.1%} to {high:.1%}", alarm=alarm)
        if told
        else shift_told.nothing(before, leads),
    )


def _fixed_point(z: Floats, old: Floats) -> float:
    """Find the change at which the mean corrected probability is the corrected base rate, within +-6 log-odds.

    The likelihood is concave in the base rate; it rises with the change where the mean lies above the rate.
    """
    return _bisected(lambda change: bool(probabilities(z + change).mean() > probabilities(old + change).mean()))


def _bisected(below: Callable[[float], bool]) -> float:
    """Find the change up to which something holds, within +-6 log-odds."""
    low, high = -LARGEST, LARGEST
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _end(inside: float, outside: float, rejected: Callable[[float], bool]) -> float:
    """Find where rejection begins between two changes; `outside` itself where it is not rejected (bisection)."""
    if not rejected(outside):
        return outside
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return inside


def _gain(z: Floats, old: Floats, change: float) -> float:
    """Give the log-likelihood of the recent scores under the new base rate minus that under the old one."""
    per_score = np.logaddexp(0, z + change) - np.logaddexp(0, z)
    return float(per_score.sum() - (np.logaddexp(0, old + change) - np.logaddexp(0, old)).sum())


def checked(log_odds: ArrayLike, none: str = NO_RECENT) -> Floats:
    """Give log-odds as an array.

    Args:
        log_odds: shape (n,).
        none: what is wrong where there is none, and the mend.

    Raises:
        InputError: they are not finite numbers of shape (n,).
        NotEnoughDataError: there is none.
    """
    z = np.asarray(log_odds, dtype=np.float64)
    if z.ndim != 1 or not np.isfinite(z).all():
        raise InputError(f"log_odds has shape {z.shape}, must be (n,) of finite numbers")
    if not len(z):
        raise NotEnoughDataError(none)
    return z


def _codes(leads: Leads | None, rows: int) -> Codes:
    codes = np.arange(rows) if leads is None else lead_codes(leads)[0]
    if len(codes) != rows:
        raise InputError(f"leads has {len(codes)} rows, log_odds has {rows}; they must be the same rows")
    return codes


def _ages(ages: ArrayLike | None, rows: int) -> Codes:
    found = np.zeros(rows, dtype=np.int64) if ages is None else np.asarray(ages, dtype=np.int64)
    if len(found) != rows:
        raise InputError(f"ages has {len(found)} rows, log_odds has {rows}; they must be the same rows")
    return found


def level(error: float) -> str:
    """Write how sure an interval is that errs with a chance in (0, 1), in as many digits as that takes.

    >>> level(0.01), level(0.006), level(0.0000022)
    ('99 %', '99.4 %', '99.9998 %')
    """
    percent = 100 * error
    return f"{100 - percent:.{max(0, -math.floor(math.log10(percent)))}f} %"
