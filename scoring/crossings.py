"""What every possible threshold would have yielded: first crossings, counted for all thresholds in one sweep.

A lead is handed over at its *first* score at or above the threshold t while it is at stage `lead`. Only a row that
beats all earlier scores of its lead (a record) can be that first one, and it is so for every t with
`previous record < t <= score`; so one sweep over the records counts all thresholds at once, O(n log n).

    volume        first crossings in the period / weeks of the period
    SQL rate      share of those, mature ones only, that reach the target within the horizon after the crossing
    wins share    of the leads that first reached the target in the period, those that had crossed before (at any time)
    lead -> MQL   first crossings in the period / leads created in the period

The 95 % interval of the SQL rate is Wilson's (E. B. Wilson, JASA 22, 1927, doi 10.1080/01621459.1927.10502953): a lead
crosses a threshold at most once, so the crossings of one threshold are independent between leads.
Pure numpy. The result is JSON and holds nothing that belongs to a single lead.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.metrics import wilson_interval
from leadlight.schema import DAY

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Basis = Literal["model", "rules"]

WEEK: Final = 7 * DAY
MIN_MATURE: Final = 30
USUAL_LEAD_TO_MQL: Final = (0.10, 0.20)
MOST_THRESHOLDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores along the lives of leads; arrays of shape (n,), rows in any order.

    Attributes:
        lead: code of the lead, >= 0.
        as_of: µs UTC.
        score: unclipped score or rule points, finite.
        at_lead: whether the lead is at stage `lead` then; other rows never hand over.
        label: 1 or 0 if the target is reached within the horizon after as_of or not, NaN while that is not known.
    """

    lead: NDArray[np.int64]
    as_of: NDArray[np.int64]
    score: Floats
    at_lead: NDArray[np.bool_]
    label: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        lengths = {len(self.lead), len(self.as_of), len(self.score), len(self.at_lead), len(self.label)}
        if len(lengths) != 1:
            raise InputError(f"scored rows: arrays of different lengths {sorted(lengths)}; give one value per row")
        if not np.isfinite(self.score).all():
            raise InputError("scored rows: a score is not finite; leave such rows out")


@dataclass(frozen=True, slots=True)
class Records:
    """The rows that beat all earlier scores of their lead at stage `lead`, shape (m,) each.

    Attributes:
        lead: code of the lead.
        as_of: µs UTC.
        score: the new record.
        previous: the record before it, -inf where it is the first.
        label: as in `Scored`.
    """

    lead: NDArray[np.int64]
    as_of: NDArray[np.int64]
    score: Floats
    previous: Floats
    label: Floats


def records(rows: Scored) -> Records:
    """Keep the rows at which a lead at stage `lead` scores higher than ever before; equal scores are no record."""
    kept = np.flatnonzero(rows.at_lead)
    # of several rows of one lead at one instant the highest score counts
    kept = kept[np.lexsort((-rows.score[kept], rows.as_of[kept], rows.lead[kept]))]
    lead, score = rows.lead[kept], rows.score[kept]
    levels, code = np.unique(score, return_inverse=True)
    # one running maximum for all leads: the lead is the leading digit, so the next lead begins anew
    best = np.maximum.accumulate(lead * len(levels) + code)
    begins = np.diff(lead, prepend=-1) != 0
    beaten = begins | (np.diff(best, prepend=-1) > 0)
    at = np.flatnonzero(beaten)
    previous = np.where(begins[at], -np.inf, levels[best[at - 1] % max(len(levels), 1)] if len(at) else 0.0)
    chosen = kept[at]
    return Records(lead[at], rows.as_of[chosen], score[at], previous, rows.label[chosen])


