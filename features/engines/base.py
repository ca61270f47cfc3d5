"""What an engine has to do itself: read tables, join in order, keep intermediate results, and give rows back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, get_args

from features.expressions.assemble import Records
from features.expressions.frame import Frame
from leadlight.errors import InputError
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
        """Bring snapshots (ROW, lead_id, as_of) into the engine."""
        ...

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join snapshots and activities (see `assemble.meeting`); an eager result is in order."""
        ...

    def keep(self, frame: Frame) -> Frame:
        """Keep a frame that is read more than once."""
        ...

    def collect(self, parts: Iterable[Frame]) -> list[Frame]:
        """Compute parts together where that saves work, else leave them lazy."""
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


def get(name: str, **options: Any) -> Engine:
    """Make the engine of a name.

    Args:
        name: one of `ENGINES`.
        options: of the engine: `memory_limit` (DuckDB), `master` (PySpark).

    Raises:
        InputError: no such engine, or it is not installed (the message names the extra).
    """
    makers: dict[str, Callable[..., Engine]] = {
        "polars": _polars,
        "duckdb": _duckdb,
        "pandas": _pandas,
        "pyspark": _pyspark,
    }
    if name not in makers:
        raise InputError.unknown_name("engine", name, makers)
    try:
        return makers[name](**options)
    except ModuleNotFoundError as missing:
        extra = "spark" if name == "pyspark" else "train"
        raise InputError(
            f'engine `{name}` is not installed ({missing}); install it with: pip install "leadlight[{extra}]"'
        ) from missing


def of(tables: "Tables") -> Engine:
    """Find the engine to which native tables belong.

    Raises:
        InputError: frames of an unknown kind.
    """
    module = type(tables.leads).__module__.partition(".")[0].lstrip("_")
    if module in {"polars", "duckdb", "pandas"}:
        return get(module)
    if module == "pyspark":
        return get(module, session=tables.leads.sparkSession)
    raise InputError(
        f"tables are of type `{type(tables.leads).__name__}`; give Polars, pandas, DuckDB or PySpark frames"
    )


def _polars() -> Engine:
    from features.engines.polars import PolarsEngine  # noqa: PLC0415  (each engine loads its own library only)

    return PolarsEngine()


def _duckdb(**options: Any) -> Engine:
    from features.engines.duckdb import DuckDBEngine  # noqa: PLC0415

    return DuckDBEngine(**options)


def _pandas() -> Engine:
    from features.engines.pandas import PandasEngine  # noqa: PLC0415

    return PandasEngine()


def _pyspark(**options: Any) -> Engine:
    from features.engines.spark import SparkEngine  # noqa: PLC0415

    return SparkEngine(**options)
