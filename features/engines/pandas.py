"""pandas: frames as input, for notebooks; small logs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa

from features.engines.base import EngineName
from features.engines.polars import write_part
from features.expressions import assemble
from features.expressions.frame import ORDER, ROW, Frame
from features.tables import Tables, instants_as_integers
from leadlight.errors import InputError
from leadlight.schema import TABLES, ColumnKind, TableName
from leadlight.spec import FeatureSpec
from leadlight.timeline import text

_ARROW: Final[dict[ColumnKind, pd.ArrowDtype]] = {
    "text": pd.ArrowDtype(pa.string()),
    "instant": pd.ArrowDtype(pa.int64()),
    "number": pd.ArrowDtype(pa.float64()),
}


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
        return assemble.Records.of(
            _prepared(tables.leads, "leads"),
            _prepared(tables.activities, "activities"),
            _prepared(tables.stages, "stages"),
            _prepared(tables.changes, "attribute_changes"),
        )

    def rows(self, rows: pl.DataFrame) -> Any:
        """Convert snapshots."""
        return nw.from_native(_arrow_backed(rows), eager_only=True).lazy()

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Any:
        """Join, then put into the order of snapshots and time."""
        return assemble.meeting(rows, activities, specs).sort(ROW, *ORDER).collect()

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activities by a join."""
        return assemble.newest(rows, activities)

    def keep(self, frame: Frame) -> Frame:
        """Give the frame: it is computed already."""
        return frame

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Join the parts."""
        return assemble.together(rows, parts, specs)

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Convert, snapshots in order."""
        return pl.from_pandas(frame.collect().to_native()).sort(ROW)

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part."""
        write_part(self.to_polars(frame).drop(ROW), path, names)


def _prepared(frame: pd.DataFrame, name: TableName) -> Any:
    """Give the columns of a table the types that the expressions expect.

    Raises:
        InputError: a column has no place in time (naive or mixed zones) or the wrong type.
    """
    kinds = TABLES[name]
    columns: dict[str, pd.Series] = {}
    for column, values in frame.items():
        kind = kinds.get(str(column))
        try:
            if values.isna().all():
                nothing = pd.Series([None] * len(values), index=values.index)
                columns[str(column)] = nothing.astype(_ARROW[kind or "text"])
            elif kind == "instant":
                columns[str(column)] = _instants(values, f"{name}.{column}")
            elif kind is not None:
                columns[str(column)] = values.astype(_ARROW[kind])
            else:
                columns[str(column)] = _attribute(values)
        except (ValueError, TypeError, pa.ArrowInvalid) as wrong:
            raise InputError(f"{name}.{column} cannot be read as {kind} ({wrong}); convert the column") from wrong
    return nw.from_native(pd.DataFrame(columns), eager_only=True).lazy()


def _attribute(values: pd.Series) -> pd.Series:
    """Give a column of any type an Arrow type; values of several types become texts."""
    plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
    found = plain.convert_dtypes(dtype_backend="pyarrow")
    if not pd.api.types.is_object_dtype(found.dtype):
        return found
    try:
        arrow = pa.array(plain, from_pandas=True)
    except pa.ArrowException:
        arrow = pa.array([text(value) for value in plain.where(plain.notna(), None)], pa.string())
    return pd.Series(pd.arrays.ArrowExtensionArray(arrow), index=values.index)


def _instants(values: pd.Series, where: str) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.as_unit("us").astype("int64").where(values.notna())
    elif pd.api.types.is_datetime64_dtype(values.dtype) or _holds_datetimes(values):
        raise InputError(
            f"{where} holds times without a zone or of mixed zones; convert it: pandas.to_datetime(column, utc=True)"
        )
    return values.astype(_ARROW["instant"])


def _holds_datetimes(values: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(values.dtype) and any(isinstance(value, datetime) for value in values)


def _arrow_backed(frame: pl.DataFrame) -> pd.DataFrame:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_pandas(types_mapper=pd.ArrowDtype)
