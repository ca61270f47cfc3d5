"""At which ages leads are learnt and tested where none are asked for: the usual ones, as far as the record shows them.

Most open leads of a company are old, and every open lead is scored. Ages that nothing was learnt of are guesses, so old
ages belong to the usual ones as soon as the training side holds enough leads of them.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from features import snapshots
from features.tables import Tables
from leadlight import durations
from leadlight.schema import DAY, Target
from training.split import BEGINNING

YOUNG: Final = tuple(days * DAY for days in (1, 3, 7, 14, 30, 60))
OLD: Final = tuple(days * DAY for days in (90, 180, 365))
# An old age is usual where the outcomes of so many leads that were open at it are known.
LEAST_LEADS: Final = 200


def usual(tables: Tables, target: Target, horizon_us: int, cut: int) -> tuple[int, ...]:
    """Give the ages in µs, youngest first: 1 to 60 days, and of 90, 180 and 365 days those that the record shows.

    An old age is shown where 200 leads were open for the target at it, a horizon or more before the cut. Nothing at or
    after the cut is looked at.

    Args:
        tables: the tables.
        target: stage to be predicted.
        horizon_us: µs.
        cut: µs UTC.
    """
    grown = snapshots.scheduled(tables, OLD, BEGINNING, cut - horizon_us)
    shown = snapshots.open_for(grown, tables, target)["age"].value_counts()
    leads = dict(shown.iter_rows())
    return (*YOUNG, *(age for age in OLD if leads.get(age, 0) >= LEAST_LEADS))


def shown(asked: Sequence[int], known: pl.DataFrame, test: pl.DataFrame) -> tuple[int, ...]:
    """Give the ages asked for that have rows to learn from and rows to test on, youngest first.

    Args:
        asked: µs.
        known: training rows, with `age` (µs).
        test: test rows, with `age` (µs).
    """
    both = set(known["age"].to_list()) & set(test["age"].to_list())
    return tuple(sorted(age for age in set(asked) if age in both))


def told(asked: Sequence[int], known: pl.DataFrame, test: pl.DataFrame) -> str | None:
    """Name the ages asked for that have rows on one side only or on none; None where there is no such age."""
    missing = sorted(set(asked) - set(shown(asked, known, test)))
    if not missing:
        return None
    named = ", ".join(durations.write(age) for age in missing)
    return f"ages: no snapshots both to learn from and to test on at {named}; leads so old are scored untested"
