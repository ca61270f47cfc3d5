"""Staged rows joined to what is stored: by key, the newest wins, and each row's fate is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from leadlight.ingest.staging import FILE, ORIGIN, OUT, ROW

STATUS: Final = "__status__"
_HASH: Final = "__hash__"
_STORED_BEFORE: Final = -2  # output of rows that are in the tables already


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged table.

    Attributes:
        rows: one row per key, with the table's columns.
        fates: `OUT`, `FILE`, `STATUS` (stored, updated, duplicates), `len`: how many staged rows became what.
    """

    rows: pl.LazyFrame
    fates: pl.DataFrame


def merge(old: pl.LazyFrame, new: pl.LazyFrame, key: Sequence[str], columns: Sequence[str]) -> Merged:
    """Merge by key; the order of time is: what is stored, then staged rows by file and row.

    Only keys that occur twice are compared in memory; all others stream through.

    Args:
        old: stored rows with `columns`.
        new: staged rows with `columns` and `ORIGIN`.
        key: columns that tell rows apart, never null.
        columns: columns of the table, key included.
    """
    hashed = pl.struct(key).hash() if len(key) > 1 else pl.col(key[0]).hash()
    new, old = new.with_columns(hashed.alias(_HASH)), old.with_columns(hashed.alias(_HASH))
    contested = _contested(old, new)
    if contested.is_empty():
        counts = new.group_by(OUT, FILE).len().collect(engine="streaming")
        rows = pl.concat([old.select(columns), new.select(columns)])
        return Merged(rows, counts.select(OUT, FILE, pl.lit("stored").alias(STATUS), "len"))
    keys = contested.lazy()
    origin = [pl.lit(_STORED_BEFORE).cast(kind).alias(name) for name, kind in ORIGIN.items()]
    both = pl.concat(
        [
            old.join(keys, on=_HASH, how="semi").select(*columns, *origin),
            new.join(keys, on=_HASH, how="semi").select(*columns, *ORIGIN),
        ]
    ).collect()
    chained = chain(both, key, columns)
    calm = new.join(keys, on=_HASH, how="anti")
    winners = chained.unique(subset=list(key), keep="last", maintain_order=True).select(columns)
    rows = pl.concat([old.join(keys, on=_HASH, how="anti").select(columns), calm.select(columns), winners.lazy()])
    stored = calm.group_by(OUT, FILE).len().collect(engine="streaming")
    fates = pl.concat([stored.select(OUT, FILE, pl.lit("stored").alias(STATUS), "len"), _fates(chained)])
    return Merged(rows, fates.group_by(OUT, FILE, STATUS).agg(pl.col("len").sum()))


def _contested(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.DataFrame:
    """Give the hashes of keys that occur more than once in old and new together (each new key at least once)."""
    mine = new.select(_HASH).collect(engine="streaming")
    twice = mine.filter(mine[_HASH].is_duplicated()).unique()
    known = old.select(_HASH).join(mine.lazy(), on=_HASH, how="semi").collect(engine="streaming")
    return pl.concat([twice, known]).unique()


def chain(rows: pl.DataFrame, key: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """Sort rows by key and time and give each a `STATUS` by comparing it with the one before it of the same key."""
    ordered = rows.sort([*key, FILE, ROW, OUT])
    same_key = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in key)
    rest = [name for name in columns if name not in key]
    same = pl.all_horizontal(pl.lit(value=True), *(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in rest))
    first = pl.int_range(pl.len()) == 0
    status = (
        pl.when(first | ~same_key)
        .then(pl.lit("stored"))
        .when(same)
        .then(pl.lit("duplicates"))
        .otherwise(pl.lit("updated"))
    )
    return ordered.with_columns(status.alias(STATUS))


def _fates(chained: pl.DataFrame) -> pl.DataFrame:
    counted = chained.filter(pl.col(OUT) != _STORED_BEFORE).group_by(OUT, FILE, STATUS).len()
    return counted.select(OUT, FILE, STATUS, "len")


def upsert(old: pl.DataFrame, outputs: dict[int, pl.DataFrame], key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Merge leads or accounts: each output replaces the columns that it maps and leaves the others alone.

    Args:
        old: stored rows.
        outputs: staged rows per output with the columns that it maps and `ORIGIN`.
        key: the id column.

    Returns:
        The merged table and the fates.
    """
    current, fates = old, []
    for rows in outputs.values():
        columns = [name for name in rows.columns if name not in ORIGIN]
        blank = [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in columns if name not in current.columns]
        current = current.with_columns(blank)
        merged = merge(current.lazy().select(columns), rows.lazy(), [key], columns)
        fates.append(merged.fates)
        kept = current.select(key, *(name for name in current.columns if name not in columns))
        current = merged.rows.collect().join(kept, on=key, how="left")
    none = pl.DataFrame(schema={OUT: pl.Int32, FILE: pl.Int32, STATUS: pl.String, "len": pl.get_index_type()})
    return current, pl.concat([none, *(part.select(none.columns).cast(none.schema) for part in fates)])
