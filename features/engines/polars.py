"""Polars: the default. Frames are kept in order, so that neighbours in time cost a shift."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from features.engines.base import EngineName
from features.expressions.assemble import Records, columns_of
from features.expressions.frame import ROW, Frame
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
        taken = ["lead_id", "occurred_at", "received_at", *columns_of(specs)]
        log: pl.DataFrame = activities.to_native().select(taken).collect()
        if not _in_order(log):
            log = log.sort("occurred_at", "activity_id")
        known = (pl.col("occurred_at") < pl.col("as_of")) & (
            pl.col("received_at").is_null() | (pl.col("received_at") < pl.col("as_of"))
        )
        met = (
            rows.to_native()
            .join(log.lazy(), on="lead_id", maintain_order="left_right")
            .filter(known)
            .with_columns(age=pl.col("as_of") - pl.col("occurred_at"))
            .drop("lead_id", "as_of", "received_at")
        )
        return nw.from_native(met.collect(), eager_only=True)

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

    def write(self, frame: Frame, folder: Path) -> None:
        """Write one part."""
        self.to_polars(frame).drop(ROW).write_parquet(folder / "part-00000.parquet", compression="lz4")


def _in_order(log: pl.DataFrame) -> bool:
    """Check that every lead's activities stand in the order of time, whatever the order of leads."""
    same = pl.col("lead_id") == pl.col("lead_id").shift()
    at, before = pl.col("occurred_at"), pl.col("occurred_at").shift()
    wrong = (at < before) | ((at == before) & (pl.col("activity_id") < pl.col("activity_id").shift()))
    runs = log.select(wrong=(same & wrong).any(), runs=(~same).sum(), leads=pl.col("lead_id").n_unique()).row(0)
    return not runs[0] and (runs[1] or 0) <= max(runs[2] - 1, 0)
