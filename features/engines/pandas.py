"""pandas: frames as input, for notebooks; small logs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl

from features.engines.base import EngineName
from features.expressions import assemble
from features.expressions.frame import ORDER, ROW, Frame
from features.tables import Tables, instants_as_integers
from leadlight.schema import TableName
from leadlight.spec import FeatureSpec


class PandasEngine:
    """Features on pandas frames; columns become Arrow-backed, so that null is null."""

    name: EngineName = "pandas"

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Read Parquet files whole."""
        read = {
            name: _arrow_backed(instants_as_integers(pl.scan_parquet(path), name).collect())
            for name, path in paths.items()
        }
        return Tables(read["leads"], read["activities"], read["stages"], read["attribute_changes"])

    def records(self, tables: Tables) -> assemble.Records:
        """Wrap frames."""
        frames: list[Any] = [
            nw.from_native(frame.convert_dtypes(dtype_backend="pyarrow"), eager_only=True)
            for frame in (tables.leads, tables.activities, tables.stages, tables.changes)
        ]
        return assemble.Records(*frames)

    def rows(self, rows: pl.DataFrame) -> Any:
        """Convert snapshots."""
        return nw.from_native(_arrow_backed(rows), eager_only=True)

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join, then put into the order of snapshots and time."""
        return assemble.meeting(rows, activities, specs).sort(ROW, *ORDER)

    def keep(self, frame: Frame) -> Frame:
        """Give the frame: it is computed already."""
        return frame

    def collect(self, parts: Iterable[Frame]) -> list[Frame]:
        """Give the parts: they are computed already."""
        return list(parts)

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Convert, snapshots in order."""
        return pl.from_pandas(frame.to_native()).sort(ROW)

    def write(self, frame: Frame, folder: Path) -> None:
        """Write one part."""
        self.to_polars(frame).drop(ROW).write_parquet(folder / "part-00000.parquet", compression="lz4")


def _arrow_backed(frame: pl.DataFrame) -> pd.DataFrame:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_pandas(types_mapper=pd.ArrowDtype)
