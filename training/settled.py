"""Rows for features to be learnt from: those whose horizon had ended when the last outcome became known.

Of snapshots younger than the horizon only successes are known. The weights of `training.split` make up for that on
average, not in time: among the newest rows every known one is a success. Whatever grows or shrinks with the calendar
(how many colleagues are on record, how often a new kind of activity happens) tells new rows from old ones, and so,
among the known, successes from failures. Two parameters over rule points cannot follow such a clock; weights of
features and trees do. They are learnt from rows of which none is known because of its outcome, where these hold enough
successes; where they do not, at least no value is learnt of which little but its successes can be known.

Attributes of the simulated market have no turnover: no value comes or goes there. Only a rare value is new now and
then, mostly where the ladder looks at the beginning of a record. So the benchmarks say little of records whose
campaigns come and go; such are made by the tests.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.rows import Rows

Flags = NDArray[np.bool_]
Way = Literal["ended", "without_new_values", "all"]

# Settled rows stand for all where so many of their leads have a success. With fewer, leaving successes out costs a
# little more than a clock does, as long as most successes are settled. A choice, not a law.
LEAST_WINS: Final = 200
# Where most are not, the record is young: then the clock is what features learn first, and costs far more than it does
# later. So many settled ones are enough there.
LEAST_WINS_OF_YOUNG: Final = 50


# A value is new where the share of its rows that are settled is less than so much of that of all rows.
NEW: Final = 0.5


def ended(rows: Rows) -> Flags:
    """Tell of which rows the horizon had ended when the last outcome became known, shape (n,).

    The horizon is the longest time that an outcome took: it is in the rows. Rows that do not say when their outcome
    became known (no clock) have all ended.

    Args:
        rows: training rows; the frame has as_of and known_at.
    """
    if not len(rows) or "known_at" not in rows.frame.columns:
        return np.ones(len(rows), dtype=np.bool_)
    as_of, known_at = (rows.frame[name].to_numpy() for name in ("as_of", "known_at"))
    return np.asarray(as_of + (known_at - as_of).max() <= known_at.max())


def of_ended(rows: Rows) -> Rows:
    """Give the rows whose horizon had ended, freed of the weights of censoring, however few they are."""
    if "weight" not in rows.frame.columns:
        return rows.take(ended(rows))
    frame = rows.frame.with_columns(weight=pl.lit(1.0))
    return replace(rows, frame=frame, weight=rows.weight / rows.frame["weight"].to_numpy()).take(ended(rows))


def settled(rows: Rows, specs: Sequence[FeatureSpec]) -> Rows:
    """Give the rows whose horizon had ended, freed of the weights of censoring; most rows where these are too few.

    Where they are too few, young rows stay with their weights, but for those that hold a new value: a category that few
    settled rows have (a new team, a new campaign), or a value in a column that was empty before. Of such a value little
    but its quick successes is known, and it would look like their cause. Its failures to come, though, are in the
    weights of the failures that stay, so these are lowered until the share of successes is that of all rows again. That
    takes rows with a new value to succeed as often as others do. All young rows could go instead: it supposes nothing,
    but costs most wins of a young record for a few rows of one new value.

    Args:
        rows: training rows; the frame has lead_id, as_of, known_at and weight, the part of `rows.weight` that is due to
            censoring.
        specs: one per column of X.
    """
    return chosen(rows, specs)[0]


def chosen(rows: Rows, specs: Sequence[FeatureSpec]) -> tuple[Rows, Way]:
    """Give what `settled` gives, and which way was taken.

    Returns:
        The rows, and `ended`: those whose horizon had ended, unweighted; `without_new_values`: young ones too, but for
        those that hold a new value, weighted; or `all`: every row as it was.
    """
    if not {"known_at", "weight"} <= set(rows.frame.columns):
        return rows, "all"
    kept = of_ended(rows)
    wins = kept.wins()
    enough = wins >= (LEAST_WINS_OF_YOUNG if 2 * wins < rows.wins() else LEAST_WINS)
    if enough and kept.y.sum() < len(kept):
        return kept, "ended"
    old = ~_holds_new(rows, specs)
    if old.all() or not 0 < rows.y[old].sum() < old.sum():
        return rows, "all"
    return _levelled(rows.take(old), _odds(rows)), "without_new_values"


def _odds(rows: Rows) -> float:
    """Give the weight of successes over that of failures."""
    return float(rows.weight @ rows.y / (rows.weight @ (1 - rows.y)))


def _levelled(rows: Rows, odds: float) -> Rows:
    """Weigh failures until the odds of all rows are those given; it is the part due to censoring that changes."""
    factor = np.where(rows.y == 1, 1.0, _odds(rows) / odds)
    frame = rows.frame.with_columns(weight=pl.col("weight") * pl.Series(factor))
    return replace(rows, frame=frame, weight=rows.weight * factor)


def _holds_new(rows: Rows, specs: Sequence[FeatureSpec]) -> Flags:
    """Tell which rows that have not ended hold a new value, shape (n,)."""
    old = ended(rows)
    found = np.zeros(len(rows), dtype=np.bool_)
    if old.all():
        return found
    for place, spec in enumerate(specs):
        column = rows.X[:, place]
        null = np.isnan(column)
        values = np.unique(np.where(null, -1.0, column) if spec.categorical else null, return_inverse=True)[1]
        settled_share = np.bincount(values, old) / np.bincount(values)
        found |= (settled_share < NEW * old.mean())[values]
    return found & ~old
