import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import labels
from leadlight.errors import InputError
from leadlight.schema import DAY
from tests.features import market

BASE = market.BASE


def table(stages, leads=("a",)):
    rows = [{"lead_id": name, "created_at": BASE, "industry": None, "size": None} for name in leads]
    entries = [{"lead_id": "a", "stage": stage, "entered_at": BASE + round(day * DAY)} for stage, day in stages]
    return market.tables(rows, [], entries, [])


def label(stages, *, at=1.0, target="sql", horizon=10.0, until=100.0):
    snapshot = pl.DataFrame({"lead_id": ["a"], "as_of": [BASE + round(at * DAY)]})
    horizon_us = None if horizon is None else round(horizon * DAY)
    out = labels.attach(snapshot, table(stages), target, horizon_us, BASE + round(until * DAY))
    return out["label"][0], out["outcome_us"][0]


def test_entry_within_the_horizon_is_one_with_its_time():
    assert label([("sql", 5)]) == (1.0, 4 * DAY)


def test_a_later_stage_counts_and_a_loss_before_does_not_matter():
    assert label([("lost", 2), ("customer", 5)])[0] == 1.0


def test_the_far_edge_of_the_horizon_counts_and_one_microsecond_later_does_not():
    assert label([("sql", 11)])[0] == 1.0
    assert label([("sql", 11 + 1 / DAY)])[0] == 0.0


def test_an_entry_at_as_of_itself_is_not_after_it():
    assert label([("sql", 1)])[0] == 0.0


def test_only_the_first_entry_counts():
    assert label([("sql", 0.5), ("sql", 5)])[0] == 0.0


def test_a_young_snapshot_without_outcome_is_censored():
    assert label([], until=10.9) == (None, None)
    assert label([], until=11.0) == (0.0, None)


def test_an_outcome_before_maturity_is_already_known():
    assert label([("sql", 5)], until=6)[0] == 1.0


def test_without_a_clock_every_lead_is_mature():
    assert label([], horizon=None, until=1)[0] == 0.0
    assert label([("sql", 1.5)], horizon=None, until=2)[0] == 1.0


def test_a_horizon_that_is_not_positive_is_refused():
    with pytest.raises(InputError, match="must be > 0"):
        label([], horizon=0.0)


@settings(max_examples=40, deadline=None)
@given(
    entries=st.lists(st.tuples(st.sampled_from(["mql", "sql", "customer"]), st.integers(0, 40)), max_size=4),
    until=st.integers(1, 40),
)
def test_a_label_never_looks_past_observed_until(entries, until):
    seen = [(stage, day) for stage, day in entries if day <= until]
    assert label(entries, until=until) == label(seen, until=until)


def test_the_default_horizon_covers_most_dwell_times_seen_before_the_cut():
    assert labels.dwell_horizon(table([("sql", 3.2)]), "sql", BASE + 50 * DAY) == 4 * DAY
    assert labels.dwell_horizon(table([("sql", 60)]), "sql", BASE + 50 * DAY) is None


@pytest.mark.parametrize(
    ("entries", "recorded"),
    [
        ([("mql", 1)], False),
        ([("mql", 1), ("lost", 2)], True),
        ([("customer", 2)], True),
        ([("sql", 60)], False),
        ([], False),
    ],
)
def test_an_outcome_is_recorded_once_a_lead_reached_the_target_or_was_lost(entries, recorded):
    assert labels.recorded(table(entries), "sql", BASE + 50 * DAY) is recorded
