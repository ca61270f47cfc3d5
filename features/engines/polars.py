"""Polars: the default. Frames are kept in order, so that neighbours in time cost a shift."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import numpy as np
import polars as pl

from features.engines.base import EngineName
from features.expressions.assemble import Records
from features.expressions.frame import ORDER, ROW, Frame, marked
from features.expressions.runs import first_place
from features.tables import Tables, instants_as_integers
from leadlight.schema import TableName
from leadlight.spec import FeatureSpec
from leadlight.timeline import KNOWN_AT_ONCE, Instants

_FEW_VALUES: Final = frozenset({"type", "actor", "channel"})  # compared often: as codes, not texts


class PolarsEngine:
    """Features on Polars frames."""

    name: EngineName = "polars"

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Scan Parquet files."""
        scans = {name: instants_as_integers(pl.scan_parquet(path), name) for name, path in paths.items()}
        return Tables(scans["leads"], scans["activities"], scans["stages"], scans["attribute_changes"])

    def records(self, tables: Tables) -> Records:
        """Wrap lazy frames; the log is put into order once."""
        log = tables.activities.lazy().collect()
        log = log if tables.in_order else _in_order(log)
        log = log.with_columns(pl.col(name).cast(pl.Categorical) for name in log.columns if name in _FEW_VALUES)
        frames = (tables.leads.lazy(), log.lazy(), tables.stages.lazy(), tables.changes.lazy())
        return Records.of(*(nw.from_native(frame) for frame in frames))

    def rows(self, rows: pl.DataFrame) -> Frame:
        """Make snapshots lazy."""
        frame: Frame = nw.from_native(rows.lazy())
        return frame

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Any:
        """Take for each snapshot the run of its lead's activities before as_of, in the order of snapshots and time.

        A lead's activities lie together and in order (else they are sorted), so a run is found by its boundaries and a
        binary search; nothing is hashed, and what is later than as_of is never touched.
        """
        log, row, as_of, start, end = _asked(rows, activities, specs)
        apart = bool((start[1:] >= end[:-1]).all())  # each activity counts at one snapshot at most
        chosen = _of_runs_apart if apart else _of_runs
        met, run = chosen(log, as_of, start, end)
        ages = pl.Series("age", as_of[run]) - met["occurred_at"]
        met = met.drop("occurred_at").with_columns(pl.Series(ROW, row[run]).set_sorted(), ages)
        return nw.from_native(met, eager_only=True)

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activities by binary search, and step back over what was not known yet."""
        log, row, as_of, start, end = _asked(rows, activities, ())
        received = log["received_at"].fill_null(KNOWN_AT_ONCE).to_numpy()
        last = end - 1
        open_ = np.arange(len(last))  # what was not known yet is stepped over
        while len(open_ := open_[(last[open_] >= start[open_]) & (received[last[open_]] >= as_of[open_])]):
            last[open_] -= 1
        there = last >= start
        age = as_of[there] - log["occurred_at"].to_numpy()[last[there]]
        frame: Frame = nw.from_native(pl.LazyFrame({ROW: row[there], "age": age}))
        return frame

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once."""
        native = frame.to_native()
        kept: Frame = nw.from_native(native.lazy().collect().lazy())
        return kept

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Put the parts' values into their places: snapshots are numbered in order, so nothing has to be joined."""
        asked = rows.to_native().select(ROW, "lead_id", "as_of").sort(ROW).collect()
        empty = {spec.name: 0.0 if spec.facts.empty == "zero" else np.nan for spec in specs}
        columns = {name: np.full(asked.height, value) for name, value in empty.items()}
        for part in pl.collect_all([part.to_native().lazy() for part in parts], engine="streaming"):
            places = part[ROW].to_numpy()
            for values in part.drop(ROW).cast(pl.Float64):
                columns[values.name][places] = values.fill_null(empty[values.name]).to_numpy()
        filled = [pl.Series(name, values, nan_to_null=True) for name, values in columns.items()]
        frame: Frame = nw.from_native(asked.with_columns(filled).lazy())
        return frame

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Collect, snapshots in order."""
        native: pl.LazyFrame = frame.to_native().lazy()
        return native.sort(ROW).collect()

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part."""
        native: pl.LazyFrame = frame.to_native().lazy()
        write_part(native.sort(ROW).drop(ROW).collect(), path, names)


