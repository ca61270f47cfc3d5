"""Attributes of any name: every engine gives the table that plain names give."""

import tempfile
from dataclasses import replace
from pathlib import Path

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from features import batch, incremental, online, tables
from features.engines import registry
from leadlight.schema import DAY, TABLES
from leadlight.spec import FeatureSpec
from tests.features import market
from tests.parity import engines
from tests.parity.test_engines import LOCAL

ODD = {"size": "company.size", "industry": "業種 `main`", "role": 'the "role", or not', "since": "it's * ^since.*$"}
PLAIN = (
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail")),
    FeatureSpec("no role", "fit", "missing", attribute="role"),
    FeatureSpec("since", "fit", "days_since_date", attribute="since"),
    FeatureSpec("moves", "fit", "changes", attribute="industry"),
    FeatureSpec("roles", "company", "roles", attribute="role"),
)


def odd(spec):
    name = ODD[spec.attribute]
    return replace(spec, name=f"{spec.measure} of {name}", attribute=name)


def tables_of(record):
    found = market.tables(*record)
    field = pl.col("field").replace(ODD)
    return type(found)(found.leads.rename(ODD), found.activities, found.stages, found.changes.with_columns(field))


def check(engine, parts):
    record, asked = market.merged(parts)
    specs = [odd(spec) for spec in PLAIN]
    named = tables_of(record)
    frames = engines.native(engine.name, named, engine)
    rows = pl.DataFrame(asked, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    with tempfile.TemporaryDirectory() as folder:
        batch.build_to(engine, frames, rows, specs, Path(folder))
        read = pl.read_parquet(f"{folder}/*.parquet").with_columns(pl.col("as_of").cast(pl.Int64))
    assert read.columns == ["lead_id", "as_of", *(spec.name for spec in specs)]
    found = batch.matrix(rows.join(read, on=["lead_id", "as_of"], how="left", maintain_order="left"), specs)
    assert engines.differences(found, engines.expected(record, asked, PLAIN), asked, PLAIN) == []
    some = pl.Series(sorted({lead for lead, _ in asked}))[:3]
    part = nw.from_native(incremental.restrict(engine, frames, some).leads).lazy()
    assert part.collect_schema().names() == named.leads.collect_schema().names()
    assert sorted(part.select("lead_id").collect()["lead_id"].to_list()) == some.to_list()


@pytest.mark.parametrize("name", LOCAL)
@settings(max_examples=1, deadline=None)
@given(parts=market.many(24))
def test_attributes_of_any_name_give_the_table_of_plain_ones(name, parts):
    check(registry.get(name), parts)


@settings(max_examples=1, deadline=None)
@given(parts=market.many(24))
def test_attributes_of_any_name_give_the_table_of_plain_ones_on_a_cluster(spark, parts):
    check(registry.get("pyspark", session=spark), parts)


def test_one_lead_in_a_request_reads_them_too():
    record, own = market.crowd(31), PLAIN[:5]
    asked = [(row["lead_id"], market.BASE + 4 * DAY) for row in record[0]]
    found = tables.timelines(tables_of(record))
    rows = np.array([online.row(found[lead], at, [odd(spec) for spec in own]) for lead, at in asked])
    assert engines.differences(rows, engines.expected(record, asked, own), asked, own) == []


CASES = {"size": "Size", "industry": "size", "role": "SIZE", "since": "Lead_ID"}
BY_CASE = {"size": "Count", "industry": "count", "no role": "COUNT", "since": "As_Of", "moves": "LEAD_ID", "roles": "_"}
GLOBS = tuple(FeatureSpec(name, "rule", "count", content=name) for name in ("/blog/*", "/BLOG/*"))
BLANK = dict.fromkeys(("received_at", "channel", "campaign", "detail", "value"))
RECORD = (
    [
        {"lead_id": lead, "created_at": market.BASE, "account_id": "x", "industry": industry, "size": size}
        | {"role": role, "since": "2024-10-01"}
        for lead, industry, size, role in (("a", "it", 40.0, "user"), ("b", "retail", 3.0, None))
    ],
    [
        {"activity_id": f"e{at}", "lead_id": "a", "type": "call", "occurred_at": market.BASE + at, "actor": "lead"}
        | {"content": content, **BLANK}
        for at, content in enumerate(("/blog/1", "/BLOG/1", "/BLOG/2"))
    ],
    [],
    [{"lead_id": "b", "field": "industry", "changed_at": market.BASE + DAY, "old_value": "farm", "value": "it"}],
)


def check_cases(engine, folder):
    found, asked = market.tables(*RECORD), [(lead, market.BASE + 3 * DAY) for lead in "ab"]
    field = pl.col("field").replace(CASES)
    frames = (found.leads.rename(CASES), found.activities, found.stages, found.changes.with_columns(field))
    paths = {}
    for name, frame in zip(("leads", "activities", "stages", "attribute_changes"), frames, strict=True):
        instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
        paths[name] = folder / f"{name}.parquet"
        written = frame.with_columns(pl.col(column).cast(pl.Datetime("us", "UTC")) for column in instants)
        written.collect().write_parquet(paths[name])
    named = [replace(spec, name=BY_CASE[spec.name], attribute=CASES[spec.attribute]) for spec in PLAIN]
    rows = pl.DataFrame(asked, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    (folder / "out").mkdir()
    batch.build_to(engine, engine.read(paths), rows, (*named, *GLOBS), folder / "out")
    read = pl.read_parquet(folder / "out" / "*.parquet").sort("lead_id")
    assert read.columns == ["lead_id", "as_of", *BY_CASE.values(), "/blog/*", "/BLOG/*"]
    assert read.schema["as_of"] == pl.Datetime("us", "UTC")
    assert read["as_of"].cast(pl.Int64).to_list() == [at for _, at in asked]
    wanted = engines.expected(RECORD, asked, (*PLAIN, *GLOBS))
    assert engines.differences(batch.matrix(read, (*named, *GLOBS)), wanted, asked, (*named, *GLOBS)) == []


@pytest.mark.parametrize("name", LOCAL)
def test_names_that_differ_only_in_case_are_different(name, tmp_path):
    check_cases(registry.get(name), tmp_path)


def test_names_that_differ_only_in_case_are_different_on_a_cluster(spark, tmp_path):
    check_cases(registry.get("pyspark", session=spark), tmp_path)
