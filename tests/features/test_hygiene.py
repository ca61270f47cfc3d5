from dataclasses import replace

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import chunks, hygiene, hygiene_settings
from features.hygiene_merges import Merge
from features.hygiene_settings import DomainSettings, HygieneSettings
from features.tables import before
from leadlight.errors import InputError
from leadlight.schema import DAY
from leadlight.workspace import TablesInfo, Workspace
from tests.features.hygiene_market import BASE, SCHEMAS, SECOND, UNTIL, activities, activity, lead, on_duckdb, tables

DOMAINS = HygieneSettings(domains=DomainSettings(attribute="domain", internal=("own.jp",), competitors=("rival.com",)))


def ids(frame):
    return sorted(frame.collect()["activity_id"].to_list())


def causes(cleaned):
    rows = cleaned.set_aside.activities.collect()
    return dict(zip(rows["activity_id"].to_list(), rows["cause"].to_list(), strict=True))


def same(left, right):
    for name in SCHEMAS:
        one, other = (getattr(side, name).collect().select(list(SCHEMAS[name])) for side in (left, right))
        assert one.sort(one.columns).equals(other.sort(other.columns)), name


@settings(max_examples=25, deadline=None)
@given(activities())
def test_nothing_is_lost_and_cleaning_twice_is_cleaning_once(rows):
    cleaned = hygiene.clean(tables(rows), UNTIL)
    kept, aside = ids(cleaned.tables.activities), ids(cleaned.set_aside.activities)
    assert sorted(kept + aside) == sorted(row["activity_id"] for row in rows)
    report = cleaned.report()
    for name, number in report.rows.items():
        assert number == report.kept[name] + sum(report.set_aside[name].values())
    assert report.rows["activities"] == len(rows)
    again = hygiene.clean(cleaned.tables, UNTIL)
    same(again.tables, cleaned.tables)
    assert again.report().causes() == {}


@settings(max_examples=40, deadline=None)
@given(activities(), st.sampled_from([2.0, 5.000001, 9.0, 12.5, 4_000.0]))
def test_cleaning_and_looking_back_can_be_exchanged(rows, seconds):
    """What comes later never decides: else training would know what a service cannot."""
    as_of = BASE + round(seconds * SECOND)
    whole = tables(rows, leads=[lead("a", created_at=BASE - 1), lead("b", created_at=BASE - 1)])
    first = hygiene.clean(before(whole, as_of), UNTIL).tables
    same(first, before(hygiene.clean(whole, UNTIL).tables, as_of))


def test_duckdb_decides_alike():
    """One rich record; `tests/parity/test_hygiene.py` compares all engines on a random one."""
    rows = [
        activity("1", 1, "mail_sent", content="x"),
        *(activity(f"2{name}", 3, "mail_click", content=name) for name in "xyz"),
        activity("3", 9, "page_view"),
        activity("4", 9.5, "page_view", received_at=BASE + DAY),
        activity("5", 11, detail="Barracuda"),
        activity("6", -DAY),
        activity("7", 12, "mail_open", "b", content="x"),
    ]
    expected = hygiene.clean(tables(rows), UNTIL)
    found = hygiene.clean(on_duckdb(tables(rows)), UNTIL)
    aside = {row[0]: row[-1] for row in found.set_aside.activities.fetchall()}
    assert aside == causes(expected)
    assert sorted(row[0] for row in found.tables.activities.fetchall()) == ids(expected.tables.activities)


