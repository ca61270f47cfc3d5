"""How well one column, by itself, ranks the leads by what happened to them, and whether it always did.

The column's groups are valued by the outcomes of other leads (cross-fitting), so ten thousand categories rank no better
than by chance; and leads are ranked against those of their own creation cohort only, so a column that merely knows
when a lead was created does not look like one that knows its outcome.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.audit_groups import Groups
from training.audit_known import COHORTS, FOLDS, Known

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

# A group's rate counts as if so many more leads with the mean rate were in it.
PRIOR_LEADS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """A column against one event.

    Attributes:
        auc: area under the ROC curve within folds and cohorts, averaged over pairs; 0.5 = tells nothing.
        error: its standard error.
        by_cohort: the same per creation cohort, oldest first; None where a cohort lacks events or leads without.
        change: newest minus oldest cohort that has one; None where there are not two.
        change_error: standard error of the change.
        log_odds: what the column adds to the log-odds of every judged lead, cross-fitted, shape (judged,).
    """

    auc: float
    error: float
    by_cohort: tuple[float | None, ...]
    change: float | None
    change_error: float | None
    log_odds: Floats


def ranking(groups: Groups, event: Flags, known: Known) -> Ranking | None:
    """Rank the judged leads by a column; None where no fold and cohort holds both outcomes."""
    codes, happened = groups.codes[known.judged], event[known.judged].astype(np.int64)
    cell = (known.part * len(groups) + codes) * 2 + happened
    cells: Floats = np.bincount(cell, minlength=FOLDS * COHORTS * len(groups) * 2).astype(np.float64)
    counts = cells.reshape(FOLDS, COHORTS, len(groups), 2)
    learnt = counts.sum(axis=(0, 1)) - counts.sum(axis=1)  # (fold, group, 2): what the other folds hold
    base = (learnt[:, :, 1].sum(axis=1) + 0.5) / (learnt.sum(axis=(1, 2)) + 1.0)
    rate = (learnt[:, :, 1] + PRIOR_LEADS * base[:, None]) / (learnt.sum(axis=2) + PRIOR_LEADS)
    won, pairs = _pairs(counts, rate)
    if not pairs.sum():
        return None
    auc = float(won.sum() / pairs.sum())
    by_cohort = [float(won[:, c].sum() / pairs[:, c].sum()) if pairs[:, c].sum() else None for c in range(COHORTS)]
    ends = [(value, counts[:, c].sum(axis=(0, 1))) for c, value in enumerate(by_cohort) if value is not None]
    (first, of_first), (last, of_last) = ends[0], ends[-1]
    moved = len(ends) > 1
    offset = np.log(rate / (1 - rate)) - np.log(base / (1 - base))[:, None]
    return Ranking(
        auc=auc,
        error=auc_error(auc, *counts.sum(axis=(0, 1, 2))[::-1]),
        by_cohort=tuple(by_cohort),
        change=last - first if moved else None,
        change_error=float(np.hypot(auc_error(first, *of_first[::-1]), auc_error(last, *of_last[::-1])))
        if moved
        else None,
        log_odds=offset[known.fold[known.judged], codes],
    )


def of_score(score: Floats, event: Flags, part: Codes) -> float | None:
    """Give the AUC of a finite score within parts, averaged over pairs; None where no part holds both outcomes.

    Args:
        score: shape (n,).
        event: what happened, shape (n,).
        part: rows are compared with those of the same part, shape (n,).
    """
    values, codes = np.unique(np.round(score, 9), return_inverse=True)
    won = pairs = 0.0
    for number in np.unique(part):
        here = part == number
        counts = np.zeros((1, 1, len(values), 2))
        for outcome in (False, True):
            counts[0, 0, :, int(outcome)] = np.bincount(codes[here & (event == outcome)], minlength=len(values))
        more, of = _pairs(counts, np.arange(len(values), dtype=np.float64)[None])
        won, pairs = won + float(more.sum()), pairs + float(of.sum())
    return won / pairs if pairs else None


def _pairs(counts: Floats, rate: Floats) -> tuple[Floats, Floats]:
    """Give pairs won (a tie counts one half) and pairs there are, shape (folds, cohorts) each.

    Args:
        counts: leads by fold, cohort, group and outcome.
        rate: what a group is worth in a fold, shape (folds, groups).
    """
    won, pairs = np.zeros(counts.shape[:2]), np.zeros(counts.shape[:2])
    for fold in range(len(counts)):
        _, rank = np.unique(np.round(rate[fold], 12), return_inverse=True)
        ranked = np.zeros((int(rank.max()) + 1, counts.shape[1], 2))
        np.add.at(ranked, rank, counts[fold].swapaxes(0, 1))
        without, events = ranked[:, :, 0], ranked[:, :, 1]
        won[fold] = (events * (np.cumsum(without, axis=0) - without / 2)).sum(axis=0)
        pairs[fold] = events.sum(axis=0) * without.sum(axis=0)
    return won, pairs


def auc_error(auc: float, positives: float, negatives: float) -> float:
    """Give the standard error of an AUC.

    Formula: sqrt((A (1 - A) + (P - 1)(A / (2 - A) - A^2) + (N - 1)(2 A^2 / (1 + A) - A^2)) / (P N)).

    Source: J. A. Hanley, B. J. McNeil (1982), doi:10.1148/radiology.143.1.7063747.
    """
    first, second = auc / (2 - auc) - auc**2, 2 * auc**2 / (1 + auc) - auc**2
    variance = auc * (1 - auc) + (positives - 1) * first + (negatives - 1) * second
    return float(np.sqrt(max(variance, 0.0) / (positives * negatives)))
