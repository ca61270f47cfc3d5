"""The predictions file: what each scorer said of every test snapshot, for whoever wants to check the figures."""

from pathlib import Path
from typing import Final

import polars as pl

from leadlight.errors import InputError
from leadlight.workspace import file_atomically

# Columns of a predictions file; as_of is UTC, label is null where censored, any number null where not defined.
PREDICTIONS: Final = pl.Schema(
    {
        "lead_id": pl.String(),
        "as_of": pl.Datetime("us", "UTC"),
        "target": pl.String(),
        "label": pl.Int8(),
        "probability": pl.Float64(),
        "score": pl.Float64(),
        "rule_points": pl.Float64(),
        "rule_probability": pl.Float64(),
    }
)


def write_predictions(frame: pl.DataFrame, path: Path) -> None:
    """Write predictions as Parquet, whole or not at all.

    Args:
        frame: the columns of `PREDICTIONS` (others are left out), as_of as int64 µs or an instant; NaN becomes null.
        path: file to write or replace, its name ending in `.parquet`; folders are made.

    Raises:
        InputError: a column is missing or does not hold what it should, or the name ends otherwise.
    """
    check_name(path)
    missing = [column for column in PREDICTIONS if column not in frame.columns]
    if missing:
        raise InputError(f"predictions lack the columns {', '.join(f'`{column}`' for column in missing)}")
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    try:
        table = frame.with_columns(pl.col(floats).fill_nan(None)).select(list(PREDICTIONS)).cast(PREDICTIONS)
    except pl.exceptions.PolarsError as problem:
        raise InputError(f"predictions cannot be written: {problem}") from problem
    with file_atomically(path) as temporary:
        table.write_parquet(temporary)


def check_name(path: Path) -> None:
    """Refuse a name that does not end in `.parquet` (call it before any long work).

    Raises:
        InputError: it does not.
    """
    if path.suffix != ".parquet":
        raise InputError(f"predictions file `{path.name}` must end in .parquet; rename it")