def test_a_connection_keeps_its_own_views_and_gets_none_of_ours():
    found = tables([activity("1"), activity("2", 0.5), activity("3", 9, lead_id="b")])
    own = on_duckdb(found)
    own.leads.query("_settled", "CREATE TEMP VIEW mine AS SELECT 1 AS one")
    cleaned = hygiene.clean(own, UNTIL, merges=[Merge("b", "a")])
    assert cleaned.report().causes() == {"duplicate": 1, "merged_lead": 1}
    views = own.leads.query("_asked", "SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert {name for (name,) in views} - {"_asked", "_settled"} == {"mine"}


@settings(max_examples=15, deadline=None)
@given(activities())
def test_the_order_of_the_rows_does_not_matter(rows):
    ordered = sorted(rows, key=lambda row: (row["lead_id"], row["occurred_at"], row["activity_id"]))
    assert causes(hygiene.clean(tables(rows), UNTIL)) == causes(hygiene.clean(tables(ordered), UNTIL))


def test_pandas_frames_are_cleaned_alike():
    rows = [activity("1"), activity("2", 0.5), activity("3", 90)]
    found = tables(rows)
    frames = type(found)(*(getattr(found, name).collect().to_pandas() for name in SCHEMAS))
    cleaned = hygiene.clean(frames, UNTIL)
    assert sorted(cleaned.tables.activities["activity_id"]) == ["1", "3"]


def test_repeated_ids_leave_the_first_known():
    rows = [
        activity("1", 50, received_at=BASE + DAY, content="late"),
        activity("1", 60, content="first"),
        activity("1", 60, content="first"),
        activity("2", 70),
    ]
    for found in (tables(rows), on_duckdb(tables(rows))):
        cleaned = hygiene.clean(found, UNTIL)
        report = cleaned.report()
        assert report.causes() == {"duplicate_id": 2}
        assert report.kept["activities"] == 2
    assert hygiene.clean(tables(rows), UNTIL).tables.activities.collect()["content"].to_list().count("first") == 1
    off = hygiene.clean(tables(rows), UNTIL, HygieneSettings(duplicate_ids=False, duplicate_seconds=None))
    assert off.report().kept["activities"] == 4


@pytest.mark.parametrize(
    ("domain", "cause"),
    [
        ("own.jp", "internal_domain"),
        (" Taro@Own.JP ", "internal_domain"),
        ("mail.own.jp", "internal_domain"),
        ("https://rival.com/about", "competitor_domain"),
        ("notown.jp", None),
        ("own.jp.example", None),
        ("ownxjp", None),
        (None, None),
    ],
)
def test_leads_of_listed_domains_go_with_all_they_did(domain, cause):
    found = tables(
        [activity("1"), activity("2", lead_id="b")],
        leads=[lead("a", domain=domain), lead("b")],
        stages=[{"lead_id": "a", "stage": "sql", "entered_at": BASE}],
        changes=[{"lead_id": "a", "field": "f", "changed_at": BASE, "value": "x"}],
    )
    report = hygiene.clean(found, UNTIL, DOMAINS).report()
    assert report.causes() == ({} if cause is None else {cause: 1})
    gone = 0 if cause is None else 1
    assert report.kept == {"leads": 2 - gone, "activities": 2 - gone, "stages": 1 - gone, "attribute_changes": 1 - gone}


def test_an_attribute_that_is_no_column_is_named_with_the_nearest():
    wrong = HygieneSettings(domains=DomainSettings(attribute="domian", internal=("own.jp",)))
    with pytest.raises(InputError, match=r"`domian` does not exist; did you mean `domain`"):
        hygiene.clean(tables(), UNTIL, wrong)


@pytest.mark.parametrize("column", ["activity_id", "lead_id"])
def test_null_ids_are_refused(column):
    with pytest.raises(InputError, match=f"1 rows of `activities` have no {column}"):
        hygiene.clean(tables([{**activity("1"), column: None}, activity("2")]), UNTIL)


def publish(root, found, clock="time"):
    room = Workspace.at(root)
    names = {"leads": "leads", "activities": "activities", "stages": "stages", "changes": "attribute_changes"}
    instants = {"created_at", "occurred_at", "received_at", "entered_at", "changed_at"}
    for field, name in names.items():
        path = room.table_path(name, "g1")
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = getattr(found, field).collect()
        times = [pl.col(column).cast(pl.Datetime("us", "UTC")) for column in frame.columns if column in instants]
        frame.with_columns(times).write_parquet(path)
    room.publish_tables(TablesInfo("g1", UNTIL, clock, (), {}))
    return room


def test_a_workspace_is_cleaned_by_its_own_settings_and_merges(tmp_path):
    room = publish(tmp_path, tables([activity("1"), activity("2", 0.5), activity("3", 9, lead_id="b")]))
    assert hygiene.of_workspace(room).report().causes() == {"duplicate": 1}
    room.hygiene.write_text("duplicate_seconds: null\n", encoding="utf-8")
    (room.root / "merges.csv").write_text("lead_id,into_lead_id\nb,a\n", encoding="utf-8")
    cleaned = hygiene.of_workspace(room)
    assert cleaned.report().causes() == {"merged_lead": 1}
    hygiene.write_set_aside(cleaned, room)
    aside = pl.read_parquet(room.set_aside_path("leads", "g1"))
    assert aside.select("lead_id", "cause").rows() == [("b", "merged_lead")]
    assert hygiene.of_workspace(room, hygiene_settings.HygieneSettings()).report().causes() == {
        "duplicate": 1,
        "merged_lead": 1,
    }


def test_merges_and_rules_work_together_and_lose_nothing():
    rows = [activity("1", 5), activity("2", 5.5, lead_id="b"), activity("3", 40, lead_id="b")]
    cleaned = hygiene.clean(tables(rows), UNTIL, merges=[Merge("b", "a")])
    assert causes(cleaned) == {"2": "duplicate"}
    assert cleaned.tables.leads.collect()["lead_id"].to_list() == ["a"]
    again = hygiene.clean(cleaned.tables, UNTIL, merges=[Merge("b", "a")])
    same(again.tables, cleaned.tables)


def test_the_leads_that_stay_are_known_without_their_activities():
    found = tables([activity("1")], leads=[lead(name, created_at=BASE - at) for at, name in enumerate("abc")])
    found = replace(found, leads=found.leads.with_columns(domain=pl.lit("own.jp")))
    wanted = HygieneSettings(domains=DomainSettings(attribute="domain", competitors=("rival.com",)))
    merges = [Merge("c", "a")]
    kept = hygiene.leads(found, wanted, merges).collect().sort("lead_id")
    assert kept.equals(hygiene.clean(found, UNTIL, wanted, merges).tables.leads.collect().sort("lead_id"))
    assert kept.select("lead_id", "created_at").rows() == [("a", BASE - 2), ("b", BASE - 1)]
    assert hygiene.leads(found, DOMAINS).collect().is_empty()


def test_what_stays_of_a_large_log_stays_in_order(tmp_path):
    """Of a small one Polars keeps the order whatever is asked of it."""
    number, per_lead = 1_200_000, 60
    row = pl.int_range(number)
    run = row // per_lead
    columns = {
        "activity_id": pl.format("e{}", row),
        "lead_id": pl.format("l{}", run * 7_919 % (number // per_lead)),  # together, but not by name
        "type": pl.lit("page_view"),
        "occurred_at": BASE + (row % per_lead) * 60 * SECOND - (row % 25 == 1).cast(pl.Int64) * 60 * SECOND,
        "actor": pl.lit("lead"),
    }
    log = pl.select(**columns)
    leads = [lead(f"l{place}") for place in range(number // per_lead)]
    empty = tables(leads=leads)
    empty = replace(empty, leads=empty.leads.with_columns(account_id=pl.lit(None, pl.String)))
    pl.concat([empty.activities.collect(), log], how="diagonal").write_parquet(tmp_path / "log", row_group_size=60_000)
    whole = replace(empty, activities=pl.scan_parquet(tmp_path / "log"), in_order=True)

    found = hygiene.clean(whole, BASE + 10 * DAY, unique_ids=True)
    stayed = found.tables.activities.select("activity_id").collect(engine="streaming")["activity_id"]
    places = stayed.str.slice(1).cast(pl.Int64)
    assert 0 < len(places) < number
    assert places.is_sorted()
    assert found.tables.in_order
    parts = chunks.split(found.tables, pl.DataFrame({"lead_id": ["l0", "l12081"], "as_of": [BASE, BASE]}), (), 100_000)
    assert len(list(parts)) == 2  # its first run and its last


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("merges", [(), (Merge("b", "a"),)])
def test_an_attribute_may_be_called_cause(engine, merges):
    found = tables([activity("1")], leads=[lead("a", domain="own.jp"), lead("b", domain="else.jp")])
    found = replace(found, leads=found.leads.rename({"domain": "cause"}))
    found = on_duckdb(found) if engine == "duckdb" else found
    settings = HygieneSettings(domains=DomainSettings(attribute="cause", internal=("own.jp",)))
    cleaned = hygiene.clean(found, UNTIL, settings, merges)
    gone = nw.from_native(cleaned.set_aside.leads).lazy().collect().to_polars().sort("lead_id")
    merged = [("b", "else.jp", "merged_lead")] if merges else []
    assert gone.select("lead_id", "__cause", "cause").rows() == [("a", "own.jp", "internal_domain"), *merged]
    assert "cause" in nw.from_native(cleaned.tables.leads).lazy().collect_schema().names()


def test_tables_as_they_are_may_have_an_attribute_called_cause():
    found = tables([activity("1")])
    found = replace(found, leads=found.leads.rename({"domain": "cause"}))
    assert hygiene.as_they_are(found).counts() == {name: {} for name in hygiene.FIELDS.values()}


def test_an_attribute_named_like_a_column_of_our_own_is_refused():
    found = tables([activity("1")])
    with pytest.raises(InputError, match="`__cause` begins with `__`"):
        hygiene.clean(replace(found, leads=found.leads.rename({"domain": "__cause"})), UNTIL)
