"""Columns that hold a time: that of the outcome, the days since it, or merely that of the creation.

A value is read as an instant or as a length of time, in several units. If it and the outcome lie the same distance
apart for many leads, it was written by the outcome: whether it is a close date, the days since closing, or the instant
of the last modification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.schema import DAY, HOUR, MICROSECONDS_PER_SECOND, AttributeKind
from training.audit_groups import as_numbers
from training.audit_known import LEAST, Known
from training.audit_share import least
from training.ranks import rank_correlation, ranks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Two instants as near as this are one: dates have no hours, and a clock may be in another zone.
NEAR: Final = 2 * DAY
# Outcomes so soon after the creation say the same as the creation: they are left out.
SOON: Final = 3 * DAY
FEWEST: Final = 10
# A number beyond this is no time in any unit: in microseconds it is 30,000 years.
LONGEST: Final = 1e18
UNITS: Final[dict[str, float]] = {
    "days": DAY,
    "hours": HOUR,
    "seconds": MICROSECONDS_PER_SECOND,
    "milliseconds": 1_000,
    "microseconds": 1,
}
_DATE: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"


@dataclass(frozen=True, slots=True)
class Coincidence:
    """How many closed leads have a value at one and the same distance from their outcome.

    Attributes:
        share: of the closed leads that have a value.
        least: lower end of its interval.
        leads: how many that is.
        by_chance: the share that would be found if the value said nothing of the time.
        unit: in which unit the value was read.
    """

    share: float
    least: float
    leads: int
    by_chance: float
    unit: str


def instants(values: pl.Series, kind: AttributeKind) -> Floats | None:
    """Read a text column as dates or instants, µs UTC, NaN = null; None where any value is something else."""
    if kind != "category":
        return None
    texts = values.cast(pl.String).drop_nulls()
    if texts.is_empty() or not texts.str.contains(_DATE).all():
        return None
    day = values.cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64) * DAY
    return day.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def coincidence(values: pl.Series, kind: AttributeKind, known: Known) -> Coincidence | None:
    """Look for the distance at which most values lie from the outcomes; None where too few leads can tell."""
    if not known.timed:
        return None
    late = known.closed & (known.outcome_at - known.created > SOON)
    found = []
    for unit, x in _readings(values, kind):
        chosen = late & np.isfinite(x)
        if chosen.sum() < FEWEST:
            continue
        at = known.outcome_at[chosen].astype(np.float64)
        created = known.created[chosen].astype(np.float64)
        for sign in (1.0, -1.0):
            held, leads = int(chosen.sum()), _densest(x[chosen] - sign * at)
            # Values that depend on nothing, or on the creation, meet the outcomes so often anyway.
            chance = max(_densest(-sign * at), _densest(x[chosen] - sign * created))
            found.append(Coincidence(leads / held, least(leads, held), leads, chance / held, unit))
    return max(found, key=lambda one: one.least - one.by_chance, default=None)


def _readings(values: pl.Series, kind: AttributeKind) -> Iterator[tuple[str, Floats]]:
    """Yield every meaning of the column as µs."""
    dates = instants(values, kind)
    if dates is not None:
        yield "dates", dates
    elif kind == "number":
        x = as_numbers(values)
        x = np.where(np.abs(x) <= LONGEST, x, np.nan)
        for unit, width in UNITS.items():
            yield unit, x * width


def _densest(distance: Floats) -> int:
    """Count the most values that lie within `NEAR` of one another."""
    ordered = np.sort(distance)
    return int((np.searchsorted(ordered, ordered + NEAR, side="right") - np.arange(len(ordered))).max())


def clock(values: pl.Series, kind: AttributeKind, known: Known) -> float | None:
    """Give the rank correlation of a number or date with the creation, in absolute terms; None with too few values."""
    x = instants(values, kind)
    if x is None:
        if kind != "number":
            return None
        x = as_numbers(values)
    chosen = ~np.isnan(x)
    if chosen.sum() < LEAST or len(np.unique(x[chosen])) < LEAST:
        return None
    return abs(rank_correlation(x[chosen], known.created[chosen].astype(np.float64)))


def beyond_creation(position: Floats, known: Known) -> Floats:
    """Give how far each lead stands from its place in the order of creation, as a share of the leads, shape (n,).

    Args:
        position: any number by which the leads can be ordered; NaN where a lead has none.
        known: the leads.
    """
    held = ~np.isnan(position)
    out = np.full(len(position), np.nan)
    own = ranks(position[held]) - ranks(known.created[held].astype(np.float64))
    out[held] = np.round(own / max(held.sum(), 1), 4)
    return out
