"""What an engine has to do itself: read tables, join in order, keep intermediate results, and give rows back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from features.expressions.assemble import Records
from features.expressions.frame import Frame
from leadlight.schema import TableName
from leadlight.spec import FeatureSpec

if TYPE_CHECKING:
    import polars as pl

    from features.tables import Tables

EngineName = Literal["polars", "duckdb", "pandas", "pyspark"]
ENGINES: Final[tuple[EngineName, ...]] = get_args(EngineName)


class Engine(Protocol):
    """One way to compute.

    `Tables` hold native frames of the engine; `Frame`s are Narwhals frames around them.
    """

    name: EngineName

    def read(self, paths: Mapping[TableName, Path]) -> "Tables":
        """Open Parquet files (or folders of them) as native frames with instants as int64 µs."""
        ...

    def records(self, tables: "Tables") -> Records:
        """Wrap native tables."""
        ...

    def rows(self, rows: "pl.DataFrame") -> Frame:
        """Bring snapshots (ROW 0 to n - 1 in order, as `batch.compute` gives them), or another small frame."""
        ...

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join snapshots and activities (see `assemble.meeting`); an eager result is in order."""
        ...

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Give ROW and the age of the newest activity that counts at each snapshot that has one."""
        ...

    def keep(self, frame: Frame) -> Frame:
        """Keep a frame that is read more than once."""
        ...

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Compute the parts and put them together (see `assemble.together`)."""
        ...

    def to_polars(self, frame: Frame) -> "pl.DataFrame":
        """Give a result as a Polars frame."""
        ...

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write a result as Parquet: lead_id, as_of (timestamp[us, UTC]) and the other columns under their names.

        Args:
            frame: the result, with ROW.
            path: a file in an existing folder; Spark writes its own part files into that folder instead.
            names: column -> name of the feature.
        """
        ...
