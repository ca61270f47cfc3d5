"""Which leads a generation of tables knows something else of than the one before, and since when.

A company's features depend on the activities, stages, changes and attributes of its leads alone. A lead counts as
touched if a row of it came, went or changed; so do those that it left behind where it moved to another account.

What became known at an instant says nothing of what is as of that instant or earlier. So activities and stages leave
earlier snapshots as they are. An attribute has no history but its changes, and they say what it was before as well:
where one of the two is different, every snapshot may be.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from leadlight import parquet_file
from leadlight.schema import TableName
from leadlight.workspace import Workspace, file_atomically

KEPT: Final = 400  # so many steps from generation to generation are remembered
SCHEMA: Final = {"lead_id": pl.String(), "since": pl.Int64()}
_KNOWN: Final[Mapping[TableName, pl.Expr]] = {
    "activities": pl.max_horizontal("occurred_at", "received_at"),
    "stages": pl.col("entered_at"),
}
_ALWAYS: Final = pl.lit(None, dtype=pl.Int64)


def leads(
    old: pl.DataFrame, new: pl.DataFrame, changed: Mapping[TableName, pl.LazyFrame], *, ordered: bool = False
) -> pl.DataFrame:
    """Give the leads of which something is different.

    Args:
        old: leads of the generation before.
        new: leads now; none ever goes.
        changed: rows that came or went in other tables, with the table's columns, instants as int64 µs.
        ordered: the clock is `order`: instants are no times.

    Returns:
        lead_id, each once, sorted, and `since` (int64 µs): of the record as of that instant, or of an earlier one,
        nothing is different; null = that cannot be said of any.
    """
    blank = [pl.lit(None, dtype=new.schema[name]).alias(name) for name in new.columns if name not in old.columns]
    before = old.with_columns(blank).select(new.columns)
    differing = new.join(before, on=new.columns, how="anti", nulls_equal=True)
    moved = before.join(new, on=["lead_id", "account_id"], how="anti", nulls_equal=True)
    left_behind = new.join(moved.select("account_id").drop_nulls().unique(), on="account_id", how="semi")
    found = [rows.select("lead_id", since=_ALWAYS) for rows in (differing, left_behind)]
    for table, rows in changed.items():
        since = _ALWAYS if ordered else _KNOWN.get(table, _ALWAYS)
        found.append(earliest(rows.select("lead_id", since=since)))
    return earliest(pl.concat(found).lazy()).sort("lead_id")


def earliest(rows: pl.LazyFrame, of: str = "lead_id") -> pl.DataFrame:
    """Give one row for each value of a column, with the earliest `since`; null, which is earlier than all, wins."""
    since = pl.col("since")
    least = pl.when(~since.is_null().any()).then(since.min())
    found: pl.DataFrame = rows.group_by(of).agg(least).collect(engine="streaming")
    return found


def write(workspace: Workspace, before: str, generation: str, touched: pl.DataFrame) -> None:
    """Remember which leads a generation touched, and forget the oldest steps."""
    with file_atomically(workspace.touched_path(before, generation)) as temporary:
        touched.write_parquet(temporary)
    for step in workspace.touched_steps()[:-KEPT]:
        workspace.touched_path(*step).unlink(missing_ok=True)


def since(workspace: Workspace, generation: str) -> pl.DataFrame | None:
    """Give the leads touched from one generation to the current one.

    Args:
        workspace: where the tables are.
        generation: the one that was current then.

    Returns:
        As `leads`; None where the steps between are not known, or what was kept of one is damaged.
    """
    before = {after: earlier for earlier, after in workspace.touched_steps()}
    steps, current = [], workspace.tables_info().generation
    while current != generation:
        if current not in before:
            return None
        steps.append((before[current], current))
        current = before[current]
    paths = [workspace.touched_path(*step) for step in steps]
    if any(parquet_file.damage(path) is not None for path in paths):
        return None
    parts = [pl.read_parquet(path) for path in paths]
    none = pl.DataFrame(schema=SCHEMA)
    return earliest(pl.concat([none, *parts], how="diagonal").lazy()).sort(
        "lead_id"
    )  # older steps do not say since when
