import numpy as np
import polars as pl
import pytest

from leadlight.schema import DAY, HOUR
from tests.training import audited
from training.audit_signs import of_type
from training.audit_types import by_type


@pytest.fixture(scope="module")
def made():
    return audited.frames()


def with_type(made, at, chosen, name="extra"):
    rows = made["leads"].filter(chosen).select("lead_id", occurred_at=at, type=pl.lit(name), actor=pl.lit("sales"))
    rows = rows.with_row_index("activity_id").with_columns(pl.col("activity_id").cast(pl.String))
    return {**made, "activities": pl.concat([made["activities"], rows], how="diagonal_relaxed")}


def evidence(made, name="extra"):
    return by_type(audited.tables(made), audited.known(made)).judged[name]


def verdict(made, name="extra"):
    sign = of_type(evidence(made, name))
    return "ok" if sign is None else sign.verdict


def test_honest_types_are_fine(made):
    assert {verdict(made, name) for name in ("page_view", "mail_open", "call")} == {"ok"}


def test_a_type_at_the_outcome_is_a_leak(made):
    sent = with_type(made, pl.col("outcome") - HOUR, pl.col("wins"))
    assert verdict(sent) == "leak"
    assert evidence(sent).before == 0


def test_a_type_only_after_the_outcome_is_a_leak(made):
    after = with_type(made, pl.col("outcome") + 10 * DAY, pl.col("wins") | pl.col("loses"))
    assert verdict(after) == "leak"
    assert evidence(after).after == 1.0


def test_a_type_that_goes_on_after_the_outcome_is_fine(made):
    both = with_type(made, pl.col("created_at") + 2 * DAY, pl.lit(value=True))
    both = with_type(both, pl.col("outcome") + 10 * DAY, pl.col("wins"))
    assert verdict(both) == "ok"


def test_a_stage_mapped_as_activity_is_named(made):
    stage = with_type(made, pl.col("outcome"), pl.col("loses"), "rejected")
    found = evidence(stage, "rejected")
    assert (found.stage, found.stage_share) == ("lost", 1.0)
    assert "at the very entry into `lost`" in of_type(found).why


def test_a_rare_type_is_seen_but_not_judged(made):
    rare = with_type(made, pl.col("outcome"), pl.col("wins") & (pl.int_range(pl.len()) < 40))
    found = by_type(audited.tables(rare), audited.known(rare))
    assert "extra" in found.seen
    assert "extra" not in found.judged


def test_a_type_late_in_the_record_is_not_read(made):
    late = with_type(made, pl.lit(audited.CUT, pl.Int64), pl.lit(value=True))
    assert "extra" not in by_type(audited.tables(late), audited.known(late)).seen


def test_leads_decided_at_once_do_not_accuse_what_happens_at_creation(made):
    """Where most outcomes come within minutes of the creation, so does everything else."""
    soon = made["leads"].with_columns(outcome=pl.col("created_at") + HOUR)
    stages = made["stages"].join(soon.select("lead_id", "outcome"), on="lead_id")
    stages = stages.with_columns(entered_at="outcome").drop("outcome")
    registered = with_type({**made, "leads": soon, "stages": stages}, pl.col("created_at") + 1, pl.lit(value=True))
    assert verdict(registered) == "ok"


def test_numbers_are_shares(made):
    found = evidence(with_type(made, pl.col("outcome"), pl.col("wins")))
    assert 0 <= found.at_least <= found.at <= 1
    assert 0 <= found.after_least <= found.after <= 1
    assert found.activities == found.leads
    assert np.isclose(found.stage_share, 1.0)