def write_part(frame: pl.DataFrame, path: Path, names: Mapping[str, str]) -> None:
    """Write a result as Parquet (see `Engine.write`)."""
    instant = pl.col("as_of").cast(pl.Datetime("us", "UTC"))
    frame.with_columns(instant).rename(names).write_parquet(path, compression="lz4")


def _of_runs_apart(log: pl.DataFrame, as_of: Instants, start: Instants, end: Instants) -> tuple[pl.DataFrame, Instants]:
    """Take the activities that were known, and the run of each; no two runs share one, so a mask is enough."""
    lengths = np.stack([start - np.concatenate(([0], end[:-1])), end - start], axis=1).ravel()
    mask = np.repeat(np.tile([False, True], len(start)), lengths)
    mask = np.concatenate([mask, np.zeros(log.height - len(mask), dtype=np.bool_)])
    received = log["received_at"]
    told = received.is_not_null().arg_true().to_numpy()  # few are known later than they occur
    told = told[mask[told]]
    run = np.searchsorted(start, told, side="right") - 1
    late = received.gather(told).to_numpy() >= as_of[run]
    mask[told[late]] = False
    known = end - start - np.bincount(run[late], minlength=len(start))
    return log.drop("lead_id", "received_at").filter(pl.Series(mask)), np.repeat(np.arange(len(start)), known)


def _of_runs(log: pl.DataFrame, as_of: Instants, start: Instants, end: Instants) -> tuple[pl.DataFrame, Instants]:
    """Take the activities that were known, and the run of each; an activity counts at several snapshots."""
    known = end - start
    first = np.cumsum(known) - known  # where each snapshot's run begins in the result
    places = np.arange(known.sum()) + np.repeat(start - first, known)
    run = np.repeat(np.arange(len(start)), known)
    received = log["received_at"]
    told = np.flatnonzero(received.is_not_null().to_numpy()[places])
    late = received.gather(places[told]).to_numpy() >= as_of[run[told]]
    if late.any():
        in_time = np.ones(len(places), dtype=np.bool_)
        in_time[told[late]] = False
        places, run = places[in_time], run[in_time]
    return log.drop("lead_id", "received_at").select(pl.all().gather(places)), run


def _asked(
    rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]
) -> tuple[pl.DataFrame, Instants, Instants, Instants, Instants]:
    """Give the log, and of each snapshot with activities its ROW, as_of and the span of those before as_of."""
    log = marked(activities, specs).to_native().collect()
    if "content" in log.columns:  # only told apart
        log = log.with_columns(pl.col("content").cast(pl.Categorical))
    asked = rows.to_native().select(ROW, "lead_id", "as_of").sort(ROW).collect()
    met = asked.join(_runs(log), on="lead_id", maintain_order="left")
    row, as_of, start, end = (met[name].to_numpy() for name in (ROW, "as_of", "start", "end"))
    at = log["occurred_at"].to_numpy()
    return log, row, as_of, start, first_place(lambda run, place: at[place] < as_of[run], start, end)


def _in_order(log: pl.DataFrame) -> pl.DataFrame:
    """Sort a log unless every lead's activities lie together and in the order of time."""
    at, new = pl.col("occurred_at"), begins("lead_id")
    found = log.select("activity_id", new=new, late=~new & (at < at.shift()), tie=~new & (at == at.shift()))
    ties = found.select(tie="tie", id="activity_id", before=pl.col("activity_id").shift()).filter("tie")
    runs = log.filter(found["new"])
    if found["late"].any() or (ties["id"] < ties["before"]).any() or runs["lead_id"].is_duplicated().any():
        return log.sort("lead_id", *ORDER)
    return log


def _runs(log: pl.DataFrame) -> pl.DataFrame:
    """Give lead_id, start and end (exclusive) of each lead's run of rows."""
    starts = log.select("lead_id", start=pl.int_range(pl.len())).filter(begins("lead_id"))
    return starts.with_columns(end=pl.col("start").shift(-1, fill_value=log.height))


def begins(column: str) -> pl.Expr:
    """Tell of each row whether a run of equal values begins there."""
    return (pl.col(column) != pl.col(column).shift()).fill_null(value=True)
