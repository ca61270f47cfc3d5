import json

import polars as pl
import pytest

from leadlight.ingest.mapping import Mapping
from leadlight.ingest.readers import ROW
from leadlight.ingest.report import Example, Unreadable
from leadlight.ingest.transform import Transform, attributes_of, content_hash

AT = {"lead_id": "lead", "type": "what", "occurred_at": "at", "actor": {"constant": "lead"}}


def transform(table, columns, attributes=None, **more):
    output = {"table": table, "columns": columns, "attributes": attributes or {}, **more}
    mapping = Mapping.model_validate({"files": [{"file": "f.csv", "tables": [output]}]})
    return Transform.of(mapping, mapping.files[0], mapping.files[0].tables[0])


def batch(**columns):
    count = len(next(iter(columns.values())))
    return pl.DataFrame({ROW: range(2, 2 + count), **columns}, schema_overrides={ROW: pl.Int64})


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "1e999", "1e308", "-1000000000000001", "many"])
def test_a_number_that_is_none_costs_the_value_and_not_the_row(text):
    rows = transform("activities", {**AT, "value": "v"}).apply(
        batch(lead=["A", "A", "A"], what=["x"] * 3, at=["2026-01-01"] * 3, v=[text, "1", ""])
    )
    assert rows.good["value"].to_list() == [None, 1.0, None]
    assert rows.bad.is_empty()
    assert rows.unreadable == {"value": Unreadable(1, 2, [Example(2, text)])}


def test_values_of_refused_rows_are_not_counted_as_unreadable():
    rows = transform("activities", {**AT, "value": "v"}).apply(
        batch(lead=["", "A"], what=["x"] * 2, at=["2026-01-01"] * 2, v=["inf", "nan"])
    )
    assert rows.bad.select(ROW, "cause").rows() == [(2, "lead_id: missing")]
    assert json.loads(rows.bad["content"][0])["v"] == "inf"
    assert rows.unreadable == {"value": Unreadable(1, 1, [Example(3, "nan")])}


def test_the_order_that_stands_for_the_clock_must_be_a_finite_number():
    output = {"table": "leads", "columns": {"lead_id": "id"}}
    mapping = Mapping.model_validate({"clock": "order(n)", "files": [{"file": "f.csv", "tables": [output]}]})
    made = Transform.of(mapping, mapping.files[0], mapping.files[0].tables[0])
    rows = made.apply(batch(id=["A", "B", "C", "D", "E"], n=["1", "inf", "x", "", "1767225600000000000"]))
    assert rows.good["lead_id"].to_list() == ["A", "E"]  # nothing is summed of it
    assert rows.bad["cause"].to_list() == ["n: not a finite number"] * 2 + ["n: missing"]
    assert rows.unreadable == {}


def test_every_cause_is_named_and_the_first_is_said():
    rows = transform("activities", {**AT, "actor": "who", "value": "v", "activity_id": "id"}).apply(
        batch(
            id=["1", "2", "3", "4", "5", ""],
            lead=["A", "", "A", "A", "A", "A"],
            what=["x", "x", "", "x", "x", "x"],
            at=["2026-01-01"] * 3 + ["soon"] + ["2026-01-01"] * 2,
            who=["lead"] * 4 + ["cat", "lead"],
            v=["", "", "", "", "", ""],
        )
    )
    assert rows.good[ROW].to_list() == [2]
    assert dict(rows.bad.select(ROW, "cause").rows()) == {
        3: "lead_id: missing",
        4: "type: missing",
        5: "occurred_at: not a time in the format iso",
        6: "actor: `cat` is unknown; known: `lead`, `marketing`, `sales`, `system`",
        7: "activity_id: missing",
    }


def test_a_raw_column_may_be_called_anything():
    rows = transform("activities", {**AT, "type": "cause", "detail": "content"}).apply(
        batch(lead=["A", ""], cause=["x", "y"], at=["2026-01-01"] * 2, content=["c", "d"])
    )
    assert rows.good["type"].to_list() == ["x"]
    assert rows.bad["cause"].to_list() == ["lead_id: missing"]
    assert json.loads(rows.bad["content"][0]) == {"lead": "", "cause": "y", "at": "2026-01-01", "content": "d"}


def test_unknown_stages_are_refused():
    columns = {"lead_id": "lead", "stage": "s", "entered_at": "at"}
    rows = transform("stages", columns).apply(batch(lead=["A", "A"], s=["sql", "won"], at=["2026-01-01"] * 2))
    assert rows.good["stage"].to_list() == ["sql"]
    known = "`customer`, `lead`, `lost`, `mql`, `opportunity`, `sql`"
    assert rows.bad["cause"].to_list() == [f"stage: `won` is unknown; known: {known}"]


def test_unknown_stages_are_named_with_the_nearest_and_seldom_or_long_ones_together():
    columns = {"lead_id": "lead", "stage": "s", "entered_at": "at"}
    words = ["oportunity"] * 3 + [f"x{number}" for number in range(9)] + ["y" * 41]
    at = ["2026-01-01"] * len(words)
    causes = transform("stages", columns).apply(batch(lead=words, s=words, at=at)).bad["cause"].to_list()
    assert causes[0] == "stage: `oportunity` is unknown; did you mean `opportunity`?"
    assert [cause.split("`")[1] for cause in causes[:10]] == ["oportunity"] * 3 + [f"x{number}" for number in range(7)]
    assert set(causes[10:]) == {"stage: not one of lead, mql, sql, opportunity, customer, lost"}


def test_attributes_have_their_kind():
    made = transform(
        "leads", {"lead_id": "lead", "created_at": "at"}, {"size": {"kind": "number"}, "job": {"kind": "category"}}
    )
    rows = made.apply(batch(lead=["A", "B"], at=["2026-01-01"] * 2, size=["10", ""], job=["01", ""]))
    assert rows.good.select("size", "job").rows() == [(10.0, "01"), (None, None)]


def test_selection():
    made = transform("activities", AT, where={"what": ["x"]})
    assert made.select(batch(lead=["A", "A", "A"], what=["x", "y", ""], at=[""] * 3)).to_list() == [True, False, False]


def test_constants_alone_fill_every_row():
    made = transform("accounts", {"account_id": {"constant": "us"}})
    assert made.apply(batch(lead=["A", "B"])).good["account_id"].to_list() == ["us", "us"]
    assert made.apply(batch(lead=["A"]).clear()).good.height == 0


def test_content_hash_is_fixed_for_ever_and_looks_at_the_content_only():
    first = pl.DataFrame({"lead_id": ["A"], "type": ["x"], "occurred_at": [1], "actor": ["lead"], ROW: [2]})
    assert content_hash(first).to_list() == ["bea4711c2675437ae462ec77"]
    later = first.with_columns(pl.lit(9).alias("received_at"), pl.lit(5).alias(ROW))
    assert content_hash(later).to_list() == content_hash(first).to_list()
    others = [
        first.with_columns(pl.lit(text).alias(name))
        for name, text in (("lead_id", "B"), ("channel", "x"), ("campaign", "x"), ("content", "x"), ("type", "A"))
    ]
    assert len({content_hash(frame)[0] for frame in [first, *others]}) == 6


def test_attributes_of_a_table():
    mapping = Mapping.model_validate(
        {
            "files": [
                {
                    "file": "f",
                    "tables": [
                        {"table": "leads", "columns": {}, "attributes": {"a": {"kind": "number"}}},
                        {"table": "accounts", "columns": {}, "attributes": {"b": {}}},
                    ],
                }
            ]
        }
    )
    assert list(attributes_of(mapping.files[0].tables, "leads")) == ["a"]
