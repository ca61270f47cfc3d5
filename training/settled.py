"""Rows for features to be learnt from: those whose horizon had ended when the last outcome became known.

Of snapshots younger than the horizon only successes are known. The weights of `training.split` make up for that on
average, not in time: among the newest rows every known one is a success. Whatever grows or shrinks with the calendar
(how many colleagues are on record, how often a new kind of activity happens) tells new rows from old ones, and so,
among the known, successes from failures. Two parameters over rule points cannot follow such a clock; weights of
features and trees do. They are learnt from rows of which none is known because of its outcome, where these hold enough
successes.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from training.rows import Rows

# Settled rows stand for all where so many of their leads have a success. With fewer, leaving successes out costs a
# little more than a clock does, as long as most successes are settled. A choice, not a law.
LEAST_WINS: Final = 200
# Where most are not, the record is young: then the clock is what features learn first, and costs far more than it does
# later. So many settled ones are enough there.
LEAST_WINS_OF_YOUNG: Final = 50


def settled(rows: Rows) -> Rows:
    """Give the rows whose horizon had ended, freed of the weights of censoring; all rows where these are too few.

    The horizon is the longest time that an outcome took, and it ended if that was before the newest outcome became
    known: both are in the rows.

    Args:
        rows: training rows; the frame has lead_id, as_of, known_at and weight, the part of `rows.weight` that is due to
            censoring.
    """
    if not len(rows) or not {"known_at", "weight"} <= set(rows.frame.columns):
        return rows
    as_of, known_at = (rows.frame[name].to_numpy() for name in ("as_of", "known_at"))
    ended = as_of + (known_at - as_of).max() <= known_at.max()
    kept = _uncensored(rows).take(np.asarray(ended))
    wins = _wins(kept)
    enough = wins >= (LEAST_WINS_OF_YOUNG if 2 * wins < _wins(rows) else LEAST_WINS)
    return kept if enough and kept.y.sum() < len(kept) else rows


def _wins(rows: Rows) -> int:
    return rows.frame.filter(pl.Series(rows.y == 1))["lead_id"].n_unique()


def _uncensored(rows: Rows) -> Rows:
    frame = rows.frame.with_columns(weight=pl.lit(1.0))
    return replace(rows, frame=frame, weight=rows.weight / rows.frame["weight"].to_numpy())
