"""What the expressions share; the measures themselves are held against the reference in tests/parity."""

from datetime import UTC, datetime

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.expressions import assemble, attributes, cells, company, frame, own, stages
from leadlight.measures import MEASURES
from leadlight.spec import FeatureSpec

MET = pl.DataFrame(
    {
        frame.ROW: [0, 0, 0, 1, 1],
        "occurred_at": [1, 1, 4, 2, 3],
        "age": [9, 9, 6, 8, 7],
        "activity_id": ["a", "b", "c", "d", "e"],
        "flag": [False, True, True, False, False],
    }
)


def both():
    """Give a meeting in order as an eager frame and as a lazy one of another engine."""
    relation = duckdb.connect()
    relation.register("met", MET.sort("activity_id", descending=True).to_arrow(compat_level=pl.CompatLevel.oldest()))
    return nw.from_native(MET, eager_only=True), nw.from_native(relation.sql("FROM met"))


def values(result, column):
    native = result.to_native()
    found = native if isinstance(native, pl.DataFrame) else native.pl()
    return found.sort("activity_id")[column].to_list()


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize(("distance", "expected"), [(1, [None, 1, 1, None, 2]), (-1, [1, 4, None, 3, None])])
def test_a_neighbour_is_of_the_same_snapshot(at, distance, expected):
    met = both()[at]
    assert values(met.with_columns(x=frame.neighbour(met, "occurred_at", distance)), "x") == expected


@pytest.mark.parametrize("at", [0, 1])
def test_the_next_flagged_activity_is_a_later_one_of_the_same_snapshot(at):
    assert values(frame.with_next(both()[at], "flag"), "__then") == [9, 6, None, None, None]


def test_plain_names_differ_where_texts_differ():
    texts = ["a.b", "a_b", "a-b", "-3.5", "3.5", "a_2e_b", "日本"]
    names = [frame.plain(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in names)


@given(st.dates())
def test_days_of_a_date_are_those_of_the_calendar(date):
    row = pl.DataFrame({"since": [date.isoformat()]})
    (found,) = nw.from_native(row).select(x=attributes.day_number(nw.col("since")))["x"].to_list()
    midnight = datetime(date.year, date.month, date.day, tzinfo=UTC)
    assert found == (midnight - datetime(1970, 1, 1, tzinfo=UTC)).days


def test_a_glob_ends_where_the_text_ends():
    spec = FeatureSpec("x", "frequency", "count", content="/blog/?")
    log = nw.from_native(pl.DataFrame({"content": ["/blog/1", "/blog/1\n", "/blog/", None]}))
    assert frame.chosen_of_log(log, spec)["content"].to_list() == ["/blog/1"]


def test_every_measure_has_its_place():
    groups = [cells.MEASURES, own.FOLLOWED, {"last_type"}]
    of_lead = {measure for measure, facts in MEASURES.items() if facts.source == "activities"}
    assert set().union(*groups) == of_lead
    assert sum(map(len, groups)) == len(of_lead)
    for module in (assemble, company, stages):
        assert module.__doc__
