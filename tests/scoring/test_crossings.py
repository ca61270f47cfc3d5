import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.schema import DAY
from scoring.crossings import WEEK, Scored, curve, grid, records

START, END = 10 * WEEK, 14 * WEEK

ROW = st.tuples(
    st.integers(0, 5),  # lead
    st.integers(0, 15 * 7).map(lambda day: day * DAY),
    st.one_of(st.integers(-3, 12).map(float), st.floats(-3, 12)),
    st.booleans(),
    st.sampled_from([0.0, 1.0, math.nan]),
)
ROWS = st.lists(ROW, max_size=40, unique_by=lambda row: row[:2])


def scored(rows: list[tuple]) -> Scored:
    lead, as_of, score, at_lead, label = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Scored(
        np.array(lead, dtype=np.int64),
        np.array(as_of, dtype=np.int64),
        np.array(score, dtype=np.float64),
        np.array(at_lead, dtype=np.bool_),
        np.array(label, dtype=np.float64),
    )


def measured(rows: list[tuple], winners: tuple[int, ...] = (), new_leads: int = 10) -> dict:
    return curve(
        scored(rows),
        start=START,
        end=END,
        winners=np.array(winners, dtype=np.int64),
        new_leads=new_leads,
        basis="model",
        target="sql",
        horizon_us=60 * DAY,
    )


def first_crossings(rows: list[tuple], threshold: float) -> dict[int, tuple]:
    """The definition, in plain words: per lead its first row at stage `lead` with a score at or above the threshold."""
    found: dict[int, tuple] = {}
    for row in sorted(rows, key=lambda row: row[1]):
        if row[3] and row[2] >= threshold and row[0] not in found:
            found[row[0]] = row
    return found


@settings(max_examples=120, deadline=None)
@given(rows=ROWS, winners=st.sets(st.integers(0, 7)).map(tuple))
def test_the_sweep_counts_what_the_definition_says(rows, winners):
    result = measured(rows, winners)
    json.dumps(result, allow_nan=False)
    inside = [row[2] for row in rows if row[3] and START <= row[1] < END]
    if not inside:
        assert result["rows"] == []
    for number, row in enumerate(result["rows"]):
        crossed = first_crossings(rows, row["threshold"])
        period = [found for found in crossed.values() if START <= found[1] < END]
        mature = [found for found in period if not math.isnan(found[4])]
        assert row["crossings"] == len(period)
        assert row["mature"] == len(mature)
        assert row["reached"] == sum(found[4] == 1.0 for found in mature)
        assert row["mqls_per_week"] == len(period) / 4
        assert row["lead_to_mql"] == len(period) / 10
        caught = {lead for lead, found in crossed.items() if found[1] < END} & set(winners)
        assert row["wins_share"] == (len(caught) / len(winners) if winners else None)
        weeks = [sum((found[1] - START) // WEEK == week for found in period) for week in range(4)]
        assert result["by_week"]["crossings"][number] == weeks


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 100))
def test_the_order_of_rows_does_not_matter(rows, seed):
    shuffled = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]
    assert measured(rows) == measured(shuffled)


def test_a_crossing_before_the_period_is_no_first_one():
    before = (0, START - DAY, 10.0, True, 1.0)
    inside = (0, START + DAY, 10.0, True, 1.0)
    assert measured([inside])["rows"][0]["crossings"] == 1
    assert all(row["crossings"] == 0 for row in measured([before, inside])["rows"])


def test_records_of_an_empty_log_are_empty():
    assert len(records(scored([])).lead) == 0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="not finite"):
        scored([(0, 0, math.nan, True, 1.0)])
    with pytest.raises(InputError, match="too wide"):
        grid(np.array([0.0, 1e9]))
    with pytest.raises(InputError, match="period is empty"):
        curve(
            scored([]),
            start=5,
            end=5,
            winners=np.array([], dtype=np.int64),
            new_leads=0,
            basis="rules",
            target="sql",
            horizon_us=None,
        )


def test_two_hundred_thousand_rows_take_well_under_a_second():
    random = np.random.default_rng(1)
    n = 200_000
    rows = Scored(
        random.integers(0, 20_000, n),
        random.integers(0, 14 * WEEK, n),
        random.normal(40, 15, n),
        random.random(n) < 0.8,
        random.integers(0, 2, n).astype(float),
    )
    begin = time.perf_counter()
    curve(
        rows,
        start=START,
        end=END,
        winners=np.arange(500),
        new_leads=100,
        basis="model",
        target="sql",
        horizon_us=None,
    )
    assert time.perf_counter() - begin < 2
