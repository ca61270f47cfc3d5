"""The time split: which snapshots are learnt from, with which weight, and which are tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import labels, snapshots
from features.tables import Tables
from leadlight import durations
from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.metrics import wilson_interval
from leadlight.schema import Target

Floats = NDArray[np.float64]
HorizonSource = Literal["asked", "champion", "dwell", "usual"]

# Age of the one snapshot of a lead where the data has no clock: one microsecond after creation, before any outcome.
AT_CREATION: Final = 1
CREATION: Final = "creation"
BEGINNING: Final = -(2**62)
# A weight is never larger than this: few rows must not carry the fit.
LARGEST_WEIGHT: Final = 20.0
# A loss is an outcome where the share of lost leads that still succeed within the horizon is surely below this.
FINAL_SHARE: Final = 0.01


def age_named(age_us: int | None) -> str:
    """Name the age of a snapshot; the one that every lead has where there is no clock is its creation.

    >>> age_named(36 * 3_600_000_000), age_named(AT_CREATION), age_named(None)
    ('36h', 'creation', 'creation')
    """
    return CREATION if age_us is None or age_us == AT_CREATION else durations.write(age_us)


def at_age(age_us: int | None) -> str:
    """Say at which age.

    >>> at_age(36 * 3_600_000_000), at_age(AT_CREATION)
    ('at age 36h', 'at creation')
    """
    told = age_named(age_us)
    return f"at {told}" if told == CREATION else f"at age {told}"


@dataclass(frozen=True, slots=True)
class Split:
    """A question and the instants that separate what is learnt from what is tested (µs UTC).

    Attributes:
        target: the stage to be predicted.
        horizon_us: within which time; None = ever (data without a clock).
        cut: training sees what is known at it; testing takes snapshots at or after it.
        until: nothing at or after it is read.
        ages_us: ages of test snapshots.
        train_ages_us: ages of training snapshots.
        horizon_source: asked for, kept from the bundle that serves, from the dwell times before the cut, or usual, as
            nobody had reached the target.
    """

    target: Target
    horizon_us: int | None
    cut: int
    until: int
    ages_us: tuple[int, ...]
    train_ages_us: tuple[int, ...]
    horizon_source: HorizonSource = "asked"

    def __post_init__(self) -> None:
        """Refuse a cut outside the record."""
        if self.cut >= self.until:
            raise InputError(
                f"the cut (--test-from) {iso(self.cut)} must lie before {iso(self.until)}, the end of what is read "
                "(--until, or the end of the record)"
            )


def training_ages(ages_us: Sequence[int]) -> tuple[int, ...]:
    """Give the ages to learn from: those asked for, and every scheduled age up to the largest of them.

    >>> from leadlight.schema import DAY
    >>> [age / DAY for age in training_ages([2 * DAY])]  # doctest: +ELLIPSIS
    [0.041..., 1.0, 2.0]
    """
    largest = max(ages_us)
    return tuple(sorted({*ages_us, *(age for age in snapshots.SCHEDULED_AGES if age <= largest)}))


def training_rows(tables: Tables, split: Split) -> pl.DataFrame:
    """Give the open snapshots before the cut whose outcome is known at the cut, with their weights.

    Known are a success, a horizon that ended without one, and, where lost leads practically never come back within the
    horizon (`losses_are_final`), a loss. Where the record holds no outcome at all (`features.labels.recorded`), none is
    known.

    Returns:
        lead_id, as_of, age (int64 µs), stage, label (0.0 or 1.0), weight (1/G, see `censoring_weights`), known_at
        (int64 µs): when the outcome became known, before the cut; as_of itself where there is no horizon.
    """
    rows = snapshots.scheduled(tables, split.train_ages_us, BEGINNING, split.cut)
    rows = snapshots.open_for(rows, tables, split.target)
    rows = labels.attach(rows, tables, split.target, split.horizon_us, split.cut - 1)
    if split.horizon_us is not None and losses_are_final(tables, split):
        rows = _with_losses(rows, tables, split.horizon_us, split.cut)
    weights = censoring_weights(rows["as_of"].to_numpy(), rows["outcome_us"], split.horizon_us, split.cut)
    took = 0 if split.horizon_us is None else pl.col("outcome_us").fill_null(split.horizon_us)
    rows = rows.with_columns(weight=weights, known_at=pl.col("as_of") + took)
    known = pl.col("label").is_not_null() & labels.recorded(tables, split.target, split.cut)
    return rows.filter(known).drop("outcome_us").sort("lead_id", "as_of")


def losses_are_final(tables: Tables, split: Split) -> bool:
    """Tell whether a loss may count as the outcome, from what was known at the cut.

    It may if, of the losses of open leads before the cut - horizon, the upper 95 % bound of the share that reached the
    target within the horizon after all is below 1 % (it needs a few hundred losses to show).
    """
    if split.horizon_us is None:
        return False
    lost = _losses(tables, split.cut - split.horizon_us).select("lead_id", as_of=pl.col("lost_at")).collect()
    lost = snapshots.open_for(lost, tables, split.target)
    if not lost.height:
        return False
    after = labels.attach(lost, tables, split.target, split.horizon_us, split.cut - 1)["label"].drop_nulls()
    return bool(len(after)) and wilson_interval(int(after.sum()), len(after))[1] < FINAL_SHARE


def _losses(tables: Tables, until: int) -> pl.LazyFrame:
    """Give the first loss of each lead before an instant: lead_id, lost_at."""
    lost = tables.stages.filter(pl.col("stage") == "lost", pl.col("entered_at") < until)
    first: pl.LazyFrame = lost.group_by("lead_id").agg(lost_at=pl.col("entered_at").min())
    return first


def _with_losses(rows: pl.DataFrame, tables: Tables, horizon_us: int, cut: int) -> pl.DataFrame:
    """Count a loss after as_of, within the horizon and before the cut, as a known 0."""
    lost_us = pl.col("lost_at") - pl.col("as_of")
    final = pl.col("label").is_null() & lost_us.is_between(0, horizon_us)
    return (
        rows.lazy()
        .join(_losses(tables, cut), on="lead_id", how="left", maintain_order="left")
        .with_columns(
            label=pl.when(final).then(0.0).otherwise("label"),
            outcome_us=pl.when(pl.col("label") == 1.0)
            .then("outcome_us")
            .when(lost_us.is_between(0, horizon_us))
            .then(lost_us),
        )
        .drop("lost_at")
        .collect()
    )


def test_rows(tables: Tables, split: Split) -> pl.DataFrame:
    """Give every open snapshot at or after the cut whose horizon ends within the record; none is dropped or weighted.

    There are none where the record holds no outcome at all (`features.labels.recorded`).

    Returns:
        lead_id, as_of, age (int64 µs), stage, label (0.0 or 1.0).
    """
    rows = labelled_rows(tables, split)
    mature = pl.lit(value=True) if split.horizon_us is None else pl.col("as_of") + split.horizon_us <= split.until
    known = pl.col("label").is_not_null() & labels.recorded(tables, split.target, split.until)
    return rows.filter(mature, known)


def labelled_rows(tables: Tables, split: Split) -> pl.DataFrame:
    """Give every open snapshot at or after the cut, label null where censored; columns as `test_rows`."""
    rows = snapshots.scheduled(tables, split.ages_us, split.cut, split.until)
    rows = snapshots.open_for(rows, tables, split.target)
    return labels.attach(rows, tables, split.target, split.horizon_us, split.until).drop("outcome_us")


test_rows.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name


def censoring_weights(as_of: NDArray[np.int64], outcome_us: pl.Series, horizon_us: int | None, cut: int) -> Floats:
    """Give each training snapshot the inverse probability that its outcome would be known at the cut.

    Formula: 1 / G(u), u = time to the outcome, capped at the horizon; G(u) = share of training snapshots with
    cut - as_of >= u. A young snapshot is known only if it succeeded quickly; without the weight quick successes are
    over-represented. Weights are capped at 20.

    Source: J. M. Robins, A. Rotnitzky (1992), inverse probability of censoring weighting,
    doi:10.1007/978-1-4757-1229-2_14.

    Args:
        as_of: µs UTC, shape (n,), all open training snapshots, censored ones included.
        outcome_us: time to the outcome, null where none was seen, shape (n,).
        horizon_us: µs; None = every outcome is known, all weights are 1.
        cut: µs UTC.

    Returns:
        Shape (n,), >= 1; of no meaning for censored snapshots.
    """
    if horizon_us is None or not len(as_of):
        return np.ones(len(as_of))
    time = np.minimum(outcome_us.fill_null(horizon_us).to_numpy(), horizon_us)
    room = np.sort(cut - as_of)
    share = 1.0 - np.searchsorted(room, time, side="left") / len(room)
    weights: Floats = 1.0 / np.maximum(share, 1.0 / LARGEST_WEIGHT)
    return weights
