"""Which engines there are, and which one native tables belong to."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from features.engines.base import Engine
from leadlight.errors import InputError

if TYPE_CHECKING:
    from features.tables import Tables


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


def errors(engine: Engine) -> AbstractContextManager[None]:
    """Turn what an engine's own library raises when it cannot go on into an `EngineError`, wherever it computes."""
    if engine.name == "duckdb":
        from features.engines.duckdb import memory_errors  # noqa: PLC0415  (each engine loads its own library only)

        return memory_errors()
    if engine.name == "pyspark":
        from features.engines.spark import spark_errors  # noqa: PLC0415

        return spark_errors()
    return nullcontext()


def of(tables: "Tables") -> Engine:
    """Find the engine to which native tables belong.

    Raises:
        InputError: frames of an unknown kind.
    """
    module = type(tables.leads).__module__.partition(".")[0].lstrip("_")
    if module in {"polars", "pandas"}:
        return get(module)
    if module == "duckdb":
        return get(module, relation=tables.leads)
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
