from dataclasses import replace

import polars as pl
import pytest

from leadlight.schema import DAY, HOUR
from scoring import older
from scoring.cluster import Job
from tests.scoring import market

TESTED = replace(market.bundle("rules"), training={"ages_us": [DAY, 60 * DAY]})


@pytest.mark.parametrize(("bundle", "age", "count"), [(TESTED, 60, 0), (TESTED, 61, 2), (None, 900, 0)])
def test_scored_leads_beyond_the_oldest_tested_age_are_counted(workspace, bundle, age, count):
    """All leads of the market were created an hour before its start."""
    frame = pl.DataFrame({"lead_id": ["lead-3", "lead-5"]})
    job = Job(workspace, bundle, None, market.START + age * DAY - HOUR, "en", 0)
    assert older.count(job, frame) == count
