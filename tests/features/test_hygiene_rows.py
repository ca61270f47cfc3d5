"""A log in order is judged by places and by few readings: as the same rows are in any order, by their ids."""

from dataclasses import replace
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import hygiene, hygiene_rows
from features.hygiene_settings import DomainSettings, HygieneSettings
from features.sifted import Sifted
from leadlight.schema import DAY
from tests.features.hygiene_market import BASE, SCHEMAS, SECOND, UNTIL, activities, activity, lead, tables

SETTINGS = (
    HygieneSettings(),
    HygieneSettings(duplicate_seconds=3.0, burst_seconds=60, burst_contents=2),
    HygieneSettings(click_before_open_seconds=3_600.0, burst_seconds=None),
    HygieneSettings(duplicate_seconds=None, click_before_open_seconds=None, future=False, too_early_days=None),
    HygieneSettings(sent_types=("mail_sent", "chat"), click_types=("mail_click", "page_view"), scanner_agents=()),
    HygieneSettings(burst_seconds=None, click_before_open_seconds=None, duplicate_seconds=None, scanner_agents=()),
)


def ordered(found):
    """Give the same tables with the log as ingestion writes it."""
    log = found.activities.sort("lead_id", "occurred_at", "activity_id")
    return replace(found, activities=log, in_order=True)


def judged(found, settings):
    cleaned = hygiene.clean(found, UNTIL, settings, unique_ids=True)
    aside = cleaned.set_aside.activities.collect().sort("activity_id")
    kept = cleaned.tables.activities.collect()
    return aside, kept, cleaned.counts()["activities"]


def same(found, settings):
    aside, kept, counts = judged(ordered(found), settings)
    wanted, others, counted = judged(found, settings)
    assert aside.equals(wanted)
    assert counts == counted
    assert kept.equals(others.sort("lead_id", "occurred_at", "activity_id"))
    return aside


@settings(max_examples=60, deadline=None)
@given(activities(), st.sampled_from(SETTINGS))
def test_places_say_what_ids_say(rows, chosen):
    same(tables(rows, leads=[lead("a"), lead("b", created_at=BASE + DAY)]), chosen)


def crowd(seed, leads, size):
    """Give a record of many leads in which every rule has something to do, and strangers."""
    random = Random(seed)
    kinds = ("mail_sent", "mail_open", "mail_click", "mail_click", "page_view", "chat")
    rows = []
    for number in range(size):
        off = random.randrange(40) * 0.5 + random.randrange(30) * 3_600
        off = random.choice([50 * 86_400, -400 * 86_400]) if random.random() < 0.01 else off
        row = activity(
            f"e{random.randrange(10**9):09}{number}", off, random.choice(kinds), f"l{random.randrange(leads)}"
        )
        late = random.choice([None, None, 0, 1, 4, 3_600])
        row["received_at"] = None if late is None else row["occurred_at"] + late * SECOND
        row["content"] = random.choice(["x", "y", "z", None])
        row["detail"] = random.choice([None, None, "Mozilla/5.0", "Firefox", "", "Googlebot/2"])
        rows.append(row)
    return tables(rows, leads=[lead(f"l{number}") for number in range(leads - 3)])


@pytest.mark.parametrize("chosen", SETTINGS[:2])
def test_a_file_in_many_pieces_is_judged_as_a_frame(tmp_path, chosen):
    found = crowd(7, 60, 6_000)
    log = ordered(found).activities.collect()
    log.write_parquet(tmp_path / "log.parquet", row_group_size=97)
    of_file = replace(found, activities=pl.scan_parquet(tmp_path / "log.parquet"), in_order=True)
    aside, kept, _ = judged(of_file, chosen)
    wanted = same(found, chosen)
    assert aside.equals(wanted)
    assert set(aside["cause"]) == {
        "future", "too_early", "scanner_agent", "duplicate", "click_before_open", "many_links",
    }  # fmt: skip
    assert kept.equals(log.filter(~pl.col("activity_id").is_in(aside["activity_id"].implode())))


def test_leads_of_listed_domains_leave_the_log_in_order():
    domains = HygieneSettings(domains=DomainSettings(attribute="domain", internal=("own.jp",)))
    found = crowd(3, 20, 300)
    own = pl.col("lead_id").str.contains("1").replace_strict({True: "own.jp", False: "ok.jp"})
    same(replace(found, leads=found.leads.with_columns(domain=own)), domains)
    assert hygiene.clean(ordered(found), UNTIL, domains, unique_ids=True).tables.in_order


def test_what_is_left_is_read_by_places():
    cleaned = hygiene.clean(
        ordered(tables([activity("1"), activity("2", 0.5), activity("3", 9)])), UNTIL, unique_ids=True
    )
    assert Sifted.of_tables(cleaned.tables).aside.tolist() == [1]
    assert list(cleaned.set_aside.activities.collect_schema()) == [*SCHEMAS["activities"], "cause"]


def test_ids_of_a_log_in_order_are_not_read():
    found = tables([activity("1"), activity("2", 0.5)])

    def never(_):
        raise AssertionError("an id was read")

    log = found.activities.with_columns(pl.col("activity_id").map_batches(never, return_dtype=pl.String))
    cleaned = hygiene.clean(replace(found, activities=log, in_order=True), UNTIL, unique_ids=True)
    assert cleaned.counts()["activities"] == {"duplicate": 1}
    assert cleaned.tables.activities.select("occurred_at").collect().height == 1


@pytest.mark.parametrize("lazy", [True, False])
def test_beside_is_null_where_nothing_stands(lazy):
    import narwhals as nw

    frame = pl.DataFrame({"a": ["x", "x", "y", "x"], "b": [None, None, None, "1"], "n": [2, 1, 3, 4]})
    frame = nw.from_native(frame.lazy() if lazy else frame.to_pandas())
    for places, wanted in ((1, [None, 1, None, None]), (-1, [2, None, None, None])):
        found = hygiene_rows.beside(frame, places, ["a", "b"], ["n"], ["n"]).lazy().collect().to_polars().sort("n")
        assert found["__n"].cast(pl.Int64, strict=False).fill_nan(None).to_list() == wanted
