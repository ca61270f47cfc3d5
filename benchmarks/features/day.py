"""A day on which 1 % of the leads had new activity: the same log, as the generation of tables that came after.

The day is in the log already: what an update reads, computes and writes depends on who was touched, not on what the
old rows held, and so its result must equal the full table.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from leadlight.ingest import touched
from leadlight.workspace import Workspace

DAY_SEED: Final = 7
GENERATION: Final = "the-day-after"


def after(before: Workspace, root: Path) -> Workspace:
    """Give a workspace with the tables of another one as its second generation, of which 1 % of the leads is new.

    Args:
        before: its current generation is the first one.
        root: folder of the workspace; it is made, the tables are linked.
    """
    found = Workspace.at(root)
    if found.has_tables():
        return found
    info = before.tables_info()
    folder = found.table_path("leads", GENERATION).parent
    old = before.table_path("leads", info.generation).parent
    shutil.copytree(old, folder, copy_function=os.link)
    touched.write(found, info.generation, GENERATION, one_percent(before).to_frame().sort("lead_id"))
    found.publish_tables(replace(info, generation=GENERATION))
    return found


def one_percent(workspace: Workspace) -> pl.Series:
    """Choose one lead of a hundred."""
    leads = workspace.scan("leads").select("lead_id").sort(pl.col("lead_id").hash(seed=DAY_SEED)).collect()["lead_id"]
    return leads.head(max(len(leads) // 100, 1))
