import polars as pl
import pytest

from leadlight.ingest.merge import STATUS, merge, upsert
from leadlight.ingest.staging import FILE, ORIGIN, OUT, ROW

SCHEMA = {"id": pl.String, "x": pl.Float64}


def staged(rows):
    """Rows of (id, x, out, file, row)."""
    return pl.DataFrame(rows, schema={**SCHEMA, **ORIGIN}, orient="row").lazy()


def stored(*rows):
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row").lazy()


def result(old, new):
    merged = merge(old, new, ["id"], ["id", "x"])
    fates = {
        (out, file, status): count for out, file, status, count in merged.fates.select(OUT, FILE, STATUS, "len").rows()
    }
    return sorted(merged.rows.collect().rows()), fates


def test_new_rows_are_stored():
    rows, fates = result(stored(("a", 1.0)), staged([("b", 2.0, 0, 0, 2), ("c", None, 0, 1, 2)]))
    assert rows == [("a", 1.0), ("b", 2.0), ("c", None)]
    assert fates == {(0, 0, "stored"): 1, (0, 1, "stored"): 1}


def test_the_newest_wins_and_each_row_is_counted():
    old = stored(("a", 1.0), ("b", 2.0), ("n", None))
    new = staged(
        [
            ("a", 1.0, 0, 0, 2),  # as stored
            ("b", 3.0, 0, 0, 3),  # changes
            ("b", 3.0, 0, 1, 2),  # and says so again
            ("b", 2.0, 0, 1, 3),  # and back: an update too
            ("n", None, 0, 0, 4),  # null is null
            ("c", 1.0, 0, 1, 4),
            ("c", 1.0, 0, 1, 5),
            ("d", 1.0, 0, 1, 6),
            ("d", 2.0, 0, 0, 5),  # the older file: it loses
        ]
    )
    rows, fates = result(old, new)
    assert rows == [("a", 1.0), ("b", 2.0), ("c", 1.0), ("d", 1.0), ("n", None)]
    assert fates == {
        (0, 0, "duplicates"): 2,
        (0, 0, "updated"): 1,
        (0, 0, "stored"): 1,
        (0, 1, "duplicates"): 2,
        (0, 1, "updated"): 2,
        (0, 1, "stored"): 1,
    }


def test_keys_of_several_columns():
    new = pl.DataFrame(
        {"id": ["a", "a", "a"], "x": [1.0, 2.0, 1.0], OUT: [0, 0, 0], FILE: [0, 0, 0], ROW: [2, 3, 4]},
        schema_overrides=ORIGIN,
    )
    merged = merge(stored(("a", 1.0)), new.lazy(), ["id", "x"], ["id", "x"])
    assert sorted(merged.rows.collect().rows()) == [("a", 1.0), ("a", 2.0)]


@pytest.mark.parametrize("rows", [[], [("a", 1.0)]])
def test_nothing_new(rows):
    assert result(stored(*rows), staged([])) == (rows, {})


def test_upsert_leaves_alone_what_an_output_does_not_map():
    old = pl.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0], "y": ["p", "q"]})
    first = pl.DataFrame(
        {"id": ["a", "c"], "x": [None, 3.0], OUT: [0, 0], FILE: [0, 0], ROW: [2, 3]}, schema_overrides=ORIGIN
    )
    second = pl.DataFrame({"id": ["a"], "z": ["new"], OUT: [1], FILE: [1], ROW: [2]}, schema_overrides=ORIGIN)
    table, fates = upsert(old, {0: first, 1: second}, "id")
    assert sorted(table.select("id", "x", "y", "z").rows()) == [
        ("a", None, "p", "new"),
        ("b", 2.0, "q", None),
        ("c", 3.0, None, None),
    ]
    assert sorted(fates.select(OUT, STATUS, "len").rows()) == [(0, "stored", 1), (0, "updated", 1), (1, "updated", 1)]


def test_what_came_and_what_went_is_told():
    old = stored(("a", 1.0), ("b", 2.0), ("c", 3.0))
    new = staged([("a", 1.0, 0, 0, 2), ("b", 5.0, 0, 0, 3), ("b", 6.0, 0, 0, 4), ("d", 4.0, 0, 0, 5)])
    merged = merge(old, new, ["id"], ["id", "x"])
    assert sorted(merged.changed.collect().rows()) == [("b", 2.0), ("b", 6.0), ("d", 4.0)]
