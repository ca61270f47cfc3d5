import tracemalloc

import numpy as np
import polars as pl
import pytest

from features import catalog, online
from features import tables as tables_of
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from rules import engine, parse
from scoring.columns import Columns
from tests.training import market
from training import rows as rows_module
from training.rows import LARGEST, _steady, gather, lead_hash
from training.split import Split, training_rows


@pytest.fixture(scope="module")
def gathered():
    tables = market.tables(market.frames(leads=80, days=60))
    asked = Split("sql", 20 * DAY, market.START + 50 * DAY, market.START + 60 * DAY, (DAY,), (HOUR, DAY))
    specs = catalog.suggest(tables, market.info(60), asked.cut)
    card = parse.builtin("standard")
    return tables, specs, card, gather(tables, training_rows(tables, asked), specs, card)


def test_rows_hold_the_features_and_points_that_one_lead_alone_would_get(gathered):
    tables, specs, card, rows = gathered
    timelines = tables_of.timelines(tables)
    columns = engine.specs(card)
    for place in range(0, len(rows), 7):
        lead, as_of = rows.frame["lead_id"][place], rows.frame["as_of"][place]
        np.testing.assert_allclose(rows.X[place], online.row(timelines[lead], as_of, specs), rtol=2**-24)
        values = online.row(timelines[lead], as_of, columns)
        alone = engine.points(card, {spec.name: values[[at]] for at, spec in enumerate(columns)}, 1)
        assert rows.points[place] == pytest.approx(alone.total[0])


def test_rows_in_pieces_are_the_rows_in_one(gathered, monkeypatch):
    tables, specs, card, whole = gathered
    monkeypatch.setattr(rows_module, "COMPUTED_AT_ONCE", 30)
    monkeypatch.setattr(rows_module, "LAID_OUT_AT_ONCE", 16)
    assert len(whole) > 2 * 30
    found = gather(tables, whole.frame, specs, card)
    assert np.array_equal(found.X, whole.X, equal_nan=True)
    assert found.points.tolist() == whole.points.tolist()
    assert found.X.flags.c_contiguous
    assert found.frame.equals(whole.frame)


def test_laying_out_needs_little_beside_the_matrix_itself(monkeypatch):
    """Whole copies of the matrix, one beside the other, are what a large record has no room for."""
    specs = tuple(FeatureSpec(f"n{days}", "frequency", "count", window_days=days) for days in range(1, 61))
    card, n = parse.builtin("standard"), 60_000
    frame = pl.DataFrame({"lead_id": ["a"] * n, "as_of": [0] * n, "label": [0.0] * n})
    computed = pl.DataFrame({one.name: np.zeros(n) for one in Columns.union(engine.specs(card), specs).specs})
    monkeypatch.setattr(rows_module, "LAID_OUT_AT_ONCE", 2_000)
    monkeypatch.setattr(rows_module.batch, "build", lambda *_: computed)
    tracemalloc.start()
    try:
        rows = gather(None, frame, specs, card)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows.X.shape == (n, 60)
    assert peak < 1.5 * rows.X.nbytes


def test_taking_rows_keeps_their_parts_together(gathered):
    rows = gathered[3]
    chosen = np.arange(len(rows)) % 3 == 0
    part = rows.take(chosen)
    assert len(part) == chosen.sum()
    assert part.lead_ids.tolist() == rows.lead_ids[chosen].tolist()
    assert np.array_equal(part.X, rows.X[chosen], equal_nan=True)
    for name in ("points", "y", "weight"):
        assert getattr(part, name).tolist() == getattr(rows, name)[chosen].tolist()
    assert rows.y.tolist() == rows.frame["label"].to_list()
    assert rows.weight.tolist() == rows.frame["weight"].to_list()


def test_wins_are_leads_and_not_snapshots():
    frame, y = pl.DataFrame({"lead_id": ["a", "a", "b", "c"]}), np.array([1.0, 1.0, 0.0, 1.0])
    rows = rows_module.Rows(frame, np.zeros((4, 1)), np.zeros(4), y, np.ones(4))
    assert rows.wins() == 2
    assert rows.take(y == 0).wins() == 0
    assert rows.take(np.zeros(4, dtype=np.bool_)).wins() == 0


def test_the_hash_of_a_lead_depends_on_nothing_but_lead_and_seed():
    many = lead_hash(np.array(["a", "b", "a", "c"], dtype=object), 1)
    assert many[0] == many[2]
    assert lead_hash(np.array(["c"], dtype=object), 1)[0] == many[3]
    assert lead_hash(np.array(["c"], dtype=object), 2)[0] != many[3]
    assert len(lead_hash(np.array([], dtype=object), 1)) == 0


def test_two_seeds_draw_independently():
    """Ids are counters; halves and shares of them must be as those of a coin."""
    leads = np.array([f"lead-{number}" for number in range(2_000)], dtype=object)
    drawn = [lead_hash(leads, seed) for seed in range(6)]
    assert all(numbers.min() >= 0 and numbers.max() < 2**32 for numbers in drawn)
    for first in range(6):
        assert np.mean(drawn[first] < 0.1 * 2**32) == pytest.approx(0.1, abs=0.03)
        for second in range(first):
            assert np.mean(drawn[first] % 2 == drawn[second] % 2) == pytest.approx(0.5, abs=0.05)


def test_the_last_bits_of_a_sum_are_of_no_account():
    exact = np.array([[0.1 + 0.2, 3.0, np.nan, 0.0, -1e29, 16_777_215.0]])
    other = np.array([[0.3, 3.0, np.nan, 0.0, -1e29, 16_777_215.0]])
    assert exact[0, 0] != other[0, 0]
    np.testing.assert_array_equal(_steady(exact), _steady(other))
    np.testing.assert_allclose(_steady(exact), exact, rtol=2**-24)
    assert _steady(exact)[0, [1, 3, 5]].tolist() == [3.0, 0.0, 16_777_215.0]


def test_what_is_larger_than_any_sum_can_bear_is_the_largest():
    np.testing.assert_allclose(_steady(np.array([[-1e300, 1e300]])), [[-LARGEST, LARGEST]], rtol=2**-24)
