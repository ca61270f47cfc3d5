"""Numbers that count what the lead did after its creation: an aggregate of the export, not of the instant of a score.

Such a column rises with every later activity, those after the outcome included. A column that is really known at the
creation can only foresee them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.tables import Tables
from leadlight.schema import DAY
from training.audit_groups import as_numbers
from training.audit_known import LEAST, Known
from training.ranks import correlation, ranks

Floats = NDArray[np.float64]

# What happens within the first day may well be in a column known at creation.
EARLY: Final = DAY
# Kinds of activities that are counted one by one, the most frequent ones.
MOST_KINDS: Final = 12


@dataclass(frozen=True, slots=True)
class Later:
    """What every lead did, by kind of activity: in its first day, and from then to the cut.

    Attributes:
        kinds: what is counted.
        early: shape (kinds, n).
        late: shape (kinds, n).
    """

    kinds: tuple[str, ...]
    early: tuple[Floats, ...]
    late: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Follows:
    """A column that goes with later activities.

    Attributes:
        correlation: of ranks, with what came after the first day, given what came in it; that of all leads or that of
            the half with the larger values, whichever is surer (a count may have stopped for the others).
        least: lower end of its interval, three standard errors of Fisher's z below it.
        kind: the activities it goes with most.
    """

    correlation: float
    least: float
    kind: str


def later(tables: Tables, known: Known) -> Later:
    """Count activities that were known before the cut, per lead and kind."""
    if not known.timed or not len(known):
        return Later((), (), ())
    leads = known.frame.lazy().select("lead_id", "created_at").with_row_index("row")
    log = tables.activities.filter(pl.max_horizontal("occurred_at", "received_at") < known.cut)
    counted = (
        log.select("lead_id", "type", "actor", "occurred_at")
        .join(leads, on="lead_id")
        .group_by("row", "type", "actor")
        .agg(rows=pl.len(), early=(pl.col("occurred_at") < pl.col("created_at") + EARLY).sum())
        .collect(engine="streaming")
    )
    if not counted.height:
        return Later((), (), ())
    kinds = [("all activities", pl.lit(value=True))]
    kinds += [(f"activities of `{actor}`", pl.col("actor") == actor) for actor in sorted(counted["actor"].unique())]
    frequent = counted.group_by("type").agg(pl.col("rows").sum()).sort(["rows", "type"], descending=[True, False])
    kinds += [(f"`{kind}`", pl.col("type") == kind) for kind in frequent["type"].head(MOST_KINDS)]
    early, late = zip(*(_counted(counted.filter(chosen), len(known)) for _, chosen in kinds), strict=True)
    return Later(tuple(name for name, _ in kinds), early, late)


def _counted(counted: pl.DataFrame, n: int) -> tuple[Floats, Floats]:
    row = counted["row"].to_numpy()
    early = np.bincount(row, counted["early"].to_numpy(), minlength=n)
    whole = np.bincount(row, counted["rows"].to_numpy(), minlength=n)
    return early.astype(np.float64), (whole - early).astype(np.float64)


def follows(values: pl.Series, counts: Later) -> Follows | None:
    """Tell how closely a number goes with later activities; None where it cannot be said."""
    x = as_numbers(values)
    held = ~np.isnan(x)
    if held.sum() < LEAST:
        return None
    found = [
        Follows(own, _least(own, int(chosen.sum())), kind)
        for chosen in (held, held & (x >= np.sort(x[held])[held.sum() // 2]))  # a mean of the middle two may overflow
        for kind, early, late in zip(counts.kinds, counts.early, counts.late, strict=True)
        if (own := _partial(x[chosen], late[chosen], early[chosen])) is not None
    ]
    return max(found, key=lambda one: one.least, default=None)


def _partial(x: Floats, late: Floats, early: Floats) -> float | None:
    """Correlate ranks of x and late, given early; None where too few leads or values are left.

    Formula: (r_xl - r_xe r_el) / sqrt((1 - r_xe^2)(1 - r_el^2)).

    Source: M. G. Kendall (1942), doi:10.1093/biomet/32.3-4.277.
    """
    if len(x) < LEAST:
        return None
    own, before, after = ranks(x), ranks(early), ranks(late)
    with_late, with_early, both = correlation(own, after), correlation(own, before), correlation(before, after)
    left = (1 - with_early**2) * (1 - both**2)
    return float((with_late - with_early * both) / np.sqrt(left)) if left > 1e-9 else None


def _least(own: float, n: int) -> float:
    """Give the lower end of the interval of a correlation, tanh(atanh(r) - 3 / sqrt(n - 3)).

    Source: R. A. Fisher (1915), doi:10.1093/biomet/10.4.507.
    """
    return float(np.tanh(np.arctanh(np.clip(own, -0.999999, 0.999999)) - 3 / np.sqrt(n - 3)))
