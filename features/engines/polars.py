"""Polars: the default. Frames are kept in order, so that neighbours in time cost a shift."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from features.engines.base import EngineName
from features.expressions.assemble import Records, columns_of
from features.expressions.frame import ORDER, ROW, Frame
from features.tables import Tables, instants_as_integers
from leadlight.schema import TableName
from leadlight.spec import FeatureSpec


class PolarsEngine:
    """Features on Polars frames."""

    name: EngineName = "polars"

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Scan Parquet files."""
        scans = {name: instants_as_integers(pl.scan_parquet(path), name) for name, path in paths.items()}
        return Tables(scans["leads"], scans["activities"], scans["stages"], scans["attribute_changes"])

    def records(self, tables: Tables) -> Records:
        """Wrap lazy frames."""
        frames = (tables.leads, tables.activities, tables.stages, tables.changes)
        return Records(*(nw.from_native(frame.lazy()) for frame in frames))

    def rows(self, rows: pl.DataFrame) -> Frame:
        """Make snapshots lazy."""
        frame: Frame = nw.from_native(rows.lazy())
        return frame

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Any:
        """Join in the order of snapshots and time."""
        taken = dict.fromkeys(["lead_id", *ORDER, "received_at", *columns_of(specs)])
        log: pl.DataFrame = activities.to_native().select(list(taken)).collect()
        log = (log if _in_order(log) else log.sort(ORDER)).drop("activity_id")
        known = (pl.col("occurred_at") < pl.col("as_of")) & (
            pl.col("received_at").is_null() | (pl.col("received_at") < pl.col("as_of"))
        )
        met = (
            rows.to_native()
            .join(log.lazy(), on="lead_id", maintain_order="right")
            .filter(known)
            .with_columns(age=pl.col("as_of") - pl.col("occurred_at"))
            .drop("lead_id", "as_of", "received_at")
            .collect()
        )
        in_order = met if met[ROW].is_sorted() else met.sort(ROW, maintain_order=True)
        return nw.from_native(in_order, eager_only=True)

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once."""
        native = frame.to_native()
        kept: Frame = nw.from_native(native.lazy().collect().lazy())
        return kept

    def collect(self, parts: Iterable[Frame]) -> list[Frame]:
        """Compute all parts in one go."""
        lazy = [part.to_native().lazy() for part in parts]
        return [nw.from_native(part.lazy()) for part in pl.collect_all(lazy)]

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Collect, snapshots in order."""
        native: pl.LazyFrame = frame.to_native().lazy()
        return native.sort(ROW).collect()

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part."""
        native: pl.LazyFrame = frame.to_native().lazy()
        write_part(native.sort(ROW).collect(), path, names)


def write_part(frame: pl.DataFrame, path: Path, names: Mapping[str, str]) -> None:
    """Write a result as Parquet (see `Engine.write`)."""
    instant = pl.col("as_of").cast(pl.Datetime("us", "UTC"))
    frame.drop(ROW).with_columns(instant).rename(names).write_parquet(path, compression="lz4")


def _in_order(log: pl.DataFrame) -> bool:
    """Check that neighbours of one lead stand in the order of time; what is apart is put together by the join."""
    at, same = pl.col("occurred_at"), pl.col("lead_id") == pl.col("lead_id").shift()
    marked = log.select("activity_id", late=same & (at < at.shift()), tie=same & (at == at.shift()))
    if marked["late"].any():
        return False
    ties = marked.select(tie="tie", id="activity_id", before=pl.col("activity_id").shift()).filter("tie")
    return not (ties["id"] < ties["before"]).any() and log["lead_id"].rle_id().n_unique() == log["lead_id"].n_unique()
