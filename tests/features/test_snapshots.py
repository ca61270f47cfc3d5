import polars as pl
import pytest

from features import snapshots
from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR
from tests.features import market

BASE = market.BASE
LEADS = [
    {"lead_id": "a", "created_at": BASE, "industry": None, "size": None},
    {"lead_id": "b", "created_at": BASE + 2 * DAY + HOUR, "industry": None, "size": None},
]


def activity(lead_id, day, received=None):
    return {
        "activity_id": f"{lead_id}{day}",
        "lead_id": lead_id,
        "type": "call",
        "occurred_at": BASE + round(day * DAY),
        "received_at": None if received is None else BASE + round(received * DAY),
        "actor": "sales",
    }


def test_scheduled_ages_fall_into_a_half_open_interval():
    frame = snapshots.scheduled(market.tables(LEADS, [], [], []), [DAY, 3 * DAY], BASE, BASE + 3 * DAY)
    assert frame.rows() == [("a", BASE + DAY, DAY)]


def test_ages_must_be_positive():
    with pytest.raises(InputError, match="positive"):
        snapshots.scheduled(market.tables(LEADS, [], [], []), [0], BASE, BASE + DAY)


def test_one_snapshot_a_day_of_activity_at_the_midnight_that_ends_it():
    tables = market.tables(
        LEADS, [activity("a", 0.2), activity("a", 0.9), activity("a", 1.0), activity("b", 0.5)], [], []
    )
    frame = snapshots.on_activity(tables, BASE, BASE + 10 * DAY)
    assert frame.rows() == [("a", BASE + DAY), ("a", BASE + 2 * DAY)]  # b was not created yet


def test_a_late_arrival_counts_on_the_day_it_became_known():
    tables = market.tables(LEADS, [activity("a", 0.2, received=4.5)], [], [])
    assert snapshots.on_activity(tables, BASE, BASE + 10 * DAY)["as_of"].to_list() == [BASE + 5 * DAY]


@pytest.mark.parametrize(
    ("entries", "stage"),
    [
        ([], "lead"),
        ([("mql", 0)], "mql"),
        ([("mql", 0), ("lead", 1)], "lead"),
        ([("mql", 0), ("lost", 1)], None),
        ([("lost", 0), ("mql", 1)], "mql"),
        ([("sql", 0), ("lead", 1)], None),
        ([("customer", 1)], None),
        ([("sql", 5)], None),
        ([("mql", 5)], "lead"),
        ([("lost", 5)], "lead"),
        ([("sql", 6)], "lead"),
        ([("lead", 1), ("mql", 1)], "mql"),
    ],
)
def test_open_means_not_reached_before_and_not_currently_lost(entries, stage):
    rows = [{"lead_id": "a", "stage": name, "entered_at": BASE + day * DAY} for name, day in entries]
    snapshot = pl.DataFrame({"lead_id": ["a"], "as_of": [BASE + 5 * DAY]})
    out = snapshots.open_for(snapshot, market.tables(LEADS, [], rows, []), "sql")
    assert out["stage"].to_list() == ([] if stage is None else [stage])


def test_everybody_created_before_an_instant():
    assert snapshots.at(market.tables(LEADS, [], [], []), BASE + DAY)["lead_id"].to_list() == ["a"]
