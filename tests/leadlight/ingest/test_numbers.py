import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import batch, online
from features import tables as tables_of
from features.engines import registry
from leadlight.ingest import csv_reader
from leadlight.ingest.numbers import bounded, finite, readable_changes, unreadable, unreadable_changes
from leadlight.ingest.readers import ROW
from leadlight.ingest.report import Example, Unreadable
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.timeline import number
from tests.leadlight.ingest.conftest import EVENTS, MAPPING, World

HUGE = "9" * 400
NO_NUMBERS = ["inf", "-inf", "Infinity", "-Infinity", "+inf", "nan", "NaN", "1e999", HUGE, f"-{HUGE}"]
NO_NUMBERS += ["many", "1,000", "1_000", "12 kg", "0x10", "true", "\uff11\uff12", "-", "2026-01-01"]
HUGE_NUMBERS = ["1e308", "-1e308", "1.7e308", "1000000000000001", "-1e16", "9" * 30]
NUMBERS = st.floats().map(str) | st.integers().map(str) | st.sampled_from(NO_NUMBERS + HUGE_NUMBERS)


def texts(values):
    return pl.Series("v", values, dtype=pl.String)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_finite_number_is_null(text):
    assert finite(texts(["1", text, None])).to_list() == [1.0, None, None]
    assert bounded(texts(["1", text, None])).to_list() == [1.0, None, None]


@pytest.mark.parametrize("text", HUGE_NUMBERS)
def test_what_http_refuses_is_null(text):
    assert bounded(texts(["1e15", text, "-1000000000000000"])).to_list() == [1e15, None, -1e15]
    assert finite(texts([text])).to_list() == [float(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-0.5", -0.5),
        ("1e308", 1e308),
        ("9007199254740993", 9007199254740992.0),
        ("9" * 30, 1e30),
        ("1e-400", 0.0),
    ],
)
def test_a_huge_whole_number_is_the_nearest_there_is(text, value):
    assert finite(texts([text])).to_list() == [value]


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS | st.none(), max_size=30))
def test_every_text_is_read_or_counted(values):
    numbers = bounded(texts(values))
    assert all(value is None or abs(value) <= 1e15 for value in numbers)
    rows = pl.Series(ROW, range(2, 2 + len(values)), dtype=pl.Int64)
    found = unreadable(rows, texts(values), numbers)
    expected = [(row, text) for row, text in enumerate(values, start=2) if text is not None and not is_read(text)]
    assert found.count == len(expected)
    assert found.of == sum(text is not None for text in values)
    assert found.examples == [Example.of(row, text) for row, text in expected[:3]]


def is_read(text):
    try:
        return abs(float(text)) <= 10**15 and text not in NO_NUMBERS
    except ValueError:
        return False


def changes(field, value, old_value):
    rows = {ROW: range(2, 2 + len(field)), "field": field, "value": value, "old_value": old_value}
    return pl.DataFrame(rows, schema_overrides={ROW: pl.Int64, "old_value": pl.String})


def test_changes_of_numbers_are_counted_and_those_of_texts_are_not():
    fields = ["size", "size", "industry", "size", "budget"]
    made = changes(fields, ["inf", "20", "inf", "1e16", "7"], ["?", None, "x", "10", "nan"])
    assert unreadable_changes(made, {"size", "budget", "age"}) == {
        "value of size": Unreadable(2, 3, [Example(2, "inf"), Example(5, "1e16")]),
        "old_value of size": Unreadable(1, 2, [Example(2, "?")]),
        "value of budget": Unreadable(0, 1, []),
        "old_value of budget": Unreadable(1, 1, [Example(6, "nan")]),
    }
    assert unreadable_changes(made, ()) == {}
    assert unreadable_changes(made.drop("old_value"), {"budget"}) == {"value of budget": Unreadable(0, 1, [])}


def test_changes_of_numbers_lose_what_is_none_and_those_of_texts_keep_it():
    made = changes(["size", "size", "industry", "size"], ["inf", "020", "inf", None], ["?", None, "x", "1e3"])
    read_as = readable_changes(made, {"size"})
    assert read_as["value"].to_list() == [None, "020", "inf", None]
    assert read_as["old_value"].to_list() == [None, None, "x", "1e3"]
    assert readable_changes(made, ()).equals(made)
    assert readable_changes(made.drop("old_value"), {"size"}).equals(read_as.drop("old_value"))
    assert readable_changes(made.clear(), {"size"}).equals(made.clear())


@settings(max_examples=60, deadline=None)
@given(NUMBERS | st.text("0123456789.eE+-_ ", min_size=1))
def test_a_change_is_counted_where_features_read_no_number(text):
    found = unreadable_changes(changes(["size"], [text], [None]), {"size"})
    assert (found["value of size"].count == 1) == math.isnan(number(text))


