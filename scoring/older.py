"""How many scored leads are older than what was tested: from tables, and so apart from what the service loads."""

from dataclasses import replace

import polars as pl

from features import hygiene, tables
from scoring import age
from scoring.cluster import Job


def count(job: Job, frame: pl.DataFrame) -> int:
    """Count the scored leads (`lead_id` of the frame) that are older than what was tested."""
    limit = age.oldest(job.bundle)
    if limit is None:
        return 0
    raw = tables.read(job.room)
    bare = replace(raw, activities=raw.activities.head(0))  # no activity decides when a lead was created
    created = hygiene.tables_for(job.room, job.settings, bare).leads.select("lead_id", "created_at").collect()
    return frame.join(created, on="lead_id").filter(job.instant - pl.col("created_at") > limit).height
