import typing
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import batch, online
from features.engines import registry
from features.tables import timelines
from leadlight.errors import InputError
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec, Measure
from tests.features import market
from tests.parity import engines


def as_array(frame):
    return batch.matrix(frame, market.SPECS)


def snapshots_of(pairs):
    return pl.DataFrame(pairs, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")


def colleagues(leads, lead_id):
    (account,) = (row["account_id"] for row in leads if row["lead_id"] == lead_id)
    return [row for row in leads if account is not None and row["account_id"] == account and row["lead_id"] != lead_id]


def test_every_measure_is_in_the_parity_suite():
    assert {spec.measure for spec in market.SPECS} == set(typing.get_args(Measure))


@settings(max_examples=2, deadline=None)
@given(parts=market.many())
def test_batch_and_online_equal_the_slow_reference(parts):
    record, pairs = market.merged(parts)
    tables = market.tables(*record)
    computed = as_array(batch.build(tables, snapshots_of(pairs), market.SPECS))
    lines = timelines(tables)
    for place, ((lead_id, as_of), expected) in enumerate(zip(pairs, engines.expected(record, pairs), strict=True)):
        np.testing.assert_allclose(computed[place], expected, rtol=1e-9, atol=1e-12)
        others = [lines[row["lead_id"]] for row in colleagues(record[0], lead_id)]
        found = online.row(lines[lead_id], as_of, market.SPECS, others)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=2, deadline=None)
@given(parts=market.many())
def test_nothing_at_or_after_as_of_changes_a_feature(parts):
    instants = [(record, asked[0][1]) for record, asked in parts]
    asked = [(record, before(record, as_of), [("a", as_of), ("b", as_of)]) for record, as_of in instants]
    whole, pairs = market.merged([(record, pairs) for record, _, pairs in asked])
    past, _ = market.merged([(past, pairs) for _, past, pairs in asked])
    with_future = as_array(batch.build(market.tables(*whole), snapshots_of(pairs), market.SPECS))
    without = as_array(batch.build(market.tables(*past), snapshots_of(pairs), market.SPECS))
    np.testing.assert_allclose(with_future, without, rtol=1e-12)


def before(record, as_of):
    """Keep of a record what was known before an instant."""
    leads, activities, stages, changes = record
    known = [row for row in activities if row["occurred_at"] < as_of and (row["received_at"] or 0) < as_of]
    return leads, known, [row for row in stages if row["entered_at"] < as_of], changes


@settings(max_examples=2, deadline=None)
@given(parts=market.many(), random=st.randoms(use_true_random=False))
def test_order_and_duplicates_of_snapshots_and_rows_change_nothing(parts, random):
    drawn = [(record, [("b", asked[0][1]), ("a", asked[0][1]), ("b", asked[0][1])]) for record, asked in parts]
    (leads, activities, stages, changes), pairs = market.merged(drawn)
    shuffled = (leads, *(random.sample(rows, len(rows)) for rows in (activities, stages)), changes[::-1])
    one = as_array(batch.build(market.tables(leads, activities, stages, changes), snapshots_of(pairs), market.SPECS))
    two = as_array(batch.build(market.tables(*shuffled), snapshots_of(pairs), market.SPECS))
    np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_allclose(one[0::3], one[2::3], rtol=1e-12)


def test_a_lead_without_activities_has_zero_counts_and_null_recency():
    tables = market.tables([{"lead_id": "a", "created_at": market.BASE, "industry": None, "size": None}], [], [], [])
    frame = batch.build(tables, snapshots_of([("a", market.BASE + DAY)]), market.SPECS)
    assert frame["count"].to_list() == [0.0]
    assert frame["recency"].to_list() == [None]
    assert frame["last"].to_list() == [None]
    assert frame["age"].to_list() == [1.0]


def test_no_snapshots_give_an_empty_table():
    record = ([{"lead_id": "a", "created_at": market.BASE, "industry": None, "size": None}], [], [], [])
    frame = batch.build(market.tables(*record), snapshots_of([]), market.SPECS)
    assert frame.shape == (0, 2 + len(market.SPECS))


