from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import check
from leadlight.errors import InputError
from leadlight.schema import TABLES

AT = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {"text": pl.String, "instant": pl.Datetime("us", "UTC"), "number": pl.Float64}
VALUES = {"text": "x", "instant": AT, "number": 1.0}
NAMES = ("leads", "activities", "stages", "attribute_changes")


def frame(name):
    columns = TABLES[name]
    row = {column: VALUES[kind] for column, kind in columns.items()} | ({"stage": "sql"} if name == "stages" else {})
    return pl.DataFrame([row], schema={column: KINDS[kind] for column, kind in columns.items()})


@pytest.fixture
def paths(tmp_path):
    found = {}
    for name in NAMES:
        found[name] = tmp_path / f"{name}.parquet"
        frame(name).write_parquet(found[name])
    return found


def test_tables_as_ingest_writes_them_pass(paths):
    check.files(paths)


def test_optional_values_may_be_null_and_attributes_be_anything(paths):
    columns = ["received_at", "channel", "campaign", "content", "detail", "value"]
    frame("activities").with_columns(pl.lit(None).alias(column) for column in columns).with_columns(
        pl.col("received_at").cast(KINDS["instant"])
    ).write_parquet(paths["activities"])
    frame("leads").with_columns(size=1, since=AT.date()).write_parquet(paths["leads"])
    check.files(paths)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "+09:00"])
@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_any_zone_and_unit_is_an_instant(paths, zone, unit):
    table = frame("stages").to_arrow()
    column = table["entered_at"].cast(pa.timestamp(unit, zone))
    pq.write_table(table.set_column(table.column_names.index("entered_at"), "entered_at", column), paths["stages"])
    check.files(paths)


NAIVE = pl.col("occurred_at").dt.replace_time_zone(None)
WRONG = [
    ("activities", pl.lit(None, pl.String).alias("activity_id"), "1 rows of `activities` have no activity_id"),
    ("activities", pl.lit(None, pl.String).alias("lead_id"), "1 rows of `activities` have no lead_id"),
    ("activities", pl.lit(None, pl.String).alias("type"), "have no type"),
    ("leads", pl.lit(None, pl.String).alias("lead_id"), "1 rows of `leads` have no lead_id"),
    ("leads", pl.lit(None, KINDS["instant"]).alias("created_at"), "have no created_at"),
    ("attribute_changes", pl.lit(None, pl.String).alias("field"), "have no field"),
    ("activities", NAIVE, "activities.occurred_at holds times without a zone .* convert it to timestamp"),
    ("activities", pl.lit("2026-01-01").alias("occurred_at"), "is of type large_string, must be timestamp"),
    ("activities", pl.lit(1).alias("occurred_at"), "is of type int32, must be timestamp"),
    ("activities", pl.lit("1").alias("value"), "activities.value is of type large_string, must be a number"),
    ("leads", pl.lit(7).alias("lead_id"), "leads.lead_id is of type int32, must be text"),
]


@pytest.mark.parametrize(("name", "change", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_place(paths, name, change, message):
    pl.concat([frame(name).with_columns(change)]).write_parquet(paths[name])
    with pytest.raises(InputError, match=message):
        check.files(paths)


def test_a_missing_column_and_its_nearest(paths):
    frame("activities").rename({"occurred_at": "ocurred_at"}).write_parquet(paths["activities"])
    with pytest.raises(InputError, match="column `occurred_at` is missing; did you mean `ocurred_at`"):
        check.files(paths)


def test_files_without_statistics_are_read(paths):
    broken = pl.concat([frame("activities"), frame("activities").with_columns(lead_id=pl.lit(None, pl.String))])
    broken.write_parquet(paths["activities"], statistics=False)
    with pytest.raises(InputError, match="1 rows of `activities` have no lead_id"):
        check.files(paths)


def test_two_leads_of_one_id(paths):
    pl.concat([frame("leads"), frame("leads")]).write_parquet(paths["leads"])
    with pytest.raises(InputError, match="lead_id `x` stands in more than one row"):
        check.files(paths)


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_stages_that_the_funnel_does_not_have_are_counted_and_named(paths, kind):
    words = ["sql", "won", "won", "SQL", "lead"]
    stages = pl.concat([frame("stages").with_columns(stage=pl.lit(word)) for word in words])
    stages.cast({"stage": kind}).write_parquet(paths["stages"])
    with pytest.raises(InputError, match=r"the funnel has no stage `won` \(2 rows\), `SQL` \(1 rows\); known: `cust"):
        check.files(paths)
    many = [f"sqll{number}" for number in range(8)]
    pl.concat([frame("stages").with_columns(stage=pl.lit(word)) for word in many]).write_parquet(paths["stages"])
    with pytest.raises(InputError, match=r"`sqll4` \(1 rows\) and 3 others; did you mean `sql`"):
        check.files(paths)


def test_folders_of_parts_and_columns_in_their_names(paths, tmp_path):
    folder = tmp_path / "log"
    for kind in ("call", "visit"):
        (folder / f"type={kind}").mkdir(parents=True)
        frame("activities").drop("type").write_parquet(folder / f"type={kind}" / "a.parquet")
    check.files({**paths, "activities": folder})
    frame("activities").drop("type").with_columns(NAIVE).write_parquet(folder / "type=call" / "b.parquet")
    with pytest.raises(InputError, match="without a zone"):
        check.files({**paths, "activities": folder})


def test_what_is_no_parquet_file(paths, tmp_path):
    paths["stages"].write_text("lead_id,stage\n")
    with pytest.raises(InputError, match=r"`stages\.parquet` cannot be read as Parquet"):
        check.files(paths)
    with pytest.raises(InputError, match="there is no Parquet file at"):
        check.files({"stages": tmp_path / "nowhere"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there is no Parquet file at"):
        check.files({"stages": tmp_path / "empty"})


HELD = {
    "times with a zone": AT,
    "lists": ["x"],
    "records": {"a": 1},
    "durations": timedelta(days=1),
    "bytes": b"x",
}


def frames(value):
    """Give a lead with an attribute (and one without) as the frames of several engines."""
    made = pl.DataFrame({"lead_id": ["a", "b"], "created_at": [0, 0], "odd": [None, value]})
    with duckdb.connect() as connection:
        yield connection.from_arrow(made.to_arrow())
    yield from (made, made.lazy(), made.to_pandas(), made.to_pandas(use_pyarrow_extension_array=True))


@pytest.mark.parametrize(("told", "value"), HELD.items())
def test_attributes_that_engines_do_not_treat_alike_are_refused_where_they_are_read(told, value):
    for leads in frames(value):
        check.attributes(leads, ["industry", None])
        with pytest.raises(InputError, match=f"`leads`: attribute `odd` holds {told}; convert it to text or a number"):
            check.attributes(leads, ["odd"])


@pytest.mark.parametrize("value", ["x", 1, 1.5, True, None, AT.date(), AT.replace(tzinfo=None), Decimal("1.5")])
def test_other_attributes_pass(value):
    for leads in frames(value):
        check.attributes(leads, ["odd"])