BAD = ["inf", "-inf", "NaN", "many", HUGE, "1e308", "9007199254740993"]
VALUES = st.lists(st.sampled_from([*BAD, "", "10", "999999999999999", "-1e15"]), min_size=1, max_size=12)
WHOLE = """\
version: 1
files:
  - file: leads.csv
    tables:
      - table: leads
        columns: { lead_id: id, created_at: at }
        attributes: { number: { kind: number, known_at: creation }, word: { known_at: creation } }
      - table: accounts
        columns: { account_id: id }
        attributes: { number: { kind: number } }
  - file: events.csv
    tables:
      - table: activities
        columns:
          activity_id: id
          lead_id: lead
          occurred_at: at
          type: { constant: x }
          actor: { constant: lead }
          value: number
      - table: stages
        columns: { lead_id: lead, entered_at: at, stage: { constant: customer }, amount: number }
"""


@settings(max_examples=15, deadline=None)
@given(leads=VALUES, events=VALUES)
def test_a_bad_number_costs_that_value_and_nothing_else(tmp_path_factory, leads, events):
    world = World(tmp_path_factory.mktemp("bad"), mapping=WHOLE)
    report = world.ingest(
        leads__csv="id,at,number,word\n" + "".join(f"L{n},2026-01-01,{text},w{n}\n" for n, text in enumerate(leads)),
        events__csv="id,lead,at,number\n"
        + "".join(f"{n},L{n % len(leads)},2026-02-{n + 1:02d},{text}\n" for n, text in enumerate(events)),
    )
    assert report.quarantined == 0
    of_leads, of_events = [list(enumerate(map(read, texts))) for texts in (leads, events)]
    stored = {(row["lead_id"], row["number"], row["word"]) for row in world.rows("leads")}
    assert stored == {(f"L{n}", number, f"w{n}") for n, number in of_leads}
    assert {(row["account_id"], row["number"]) for row in world.rows("accounts")} == {(f"L{n}", v) for n, v in of_leads}
    assert {(row["activity_id"], row["value"]) for row in world.rows("activities")} == {
        (str(n), v) for n, v in of_events
    }
    assert {(row["entered_at"].day, row["amount"]) for row in world.rows("stages")} == {
        (n + 1, v) for n, v in of_events
    }
    told = [table.unreadable for file in report.files for table in file.tables]
    counted = [counts(leads), counts(leads), counts(events), counts(events)]
    names = ("number", "number", "value", "amount")
    assert told == [{name: found} for name, found in zip(names, counted, strict=True)]
    assert report.unreadable == sum(found.count for found in counted)
    assert world.ingest().total("stored") == 0


def read(text):
    return float(text) if text and text not in BAD else None


def counts(texts):
    bad = [Example.of(row, text) for row, text in enumerate(texts, start=2) if text in BAD]
    return Unreadable(len(bad), sum(text != "" for text in texts), bad[:3])


def people(sizes):
    lines = (f"L{n},2026-01-01,{size},retail\n" for n, size in enumerate(sizes))
    return "id,created,size,industry\n" + "".join(lines)


def test_a_column_of_bad_values_alone_is_null_and_the_lead_keeps_what_it_has(world):
    report = world.ingest(leads__csv=people(BAD), events__csv="id,lead,what,at\n1,L0,x,2026-01-03\n")
    assert [(row["size"], row["industry"]) for row in world.rows("leads")] == [(None, "retail")] * len(BAD)
    assert world.workspace.scan("leads").collect_schema()["size"] == pl.Float64
    assert report.files[0].tables[0].unreadable == {"size": counts(BAD)}
    assert len(world.rows("activities")) == 1


def test_numbers_of_parquet_and_json_follow_the_same_rule(world):
    world.mapping = WHOLE[: WHOLE.index("  - file: events.csv")].replace("leads.csv", "leads.parquet")
    world.write()
    frame = pl.DataFrame(
        {"id": ["A", "B", "C"], "at": ["2026-01-01"] * 3, "number": [math.inf, math.nan, 2.0], "word": "w"}
    )
    frame.write_parquet(world.data / "leads.parquet")
    report = world.ingest()
    assert {row["lead_id"]: row["number"] for row in world.rows("leads")} == {"A": None, "B": None, "C": 2.0}
    assert report.files[0].tables[0].unreadable["number"].count == 2
    world.mapping = world.mapping.replace("leads.parquet", "leads.ndjson")
    lines = [
        f'{{"id": "{n}", "at": "2026-01-01", "number": {text}, "word": "w"}}\n' for n, text in enumerate(JSON_NUMBERS)
    ]
    report = world.ingest(leads__ndjson="".join(lines))
    assert {row["lead_id"]: row["number"] for row in world.rows("leads") if row["lead_id"].isdigit()} == {
        "0": None, "1": None, "2": None, "3": None, "4": None, "5": 7.0, "6": None,
    }  # fmt: skip
    found = report.files[0].tables[0].unreadable["number"]
    assert (found.count, found.of, report.quarantined) == (5, 6, 0)


