from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features import batch, chunks
from features.engines import registry
from features.sifted import Sifted
from leadlight.schema import DAY
from tests.features import market


def by_company(record):
    """Sort a record's activities as ingestion writes them."""
    leads, activities, stages, changes = record
    account = {row["lead_id"]: row["account_id"] or row["lead_id"] for row in leads}
    key = lambda row: (account[row["lead_id"]], row["lead_id"], row["occurred_at"], row["activity_id"])  # noqa: E731
    return leads, sorted(activities, key=key), stages, changes


def leads_of(names):
    blank = {"created_at": 0, "account_id": None, "industry": None, "size": None, "role": None, "since": None}
    return [{"lead_id": name, **blank} for name in names]


def activity(lead, at, number):
    blank = dict.fromkeys(("received_at", "channel", "campaign", "content", "detail", "value"))
    return {**blank, "activity_id": f"e{number}", "lead_id": lead, "type": "call", "occurred_at": at, "actor": "lead"}


def asked(pairs):
    return pl.DataFrame(pairs, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")


@settings(max_examples=2, deadline=None)
@given(parts=market.many(5), size=st.integers(8, 60))
def test_chunks_of_any_size_give_the_same_table(parts, size):
    record, pairs = market.merged(parts)
    tables = market.tables(*by_company(record))
    whole = batch.build(tables, asked(pairs), market.SPECS)
    engine = registry.get("polars")
    parts = [
        engine.to_polars(batch.compute(engine, chunk.tables, chunk.rows, market.SPECS)).with_columns(
            lead_id=chunk.rows["id"]
        )
        for chunk in chunks.split(tables, asked(pairs), market.SPECS, size)
    ]
    together = batch.named(pl.concat(parts).drop(batch.ROW), market.SPECS)
    together, whole = (frame.sort("lead_id", "as_of") for frame in (together, whole))
    assert together["lead_id"].equals(whole["lead_id"])
    found, wanted = (batch.matrix(frame, market.SPECS) for frame in (together, whole))
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(record=market.records(), size=st.integers(1, 12))
def test_a_chunk_holds_whole_companies_and_every_activity_is_in_one(record, size):
    leads, activities, *_ = by_company(record)
    tables = market.tables(*by_company(record))
    rows = asked([(row["lead_id"], row["created_at"] + DAY) for row in leads])
    account = {row["lead_id"]: row["account_id"] or row["lead_id"] for row in leads}
    seen = []
    ids = []
    for chunk in chunks.split(tables, rows, market.SPECS, size):
        seen.append({account[lead] for lead in chunk.rows["id"]})
        ids += chunk.tables.activities.collect()["activity_id"].to_list()
    assert sorted(ids) == sorted(row["activity_id"] for row in activities)
    assert sum(len(companies) for companies in seen) == len(set.union(*seen)) == len(set(account.values()))


@settings(max_examples=5, deadline=None)
@given(parts=market.many(4), size=st.integers(8, 60), every=st.integers(1, 4))
def test_chunks_of_a_sifted_log_give_what_the_rest_alone_gives(parts, size, every):
    record, pairs = market.merged(parts)
    tables = replace(market.tables(*by_company(record)), in_order=True)
    sifted = Sifted.of(tables.activities, np.arange(0, len(record[1]), every))
    rest = replace(tables, activities=sifted.rest)
    found, wanted = (
        pl.concat(
            batch._of_chunk(registry.get("polars"), chunk, market.SPECS)
            .to_native()
            .collect()
            .with_columns(position=chunk.rows["position"])
            for chunk in chunks.split(of, asked(pairs), market.SPECS, size)
        ).sort("position")
        for of in (replace(rest, sifted=sifted), rest)
    )
    assert_frame_equal(found.drop(batch.ROW), wanted.drop(batch.ROW), rel_tol=1e-12)


def test_a_log_in_the_order_of_time_is_one_chunk():
    rows = [activity("a", 1, 1), activity("b", 2, 2), activity("a", 3, 3)]
    tables = market.tables(leads_of("ab"), rows, [], [])
    (chunk,) = chunks.split(tables, asked([("a", 5)]), market.SPECS, 1)
    assert chunk.activities == 3


def test_leads_that_the_tables_do_not_have_keep_their_row():
    tables = market.tables(leads_of("ab"), [], [], [])
    frame = batch.build(tables, asked([("nobody", 5), ("a", 5)]), market.SPECS)
    assert frame["lead_id"].to_list() == ["nobody", "a"]


def test_only_columns_that_are_needed_are_read():
    count = next(spec for spec in market.SPECS if spec.name == "count")
    tables = market.tables(leads_of("a"), [activity("a", 1, 1)], [], [])
    (chunk,) = chunks.split(tables, asked([("a", 5)]), [count])
    assert set(chunk.tables.activities.collect_schema()) == {"lead_id", "occurred_at", "received_at", "activity_id"}
