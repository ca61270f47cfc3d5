"""By how much the values of a column raise the odds of what happened, at the least that the counts allow.

A column that was written after the outcome need not cover many leads: an AUC sees little of it, but where it is
filled the outcome is practically certain. What is compared:

    filled   leads that have a value against those that have none (or the reverse, where that raises the odds)
    default  leads with another value than the one that most have (or the reverse), where there are several others
    value    leads with one value against all others
    tail     leads with a number above (or up to) a bound against all others
    ends     leads with the value of the best odds against those with the value of the worst
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.audit_groups import LEAST_GROUP, MISSING, Groups
from training.audit_known import Known

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Standard errors between an odds ratio and what is believed of it: many values are looked at, the largest is taken.
ERRORS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Odds:
    """Two sets of leads of one column.

    Attributes:
        least: the odds ratio at the lower end of its interval, >= 1; 1 where nothing is sure.
        which: the set with the better odds, for people.
        leads: how many leads it has.
        rate: the share of them to which it happened.
        other_rate: the share among those it is compared with.
    """

    least: float
    which: str
    leads: int
    rate: float
    other_rate: float


def filled(groups: Groups, event: Flags, known: Known) -> Odds | None:
    """Compare leads with a value and leads without; None where either are too few."""
    counts = _counts(groups, event, known)
    missing, held = counts[MISSING], counts[MISSING + 1 :].sum(axis=0)
    if min(missing.sum(), held.sum()) < LEAST_GROUP:
        return None
    return max(_odds(held, missing, "filled"), _odds(missing, held, "missing"), key=lambda odds: odds.least)


def default(groups: Groups, event: Flags, known: Known) -> Odds | None:
    """Compare leads with the value that more than half have, and leads with any of several others.

    None where there is no such value or only one other: then `value` says all there is to say. A missing value is
    neither.
    """
    counts = _counts(groups, event, known)[MISSING + 1 :]
    sizes = counts.sum(axis=1)
    if not len(sizes) or sizes.max() <= known.judged.sum() / 2:
        return None
    usual = int(sizes.argmax())
    others = counts.sum(axis=0) - counts[usual]
    if (sizes > 0).sum() < 3 or others.sum() < LEAST_GROUP:
        return None
    label = groups.labels[MISSING + 1 + usual]
    away, back = _odds(others, counts[usual], f"other than {label}"), _odds(counts[usual], others, label)
    return max(away, back, key=lambda odds: odds.least)


def value(groups: Groups, event: Flags, known: Known) -> Odds | None:
    """Find the value (of a number: the interval) that raises the odds most surely; None where all are rare."""
    counts = _counts(groups, event, known)
    sets = [(counts[code], groups.labels[code]) for code in range(MISSING + 1, len(groups))]
    return _surest(sets, counts.sum(axis=0))


def tail(groups: Groups, event: Flags, known: Known) -> Odds | None:
    """Find the lower or upper part of a number's range that raises the odds most surely; None for a category."""
    counts = _counts(groups, event, known)
    return _surest(_tails(groups, counts), counts.sum(axis=0)) if groups.ordered else None


def _surest(sets: list[tuple[Floats, str]], total: Floats) -> Odds | None:
    found = [
        _odds(part, total - part, label)
        for part, label in sets
        if part.sum() >= LEAST_GROUP and (total - part).sum() >= LEAST_GROUP
    ]
    return max(found, key=lambda odds: odds.least, default=None)


def ends(groups: Groups, event: Flags, known: Known) -> Odds | None:
    """Compare the values of the best and the worst odds, `missing` included; None with fewer than two."""
    counts = _counts(groups, event, known)
    frequent = [code for code in range(len(groups)) if counts[code].sum() >= LEAST_GROUP]
    if len(frequent) < 2:
        return None
    found = [
        _odds(counts[best], counts[worst], f"{groups.labels[best]} against {groups.labels[worst]}")
        for best, worst in _candidates(counts, frequent)
    ]
    return max(found, key=lambda odds: odds.least)


def _candidates(counts: Floats, frequent: list[int]) -> list[tuple[int, int]]:
    """Give pairs of the three groups that are surely good and the three that are surely bad."""
    rates = counts[frequent, 1] / counts[frequent].sum(axis=1)
    errors = np.sqrt(rates * (1 - rates) / counts[frequent].sum(axis=1) + 1.0 / counts[frequent].sum(axis=1) ** 2)
    best, worst = np.argsort(errors - rates)[:3], np.argsort(rates + errors)[:3]
    return [(frequent[b], frequent[w]) for b in best for w in worst if b != w]


def _counts(groups: Groups, event: Flags, known: Known) -> Floats:
    """Count judged leads by group and by whether it happened, shape (groups, 2)."""
    cell = groups.codes[known.judged] * 2 + event[known.judged]
    counts: Floats = np.bincount(cell, minlength=len(groups) * 2).reshape(-1, 2).astype(np.float64)
    return counts


def _tails(groups: Groups, counts: Floats) -> list[tuple[Floats, str]]:
    """Give the lower and the upper part of a number's range at every bound; a missing number is in none."""
    below = np.cumsum(counts[MISSING + 1 :], axis=0)
    labels = groups.labels[MISSING + 1 :]
    bounds = [label.rpartition(" ")[2] for label in labels[:-1]]
    lower = [(below[at], f"at most {bound}") for at, bound in enumerate(bounds)]
    upper = [(below[-1] - below[at], f"more than {bound}") for at, bound in enumerate(bounds)]
    return [*lower, *upper]


def _odds(these: Floats, others: Floats, which: str) -> Odds:
    """Compare two sets of leads, counts (did not happen, happened) each.

    Formula: log odds ratio = ln((b + 1/2)(c + 1/2) / ((a + 1/2)(d + 1/2))) for these (a, b) and the others (c, d);
    its standard error is sqrt(sum of 1 / (count + 1/2)). `least` is exp(ratio - 3 errors), no less than 1.

    Source: B. Woolf (1955), doi:10.1111/j.1469-1809.1955.tb01348.x; J. B. S. Haldane (1956),
    doi:10.1111/j.1469-1809.1956.tb01285.x.
    """
    cells = np.array([*these, *others]) + 0.5
    ratio = np.log(cells[1] * cells[2] / (cells[0] * cells[3]))
    least = np.exp(max(ratio - ERRORS * np.sqrt((1 / cells).sum()), 0.0))
    rate, other = float(these[1] / these.sum()), float(others[1] / others.sum())
    return Odds(float(least), which, int(these.sum()), rate, other)