def curve(
    rows: Scored,
    *,
    start: int,
    end: int,
    winners: NDArray[np.int64],
    new_leads: int,
    basis: Basis,
    target: str,
    horizon_us: int | None,
    min_mature: int = MIN_MATURE,
) -> dict[str, Any]:
    """Count what every integer threshold would have yielded in the period [start, end).

    Args:
        rows: scores of the period and, so that a crossing before the period is not taken for a first one, of the time
            before it.
        start: µs UTC.
        end: µs UTC.
        winners: codes of the leads that first reached the target in the period.
        new_leads: number of leads created in the period.
        basis: what the score is.
        target: stage that counts as success.
        horizon_us: within which time; None = ever.
        min_mature: fewer mature crossings than these give no rate to decide by.

    Returns:
        JSON object, keys as in docs/thresholds.md.

    Raises:
        InputError: the period is empty.
    """
    if end <= start:
        raise InputError("thresholds: the period is empty; its end must lie after its start")
    cuts, counts, caught = _counts(records(rows), start, end, winners)
    period = (end - start) / WEEK
    n_winners = len(np.unique(winners))
    totals = np.column_stack([counts[name].sum(axis=1) for name in counts] + [caught])
    return {
        "basis": basis,
        "target": target,
        "horizon_days": None if horizon_us is None else horizon_us / DAY,
        "from": iso(start),
        "to": iso(end),
        "weeks": period,
        "new_leads": int(new_leads),
        "wins": n_winners,
        "min_mature": min_mature,
        "interval": "Wilson 95 %",
        "usual_lead_to_mql": list(USUAL_LEAD_TO_MQL),
        "rows": [
            _row(int(cut), [int(count) for count in total], period, n_winners, new_leads)
            for cut, total in zip(cuts, totals, strict=True)
        ],
        "by_week": {
            "from": [iso(int(week)) for week in np.arange(start, end, WEEK)],
            **{name: values.tolist() for name, values in counts.items()},
        },
    }


def grid(scores: Floats) -> NDArray[np.int64]:
    """Give the integer thresholds worth looking at: from the lowest to the highest score that was seen.

    Raises:
        InputError: scores so wide that integer thresholds make no sense.
    """
    if len(scores) == 0:
        return np.empty(0, dtype=np.int64)
    lowest, highest = math.floor(scores.min()), math.floor(scores.max())
    if highest - lowest > MOST_THRESHOLDS:
        raise InputError(
            f"scores from {scores.min():g} to {scores.max():g}: too wide for integer thresholds; rescale the points"
        )
    return np.arange(lowest, highest + 1, dtype=np.int64)


def _counts(
    found: Records, start: int, end: int, winners: NDArray[np.int64]
) -> tuple[Counts, dict[str, Counts], Counts]:
    """Give the thresholds (k,), what each counts per week, (k, weeks) each, and the winners each had caught, (k,)."""
    inside = (found.as_of >= start) & (found.as_of < end)
    cuts = grid(found.score[inside])
    weeks = len(np.arange(start, end, WEEK))
    week = np.where(inside, (found.as_of - start) // WEEK, 0)
    mature = inside & ~np.isnan(found.label)
    won = np.isin(found.lead, winners) & (found.as_of < end)
    counts = {
        "crossings": _by_cut(found, cuts, inside, week, weeks),
        "mature": _by_cut(found, cuts, mature, week, weeks),
        "reached": _by_cut(found, cuts, mature & (found.label == 1.0), week, weeks),
    }
    return cuts, counts, _by_cut(found, cuts, won, np.zeros_like(week), 1)[:, 0]


def _by_cut(found: Records, cuts: Counts, counted: NDArray[np.bool_], week: Counts, weeks: int) -> Counts:
    """Count, per threshold and week, the records that are its first crossing; shape (len(cuts), weeks)."""
    low = np.searchsorted(cuts, found.previous[counted], side="right")
    high = np.searchsorted(cuts, found.score[counted], side="right")
    change = np.zeros((len(cuts) + 1, weeks), dtype=np.int64)
    np.add.at(change, (low, week[counted]), 1)
    np.add.at(change, (high, week[counted]), -1)
    return np.cumsum(change, axis=0)[:-1]


def _row(cut: int, counts: list[int], weeks: float, wins: int, new_leads: int) -> dict[str, Any]:
    crossings, mature, reached, caught = counts
    low, high = wilson_interval(reached, mature) if mature else (None, None)
    return {
        "threshold": cut,
        "crossings": crossings,
        "mqls_per_week": crossings / weeks,
        "mature": mature,
        "reached": reached,
        "sql_rate": reached / mature if mature else None,
        "low": low,
        "high": high,
        "wins_share": caught / wins if wins else None,
        "lead_to_mql": crossings / new_leads if new_leads else None,
    }