JSON_NUMBERS = ["NaN", "Infinity", "1e999", '{"a": 1}', HUGE, "7", "null"]


def test_examples_are_the_first_of_a_file_whatever_its_batches(world, monkeypatch):
    monkeypatch.setattr(csv_reader, "_BLOCK_BYTES", 1_000)
    texts = ["1", *BAD, "2"] * 30
    report = world.ingest(leads__csv=people(texts), events__csv=EVENTS)
    found = report.files[0].tables[0].unreadable["size"]
    assert (found.count, found.of) == (30 * len(BAD), 30 * (len(BAD) + 2))
    assert found.examples == counts(texts).examples


def test_a_later_value_replaces_one_that_could_not_be_read(world):
    world.ingest(leads__csv=people(["inf"]), events__csv=EVENTS)
    report = world.ingest(leads__csv=people(["12"]), events__csv=EVENTS)
    assert (report.files[0].tables[0].updated, world.rows("leads")[0]["size"]) == (1, 12.0)


def test_a_required_value_still_sets_the_row_aside(world):
    rows = "A,nan,inf,x\n,2026-01-01,inf,x\n"
    report = world.ingest(leads__csv=f"id,created,size,industry\n{rows}", events__csv=EVENTS)
    causes = {"created_at: not a time in the format iso": 1, "lead_id: missing": 1}
    assert report.files[0].tables[0].causes == causes
    assert report.unreadable == 0


CHANGES = """\
version: 1
files:
  - file: changes.csv
    tables:
      - table: attribute_changes
        columns: { lead_id: lead, field: field, changed_at: at, old_value: before, value: after }
"""


def test_changes_to_what_is_no_number_are_null_and_counted(world):
    world.mapping = MAPPING.replace(
        "size: { kind: number, known_at: creation }", "size: { kind: number, known_at: changes }"
    )
    world.ingest()
    world.mapping = CHANGES  # that `size` is a number is known from the ingest before
    lines = [
        "A,size,2026-01-02,10,inf",
        "A,size,2026-01-03,inf,30",
        "A,industry,2026-01-02,x,inf",
        "B,size,2026-01-04,,many",
    ]
    report = world.ingest(changes__csv="\n".join(["lead,field,at,before,after", *lines]))
    assert report.files[0].tables[0].unreadable == {
        "value of size": Unreadable(2, 3, [Example(2, "inf"), Example(5, "many")]),
        "old_value of size": Unreadable(1, 2, [Example(3, "inf")]),
    }
    assert (report.quarantined, report.unreadable, report.cleared) == (0, 3, 0)
    stored = {(row["field"], row["old_value"], row["value"]) for row in world.rows("attribute_changes")}
    assert stored == {("size", "10", None), ("size", None, "30"), ("industry", "x", "inf"), ("size", None, None)}
    assert world.ingest().total("duplicates") == 4


ASKED = (
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("no_size", "fit", "missing", attribute="size"),
    FeatureSpec("code", "fit", "category", attribute="size", categories=("10",)),
    FeatureSpec("sizes", "company", "roles", attribute="size"),
)


@pytest.mark.parametrize("after", ["inf", "many", "1e16", ""])
def test_a_number_that_cannot_be_read_means_the_same_in_a_lead_and_in_a_change(world, after):
    world.mapping = MAPPING + CHANGES[CHANGES.index("  - file") :]
    world.ingest(
        leads__csv=f"id,created,size,industry\nA,2026-01-01,{after},x\nB,2026-01-01,10,x\n",
        events__csv=EVENTS,
        changes__csv=f"lead,field,at,before,after\nB,size,2026-01-02,10,{after}\n",
    )
    tables = tables_of.read(world.workspace)
    lines, engine = tables_of.timelines(tables), registry.get("polars")
    asked = [(lead, lines[lead].created_at + 3 * DAY) for lead in "AB"]
    online_rows = np.array([online.row(lines[lead], at, ASKED, []) for lead, at in asked])
    rows = pl.DataFrame(asked, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")
    frame = engine.to_polars(batch.compute(engine, tables, rows, ASKED))
    for found in (online_rows, batch.matrix(batch.named(frame, ASKED), ASKED)):
        assert np.array_equal(found, [[np.nan, 1, np.nan, 0]] * 2, equal_nan=True)
