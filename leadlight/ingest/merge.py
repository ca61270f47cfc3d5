"""Staged rows joined to what is stored: by key, the newest wins, and each row's fate is counted.

Rows are compared by 64-bit hashes of their content and told apart by 128 bits of their keys, so that only a few
numbers a row are held in memory; the rows themselves stream from file to file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from leadlight.ingest.staging import FILE, ORIGIN, OUT, ROW

STATUS: Final = "__status__"
_KEY: Final = ["__key_a__", "__key_b__"]
_CONTENT: Final = "__content__"
_STORED_BEFORE: Final = -(2**31)  # output of rows that are in the tables already
_SEEDS: Final = (11, 23)
_FATES: Final[dict[str, type[pl.DataType]]] = {OUT: pl.Int32, FILE: pl.Int32, STATUS: pl.String, "len": pl.UInt32}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged table.

    Attributes:
        rows: one row per key, with the table's columns.
        fates: `OUT`, `FILE`, `STATUS` (stored, updated, duplicates), `len`: how many staged rows became what.
        changed: the rows that came and those that had to go, with the table's columns.
    """

    rows: pl.LazyFrame
    fates: pl.DataFrame
    changed: pl.LazyFrame


def merge(old: pl.LazyFrame, new: pl.LazyFrame, key: Sequence[str], columns: Sequence[str]) -> Merged:
    """Merge by key; the order of time is: what is stored, then staged rows by file and row.

    Args:
        old: stored rows with `columns`, one per key.
        new: staged rows with `columns` and `ORIGIN`, which tells each of them apart.
        key: columns that tell rows apart, never null.
        columns: columns of the table, key included.
    """
    whole = pl.struct(key) if len(key) > 1 else pl.col(key[0])
    hashes = [whole.hash(seed).alias(name) for seed, name in zip(_SEEDS, _KEY, strict=True)]
    old, new = old.with_columns(hashes), new.with_columns(hashes)
    contested = _contested(old, new)
    content = pl.struct(columns).hash(_SEEDS[0]).alias(_CONTENT)
    origin = [pl.lit(_STORED_BEFORE).cast(kind).alias(name) for name, kind in ORIGIN.items()]
    narrow = pl.concat(
        [
            old.join(contested.lazy(), on=_KEY, how="semi").select(*_KEY, content, *origin),
            new.join(contested.lazy(), on=_KEY, how="semi").select(*_KEY, content, *ORIGIN),
        ]
    )
    chained = chain(narrow.collect(engine="streaming"))
    winners = chained.filter(pl.col(STATUS) != "duplicates").unique(subset=_KEY, keep="last", maintain_order=True)
    winners = winners.filter(pl.col(OUT) != _STORED_BEFORE)
    losers = chained.select(list(ORIGIN)).join(winners, on=list(ORIGIN), how="anti")
    stay = old.join(winners.lazy(), on=_KEY, how="anti").select(columns)
    go = old.join(winners.lazy(), on=_KEY, how="semi").select(columns)
    come = new.join(losers.lazy(), on=list(ORIGIN), how="anti").select(columns)
    return Merged(pl.concat([stay, come]), _fates(new, contested, chained), pl.concat([go, come]))


def _contested(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.DataFrame:
    """Give the hashed keys that occur more than once in old and new together (at least once in new)."""
    mine = new.select(_KEY).collect(engine="streaming")
    twice = mine.filter(mine[_KEY[0]].is_duplicated())
    known = old.select(_KEY).join(mine.lazy(), on=_KEY, how="semi").collect(engine="streaming")
    return pl.concat([twice, known]).unique()


def chain(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort hashed rows by key and time and give each a `STATUS` by comparing it with the one before it of its key."""
    ordered = rows.sort([*_KEY, FILE, ROW, OUT])
    first = pl.int_range(pl.len()) == 0
    same_key = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in _KEY)
    same = pl.col(_CONTENT) == pl.col(_CONTENT).shift(1)
    status = (
        pl.when(first | ~same_key)
        .then(pl.lit("stored"))
        .when(same)
        .then(pl.lit("duplicates"))
        .otherwise(pl.lit("updated"))
    )
    return ordered.with_columns(status.alias(STATUS))


def _fates(new: pl.LazyFrame, contested: pl.DataFrame, chained: pl.DataFrame) -> pl.DataFrame:
    calm = new.join(contested.lazy(), on=_KEY, how="anti").group_by(OUT, FILE).len().collect(engine="streaming")
    settled = chained.filter(pl.col(OUT) != _STORED_BEFORE).group_by(OUT, FILE, STATUS).len()
    parts = [calm.with_columns(pl.lit("stored").alias(STATUS)), settled]
    named = [part.select(pl.col(name).cast(kind) for name, kind in _FATES.items()) for part in parts]
    return pl.concat(named).group_by(OUT, FILE, STATUS).agg(pl.col("len").sum())


def upsert(old: pl.DataFrame, outputs: dict[int, pl.DataFrame], key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Merge leads or accounts: each output replaces the columns that it maps and leaves the others alone.

    Args:
        old: stored rows.
        outputs: staged rows per output with the columns that it maps and `ORIGIN`.
        key: the id column.

    Returns:
        The merged table and the fates.
    """
    current, fates = old, [pl.DataFrame(schema=_FATES)]
    for rows in outputs.values():
        columns = [name for name in rows.columns if name not in ORIGIN]
        blank = [pl.lit(None, dtype=rows.schema[name]).alias(name) for name in columns if name not in current.columns]
        current = current.with_columns(blank)
        merged = merge(current.lazy().select(columns), rows.lazy(), [key], columns)
        fates.append(merged.fates.select(list(_FATES)))
        kept = current.select(key, *(name for name in current.columns if name not in columns))
        current = merged.rows.collect().join(kept, on=key, how="left")
    return current, pl.concat(fates)
