"""A changed base rate: found in recent scores without outcomes, corrected, and taken back when outcomes disprove it.

Label shift: if only the share of future successes changed, while those who will succeed look as they always did, and
those who will not as well, then every probability has to move by the same number of log-odds, and the scores
themselves tell how far: the mean corrected probability must be the new base rate.

Source: M. Saerens, P. Latinne, C. Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
probabilities, doi:10.1162/089976602753284446. Their EM iteration climbs a likelihood that is concave in the base rate;
its fixed point is found here by bisection, in a known number of steps.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.scorer import Scorer
from scoring.scale import logit, probabilities, probability
from training.bootstrap import lead_codes
from training.rows import Rows

Floats = NDArray[np.float64]

ASSUMPTION: Final = (
    "assumes that only the share of successes changed: leads that will succeed look as successes always did, and those "
    "that will not as failures always did (P(features | outcome) is unchanged); scores alone cannot test this, "
    "outcomes can"
)
# An alarm needs a change that is not zero with this confidence, and of at least a tenth of the odds.
ALARM_LEVEL: Final = 0.99
LEAST_CHANGE: Final = 0.1
# No correction beyond this many log-odds (odds times 400).
LARGEST: Final = 6.0
# Scores that spread less than this tell nothing about the base rate.
LEAST_SPREAD: Final = 1e-6
BISECTIONS: Final = 48
# Of the verdict on matured outcomes.
VERDICT_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Shift:
    """What recent scores say about the base rate.

    Attributes:
        before: base rate that the scores were calibrated to.
        after: base rate of the recent scores, as estimated.
        low: lower end of the 99 % interval of `after`.
        high: upper end.
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What outcomes that arrived since say about a correction.

    Attributes:
        verdict: of the corrected probabilities against the uncorrected ones.
        shift: log-odds to go on with: 0 where the correction was disproved.
        undone: whether it is taken back.
        difference: mean log loss with the correction minus without, nats.
        low: lower end of its 95 % interval over leads.
        high: upper end.
        rows: matured rows.
        leads: of how many leads.
        observed: share of positives.
        expected_with: mean probability with the correction.
        expected_without: mean probability without.
        why: the finding in one sentence.
    """

    verdict: Literal["better", "worse", "not distinguishable"]
    shift: float
    undone: bool
    difference: float
    low: float
    high: float
    rows: int
    leads: int
    observed: float
    expected_with: float
    expected_without: float
    why: str

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)


def estimate(
    log_odds: ArrayLike,
    base_rate: float,
    *,
    leads: Sequence[str] | NDArray[np.object_] | None = None,
    known_leads: int | None = None,
) -> Shift:
    """Estimate the base rate of recent leads from their scores.

    The noise is that of a sandwich over leads (scores of one lead depend on each other), plus that of the old base rate
    where it is said from how many leads it comes.

    Args:
        log_odds: calibrated log-odds of recent snapshots *without any shift*, shape (n,). They must be of the same ages
            as the rows behind `base_rate`: leads of another age have another base rate, and nothing changed.
        base_rate: share of positives among the (weighted) training rows of these ages.
        leads: lead of each score, shape (n,); None = each is of another lead.
        known_leads: leads behind `base_rate`; None = it is known without noise.

    Raises:
        InputError: a base rate outside (0, 1), or log-odds that are not finite.
        NotEnoughDataError: no score.
    """
    z = _checked(log_odds)
    if not 0 < base_rate < 1:
        raise InputError(f"base_rate == {base_rate}, must be between 0 and 1")
    codes, n_leads = (np.arange(len(z)), len(z)) if leads is None else lead_codes(leads)
    if len(codes) != len(z):
        raise InputError(f"leads has {len(codes)} rows, log_odds has {len(z)}; they must be the same rows")
    old = logit(base_rate)
    change = _fixed_point(z, old) if float(np.std(z)) > LEAST_SPREAD else 0.0
    variance = _variance(z, old, change, codes)
    if known_leads is not None:
        variance += _leverage(z, old, change) ** 2 / (max(known_leads, 1) * base_rate * (1 - base_rate))
    half = NormalDist().inv_cdf((1 + ALARM_LEVEL) / 2) * float(np.sqrt(variance))
    alarm = abs(change) > max(half, LEAST_CHANGE)
    low, after, high = (probability(old + change + d) for d in (-half, 0.0, half))
    return Shift(
        before=base_rate,
        after=after,
        low=low,
        high=high,
        estimate=change,
        log_odds=change if alarm else 0.0,
        alarm=alarm,
        likelihood_ratio=2 * _gain(z, old, change),
        scores=len(z),
        leads=n_leads,
        why=_told(base_rate, after, low, high, n_leads, alarm=alarm),
    )


def against(
    recent: ArrayLike,
    reference: ArrayLike,
    y: ArrayLike,
    *,
    recent_leads: Sequence[str] | NDArray[np.object_] | None = None,
    reference_leads: Sequence[str] | NDArray[np.object_] | None = None,
) -> Shift:
    """Estimate the base rate of recent leads against the newest matured ones of the same ages.

    What is off for the matured leads already is no change: their log-odds are first moved to their own observed rate.
    This matters much, for an error of the level is multiplied by `_leverage`, ten times and more where scores tell
    little. The number to add, if the alarm is raised, contains both moves.

    Args:
        recent: calibrated log-odds of recent snapshots without any shift, shape (n,).
        reference: the same of matured snapshots, shape (m,).
        y: outcomes of the matured ones, shape (m,).
        recent_leads: lead of each recent snapshot; None = each is of another lead.
        reference_leads: the same of the matured ones.

    Raises:
        InputError: values outside their domain.
        NotEnoughDataError: nothing recent, nothing matured, or matured snapshots of one outcome only.
    """
    z, known, outcomes = _checked(recent), _checked(reference), np.asarray(y, dtype=np.float64)
    if outcomes.shape != known.shape or not np.isin(outcomes, (0.0, 1.0)).all():
        raise InputError("reference and y (0 or 1) must be of the same matured rows")
    rate = float(outcomes.mean())
    if not 0 < rate < 1:
        raise NotEnoughDataError(
            "matured snapshots have one outcome only; a base rate needs both: choose a longer period"
        )
    level = _level(known, rate)
    leads = len(known) if reference_leads is None else lead_codes(reference_leads)[1]
    found = estimate(z + level, rate, leads=recent_leads, known_leads=leads)
    return replace(found, log_odds=found.log_odds + level if found.alarm else 0.0)


def _level(z: Floats, rate: float) -> float:
    """Find what must be added for the mean probability to be a rate, within +-6 log-odds (bisection)."""
    low, high = -LARGEST, LARGEST
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if probabilities(z + middle).mean() < rate else (low, middle)
    return (low + high) / 2


def known_rates(rows: Rows) -> dict[int, dict[str, float | int]]:
    """Give the base rate of every age among training rows, as `estimate` wants it: age in µs -> rate and leads.

    An age with one outcome only is left out: its rate is not known.
    """
    ages = rows.frame["age"].to_numpy()
    found: dict[int, dict[str, float | int]] = {}
    for age in np.unique(ages):
        part = ages == age
        rate = float(np.average(rows.y[part], weights=rows.weight[part]))
        if 0 < rate < 1:
            found[int(age)] = {"rate": rate, "leads": len(set(rows.lead_ids[part]))}
    return found


def check(
    shift: float,
    log_odds: ArrayLike,
    y: ArrayLike,
    leads: Sequence[str] | NDArray[np.object_],
) -> Verdict:
    """Hold a correction against outcomes that arrived; take it back if it made calibration worse beyond noise.

    Both probabilities order the leads alike, so all of the difference of their log losses is calibration. Its interval
    is normal, with the standard error over leads.

    Args:
        shift: log-odds that were added.
        log_odds: calibrated log-odds *without the shift* of matured snapshots, shape (n,).
        y: outcomes, shape (n,); leave censored rows out.
        leads: lead of each row, shape (n,).

    Raises:
        InputError: shapes that differ, or values outside their domain.
        NotEnoughDataError: no matured row.
    """
    z, outcomes = _checked(log_odds), np.asarray(y, dtype=np.float64)
    if outcomes.shape != z.shape or len(leads) != len(z) or not np.isin(outcomes, (0.0, 1.0)).all():
        raise InputError("log_odds, y (0 or 1) and leads must be of the same matured rows")
    codes, n_leads = lead_codes(leads)
    loss = np.logaddexp(0, z + shift) - outcomes * (z + shift) - (np.logaddexp(0, z) - outcomes * z)
    mean = float(loss.mean())
    residual = np.bincount(codes, loss - mean, minlength=n_leads)
    error = float(np.sqrt(residual @ residual)) / len(z)
    half = NormalDist().inv_cdf((1 + VERDICT_LEVEL) / 2) * error
    verdict: Literal["better", "worse", "not distinguishable"] = "not distinguishable"
    if n_leads > 1 and mean - half > 0:
        verdict = "worse"
    elif n_leads > 1 and mean + half < 0:
        verdict = "better"
    observed, with_, without = (float(part.mean()) for part in (outcomes, probabilities(z + shift), probabilities(z)))
    return Verdict(
        verdict=verdict,
        shift=0.0 if verdict == "worse" else shift,
        undone=verdict == "worse",
        difference=mean,
        low=mean - half,
        high=mean + half,
        rows=len(z),
        leads=n_leads,
        observed=observed,
        expected_with=with_,
        expected_without=without,
        why=_judged(verdict, len(z), observed, with_, without),
    )


def undo(scorer: Scorer, found: Verdict) -> Scorer:
    """Give the scorer with the shift that the verdict leaves."""
    return replace(scorer, shift=found.shift)


def _fixed_point(z: Floats, old: float) -> float:
    """Find the change at which the mean corrected probability is the corrected base rate, within +-6 log-odds.

    The likelihood is concave in the base rate; it rises with the change where the mean lies above the rate.
    """
    low, high = -LARGEST, LARGEST
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if probabilities(z + middle).mean() > probability(old + middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _variance(z: Floats, old: float, change: float, codes: NDArray[np.intp]) -> float:
    """Give the sandwich variance of the change over leads; infinite where the scores tell nothing."""
    p, rate = probabilities(z + change), probability(old + change)
    information = len(z) * rate * (1 - rate) - float((p * (1 - p)).sum())
    if information <= LEAST_SPREAD * len(z) * rate * (1 - rate):
        return float("inf")
    by_lead = np.bincount(codes, p - rate)
    return float(by_lead @ by_lead) / information**2


def _leverage(z: Floats, old: float, change: float) -> float:
    """Give how many log-odds the change moves per log-odds of the old base rate: large for scores that tell little."""
    p, rate = probabilities(z + change), probability(old + change)
    within = rate * (1 - rate)
    information = within - float((p * (1 - p)).mean())
    return within / information if information > LEAST_SPREAD * within else float("inf")


def _gain(z: Floats, old: float, change: float) -> float:
    """Give the log-likelihood of the recent scores under the new base rate minus that under the old one."""
    per_score = np.logaddexp(0, z + change) - np.logaddexp(0, z)
    return float(per_score.sum() - len(z) * (np.logaddexp(0, old + change) - np.logaddexp(0, old)))


def _checked(log_odds: ArrayLike) -> Floats:
    z = np.asarray(log_odds, dtype=np.float64)
    if z.ndim != 1 or not np.isfinite(z).all():
        raise InputError(f"log_odds has shape {z.shape}, must be (n,) of finite numbers")
    if not len(z):
        raise NotEnoughDataError("no recent score to look for a changed base rate in; score newer leads first")
    return z


def _told(before: float, after: float, low: float, high: float, leads: int, *, alarm: bool) -> str:
    what = f"the base rate of {leads:,} recent leads looks like {after:.1%} (99 % interval {low:.1%} to {high:.1%})"
    if alarm:
        return f"{what} instead of {before:.1%}: probabilities are corrected, {ASSUMPTION}"
    return f"{what}, not distinguishable from the {before:.1%} known: nothing is corrected"


def _judged(verdict: str, rows: int, observed: float, with_: float, without: float) -> str:
    seen = (
        f"of {rows:,} matured snapshots {observed:.1%} succeeded; the corrected probabilities expected {with_:.1%}, "
        f"the uncorrected ones {without:.1%}"
    )
    if verdict == "worse":
        return f"{seen}: outcomes disprove the correction of the base rate, it is taken back"
    if verdict == "better":
        return f"{seen}: outcomes bear the correction out, it stays"
    return f"{seen}: too close to tell, the correction stays for now"
