import numpy as np
import polars as pl
import pytest

from leadlight.schema import DAY
from tests.training import audited
from training.audit_later import _least, follows, later


@pytest.fixture(scope="module")
def made():
    return audited.frames()


@pytest.fixture(scope="module")
def counted(made):
    known = audited.known(made)
    return known, later(audited.tables(made), known)


def counts_of(made, known, until):
    log = made["activities"].join(made["leads"].select("lead_id", "created_at"), on="lead_id").filter(until)
    per_lead = log.group_by("lead_id").len()
    return known.frame.join(per_lead, on="lead_id", how="left", maintain_order="left")["len"].fill_null(0)


def test_a_count_that_goes_on_follows_later_activity(made, counted):
    known, counts = counted
    whole = counts_of(made, known, pl.lit(value=True))
    found = follows(whole, counts)
    assert found.correlation > 0.8
    assert found.kind in counts.kinds


def test_a_count_of_the_first_day_does_not(made, counted):
    known, counts = counted
    early = counts_of(made, known, pl.col("occurred_at") < pl.col("created_at") + DAY)
    assert follows(early, counts).correlation < 0.2


def test_an_honest_number_does_not(counted):
    known, counts = counted
    assert follows(known.frame["interest"], counts).correlation < 0.2


def test_nothing_to_compare_gives_nothing(made, counted):
    known, counts = counted
    assert follows(pl.Series([None] * len(known), dtype=pl.Float64), counts) is None
    assert follows(pl.Series(np.ones(len(known))), counts).correlation == 0.0
    assert follows(pl.Series([np.inf] * len(known)), counts).correlation == 0.0
    assert later(audited.tables({**made, "activities": made["activities"].clear()}), known).kinds == ()


def test_few_leads_prove_little():
    assert _least(0.5, 10_000) > 0.45
    assert _least(0.5, 30) < 0.1
    assert _least(1.0, 30) < 1.0
