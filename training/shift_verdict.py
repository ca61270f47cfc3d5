"""What outcomes that arrived since say about a correction of the base rate: borne out, or to be taken back.

Outcomes arrive one by one and are asked every day, so the verdict is the likelihood ratio of the corrected and the
uncorrected probabilities: if one of the two is right, the ratio in favour of the other reaches 20 with a probability of
5 % at most, however often one looks, and of however few leads (J. Ville, 1939; G. Shafer and others (2011), Test
martingales, Bayes factors and p-values, doi:10.1214/10-STS347). The rows of a lead depend on each other; a lead counts
with the mean of their logarithms, which has no larger expectation than one row alone.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import InputError
from leadlight.metrics import log_losses_of_log_odds
from leadlight.phrases import counted
from scoring.scale import probabilities
from training.bootstrap import lead_codes
from training.shift import NO_MATURED, checked

Finding = Literal["better", "worse", "not distinguishable"]

# Odds of 20 to 1, in nats.
BEYOND_NOISE: Final = math.log(20)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What outcomes that arrived since say about a correction.

    Attributes:
        verdict: of the corrected probabilities against the uncorrected ones.
        shift: log-odds to go on with: 0 where the correction was disproved.
        undone: whether it is taken back.
        difference: mean log loss with the correction minus without, nats.
        evidence: the same summed over leads, each with the mean of its rows, nats; beyond +-3 (odds of 20 to 1) it is a
            verdict: above it against the correction, below it for it.
        rows: matured rows.
        leads: of how many leads.
        observed: share of positives.
        expected_with: mean probability with the correction.
        expected_without: mean probability without.
        why: the finding in one sentence.
    """

    verdict: Finding
    shift: float
    undone: bool
    difference: float
    evidence: float
    rows: int
    leads: int
    observed: float
    expected_with: float
    expected_without: float
    why: str

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self)


def check(
    shift: float,
    log_odds: ArrayLike,
    y: ArrayLike,
    leads: Sequence[str] | NDArray[np.object_],
) -> Verdict:
    """Hold a correction against outcomes that arrived; take it back if it made calibration worse beyond noise.

    Both probabilities order the leads alike, so all of the difference of their log losses is calibration.

    Args:
        shift: log-odds that were added.
        log_odds: calibrated log-odds *without the shift* of matured snapshots, shape (n,).
        y: outcomes, shape (n,); leave censored rows out.
        leads: lead of each row, shape (n,).

    Raises:
        InputError: shapes that differ, or values outside their domain.
        NotEnoughDataError: no matured row.
    """
    z, outcomes = checked(log_odds, NO_MATURED), np.asarray(y, dtype=np.float64)
    if outcomes.shape != z.shape or len(leads) != len(z) or not np.isin(outcomes, (0.0, 1.0)).all():
        raise InputError("log_odds, y (0 or 1) and leads must be of the same matured rows")
    codes, n_leads = lead_codes(leads)
    loss = log_losses_of_log_odds(outcomes, z + shift) - log_losses_of_log_odds(outcomes, z)
    evidence = float((np.bincount(codes, loss) / np.bincount(codes)).sum())
    verdict: Finding = "not distinguishable"
    if abs(evidence) >= BEYOND_NOISE:
        verdict = "worse" if evidence > 0 else "better"
    observed, with_, without = (float(part.mean()) for part in (outcomes, probabilities(z + shift), probabilities(z)))
    return Verdict(
        verdict=verdict,
        shift=0.0 if verdict == "worse" else shift,
        undone=verdict == "worse",
        difference=float(loss.mean()),
        evidence=evidence,
        rows=len(z),
        leads=n_leads,
        observed=observed,
        expected_with=with_,
        expected_without=without,
        why=_judged(verdict, len(z), observed, with_, without),
    )


def _judged(verdict: str, rows: int, observed: float, with_: float, without: float) -> str:
    seen = (
        f"of {counted(rows, 'matured snapshot')} {observed:.1%} succeeded; the corrected probabilities expected "
        f"{with_:.1%}, the uncorrected ones {without:.1%}"
    )
    if verdict == "worse":
        return f"{seen}: outcomes disprove the correction of the base rate, it is taken back"
    if verdict == "better":
        return f"{seen}: outcomes bear the correction out, it stays"
    return f"{seen}: too close to tell, the correction stays for now"