def test_no_specs_give_the_keys_alone():
    record = ([{"lead_id": "a", "created_at": market.BASE, "industry": None, "size": None}], [], [], [])
    frame = batch.build(market.tables(*record), snapshots_of([("a", market.BASE + 1)]), ())
    assert frame.columns == ["lead_id", "as_of"]
    assert batch.matrix(frame, ()).shape == (1, 0)


@pytest.mark.parametrize("measure", ["count", "value_sum"])
def test_a_window_of_one_day_includes_its_far_edge(measure):
    rows = [
        {"activity_id": "1", "lead_id": "a", "type": "call", "occurred_at": market.BASE - DAY, "value": 1.0},
        {"activity_id": "2", "lead_id": "a", "type": "call", "occurred_at": market.BASE - DAY - 1, "value": 1.0},
    ]
    rows = [{"actor": "lead", "received_at": None, "channel": None, "content": None, **row} for row in rows]
    leads = [{"lead_id": "a", "created_at": market.BASE - 2 * DAY, "industry": None, "size": None}]
    spec = FeatureSpec("one", "frequency", measure, window_days=1)
    frame = batch.build(market.tables(leads, rows, [], []), snapshots_of([("a", market.BASE)]), (spec,))
    assert frame["one"].to_list() == [1.0]


def test_an_attribute_that_the_data_does_not_have_is_null_and_one_it_has_needs_no_other():
    record = ([{"lead_id": "a", "created_at": market.BASE, "industry": "it", "size": 3.0}], [], [], [])
    size = FeatureSpec("size", "fit", "number", attribute="size")
    frame = batch.build(market.tables(*record), snapshots_of([("a", market.BASE + 1)]), (size,))
    assert frame["size"].to_list() == [3.0]


def test_the_newest_fifty_of_a_crowd_count_as_colleagues():
    record = market.crowd()
    pairs = [(row["lead_id"], row["created_at"] + days * DAY + 1) for row in record[0][::9] for days in (0, 1, 2)]
    found = as_array(batch.build(market.tables(*record), snapshots_of(pairs), market.SPECS))
    np.testing.assert_allclose(found, engines.expected(record, pairs), rtol=1e-9, atol=1e-12)


def test_snapshots_are_numbered_here_whatever_numbers_they_bring():
    asked = snapshots_of([("p001", market.BASE + days * DAY) for days in (4, 5, 6)])
    engine, specs = registry.get("polars"), (FeatureSpec("f0", "age", "age_days"),)
    rows = asked.with_columns(pl.Series(batch.ROW, [7, 2, 0]))
    found = engine.to_polars(batch.compute(engine, market.tables(*market.crowd(31)), rows, specs))
    assert found[batch.ROW].to_list() == [0, 1, 2]
    assert found["f0"].to_list() == [4.0, 5.0, 6.0]


@pytest.mark.parametrize("name", ["__lead", "__chunk", "__row"])
def test_an_attribute_named_like_a_column_of_our_own_is_refused(name, tmp_path):
    found = market.tables([{"lead_id": "a", "created_at": 0, "industry": "it"}], [], [], [])
    found = replace(found, leads=found.leads.rename({"industry": name}))
    asked = snapshots_of([("a", DAY)])
    with pytest.raises(InputError, match=f"`leads`: `{name}` begins with `__`"):
        batch.build(found, asked, market.SPECS)
    with pytest.raises(InputError, match=f"`leads`: `{name}` begins with `__`"):
        batch.build_to(registry.get("polars"), found, asked, market.SPECS, tmp_path)


def test_an_attribute_that_engines_do_not_treat_alike_is_refused(tmp_path):
    found = market.tables([{"lead_id": "a", "created_at": 0, "industry": "it"}], [], [], [])
    found = replace(found, leads=found.leads.with_columns(industry=pl.concat_list("industry")))
    asked = snapshots_of([("a", DAY)])
    with pytest.raises(InputError, match="attribute `industry` holds lists"):
        batch.build(found, asked, market.SPECS)
    with pytest.raises(InputError, match="attribute `industry` holds lists"):
        batch.build_to(registry.get("polars"), found, asked, market.SPECS, tmp_path)
