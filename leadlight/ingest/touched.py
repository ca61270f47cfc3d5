"""Which leads a generation of tables knows something else of than the one before: what need not be computed again.

A company's features depend on the activities, stages, changes and attributes of its leads alone. A lead counts as
touched if a row of it came, went or changed; so do those that it left behind where it moved to another account.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from leadlight.workspace import Workspace, file_atomically

KEPT: Final = 400  # so many steps from generation to generation are remembered


def leads(old: pl.DataFrame, new: pl.DataFrame, changed: Sequence[pl.LazyFrame]) -> pl.DataFrame:
    """Give the leads of which something is different.

    Args:
        old: leads of the generation before.
        new: leads now; none ever goes.
        changed: rows with a lead_id that came or went in other tables.

    Returns:
        Column lead_id, each once, sorted.
    """
    blank = [pl.lit(None, dtype=new.schema[name]).alias(name) for name in new.columns if name not in old.columns]
    before = old.with_columns(blank).select(new.columns)
    differing = new.join(before, on=new.columns, how="anti", nulls_equal=True)
    moved = before.join(new, on=["lead_id", "account_id"], how="anti", nulls_equal=True)
    left_behind = new.join(moved.select("account_id").drop_nulls().unique(), on="account_id", how="semi")
    others = [rows.select("lead_id").unique().collect(engine="streaming") for rows in changed]
    found = [differing.select("lead_id"), left_behind.select("lead_id"), *others]
    return pl.concat(found).unique().sort("lead_id")


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
        Column lead_id, each once; None where the steps between are not known.
    """
    before = {after: earlier for earlier, after in workspace.touched_steps()}
    steps, current = [], workspace.tables_info().generation
    while current != generation:
        if current not in before:
            return None
        steps.append((before[current], current))
        current = before[current]
    parts = [pl.read_parquet(workspace.touched_path(*step)) for step in steps]
    return pl.concat([pl.DataFrame(schema={"lead_id": pl.String}), *parts]).unique().sort("lead_id")
