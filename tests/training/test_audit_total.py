import numpy as np
import polars as pl
import pytest

from leadlight import metrics
from leadlight.schema import DAY
from scoring.scale import probabilities
from training.audit_signs import LEAK_AUC
from training.audit_total import total_auc
from training.rows import Rows
from training.settled import ended

HORIZON, SPAN, AGE = 240, 290, 2 * DAY


def young(n=20_000, seed=0, clock=True):
    """Known rows of a record not much longer than the horizon, and what truly tells their outcomes.

    Of the rows whose horizon had not ended the successes alone are known.
    """
    random = np.random.default_rng(seed)
    as_of = np.sort(random.integers(0, SPAN * DAY, n))
    x = random.normal(size=n)
    y = random.random(n) < probabilities(-5 + 1.8 * x)
    took = np.where(y, random.integers(DAY, HORIZON * DAY, n) // 8, HORIZON * DAY)
    frame = pl.DataFrame({"lead_id": [f"lead-{k}" for k in range(n)], "as_of": as_of, "age": np.full(n, AGE)})
    if clock:
        frame = frame.with_columns(known_at=pl.Series(as_of + took))
    rows = Rows(frame, np.empty((n, 0)), np.zeros(n), y.astype(float), np.ones(n))
    known = as_of + took < SPAN * DAY
    return (rows.take(known), x[known]) if clock else (rows, x)


def test_a_clock_among_unsettled_rows_is_no_leak():
    rows, x = young()
    clock = rows.frame["as_of"].to_numpy() / DAY / 20 + 2 * x
    assert metrics.auc(rows.y, clock) > LEAK_AUC  # what a model that follows the calendar reaches on all known rows
    assert total_auc(clock, rows) == pytest.approx(total_auc(x, rows), abs=0.01)


def test_what_truly_tells_counts_as_it_does_where_every_outcome_is_known():
    rows, x = young()
    was = ended(rows)
    assert total_auc(x, rows) == pytest.approx(metrics.auc(rows.y[was], x[was]), abs=0.02)


def test_a_leak_is_seen():
    rows, x = young()
    assert total_auc(x / 10 + rows.y, rows) > LEAK_AUC


def test_leads_are_compared_within_their_cohort_of_creation():
    rows, _ = young(clock=False)
    late = rows.frame["as_of"].to_numpy() > SPAN * DAY / 2
    turned = Rows(rows.frame, rows.X, rows.points, np.where(late, rows.y, 0.0), rows.weight)
    as_of = turned.frame["as_of"].to_numpy().astype(float)
    assert metrics.auc(turned.y, as_of) > 0.7
    assert total_auc(as_of, turned) == pytest.approx(0.5, abs=0.08)


def test_without_a_clock_every_row_counts():
    rows, x = young(clock=False)
    assert total_auc(x, rows) == pytest.approx(metrics.auc(rows.y, x), abs=0.02)


def test_too_few_settled_outcomes_say_nothing():
    rows, x = young()
    was = ended(rows)
    wins = np.flatnonzero(was & (rows.y == 1))
    fewer = np.ones(len(rows), dtype=bool)
    fewer[wins[19:]] = False
    assert total_auc(x[fewer], rows.take(fewer)) is None
    fewer[wins[19]] = True
    assert total_auc(x[fewer], rows.take(fewer)) is not None
    one = Rows(rows.frame.with_columns(lead_id=pl.lit("lead")), rows.X, rows.points, rows.y, rows.weight)
    assert total_auc(x, one) is None
