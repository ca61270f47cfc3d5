"""Two feature tables, cell by cell."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from features import store
from leadlight.errors import InputError
from leadlight.spec import FeatureSpec

RELATIVE: Final = 1e-9
NOTHING: Final = 1e-12  # two numbers closer than this are equal


@dataclass(frozen=True, slots=True)
class Compared:
    """How many cells were compared, how many differ, and per feature how many (only those with any)."""

    cells: int
    differences: int
    by_feature: dict[str, int]


def compare(ours: Path, theirs: Path, specs: tuple[FeatureSpec, ...]) -> Compared:
    """Compare two tables, each a folder of Parquet files with lead_id, as_of and the features.

    Raises:
        InputError: they do not hold the same snapshots.
    """
    first, second = _table(ours, specs), _table(theirs, specs)
    if not first.select("lead_id", "as_of").equals(second.select("lead_id", "as_of")):
        raise InputError(f"`{ours.name}` and `{theirs.name}` hold different snapshots; both must answer the same ones")
    differing = {spec.name: _differing(first[spec.name], second[spec.name]) for spec in specs}
    found = {name: count for name, count in differing.items() if count}
    return Compared(first.height * len(specs), sum(found.values()), found)


def _differing(first: pl.Series, second: pl.Series) -> int:
    nan = float("nan")  # null is null: a NaN in either table is a difference
    one, other = first.fill_null(nan).to_numpy(), second.fill_null(nan).to_numpy()
    equal = np.isclose(one, other, rtol=RELATIVE, atol=NOTHING, equal_nan=True)
    equal &= (first.is_null() == second.is_null()).to_numpy()
    return int((~equal).sum())


def scan(folder: Path) -> pl.LazyFrame:
    """Scan a table, as_of as int64 µs: one of the product (with its updates), or Parquet files by hand."""
    found = store.scan(folder) if (folder / store.INFO).exists() else pl.scan_parquet(folder / "*.parquet")
    return found.with_columns(pl.col("as_of").cast(pl.Int64))


def _table(folder: Path, specs: tuple[FeatureSpec, ...]) -> pl.DataFrame:
    return scan(folder).select("lead_id", "as_of", *(spec.name for spec in specs)).sort("lead_id", "as_of").collect()
