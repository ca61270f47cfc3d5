from datetime import UTC, datetime

import polars as pl
import pytest

from features import hygiene_merges
from features.hygiene_merges import Merge
from leadlight.errors import InputError
from leadlight.schema import DAY
from tests.features.hygiene_market import BASE, SECOND, activity, lead, on_duckdb, tables

LATER = BASE + 5 * DAY


def carried(merges, **rows):
    return hygiene_merges.carry(tables(**rows), merges)


def test_activities_stages_and_changes_go_to_the_lead_that_stays():
    stage = {"lead_id": "b", "stage": "sql", "entered_at": BASE}
    change = {"lead_id": "b", "field": "f", "changed_at": BASE, "value": "x"}
    rows = {"activities": [activity("1", lead_id="b")], "stages": [stage], "changes": [change]}
    kept, gone = carried([Merge("b", "a")], **rows)
    for frame in (kept.activities, kept.stages, kept.changes, kept.leads):
        assert frame.collect()["lead_id"].to_list() == ["a"]
    assert gone.leads.collect().select("lead_id", "cause").rows() == [("b", "merged_lead")]
    found = hygiene_merges.carry(on_duckdb(tables(**rows)), [Merge("b", "a")])[0]
    assert [row[1] for row in found.activities.fetchall()] == ["a"]


def test_what_was_carried_is_known_from_the_merge_on():
    rows = [
        activity("1", lead_id="b"),
        activity("2", lead_id="b", received_at=BASE + SECOND),
        activity("3", lead_id="b", received_at=LATER + DAY),
        activity("4"),
    ]
    kept, _ = carried([Merge("b", "a", LATER)], activities=rows)
    found = kept.activities.collect().sort("activity_id")["received_at"].to_list()
    assert found == [LATER, LATER, LATER + DAY, None]


def test_chains_end_where_they_end_and_are_known_from_the_last_step():
    ends = hygiene_merges.resolve([Merge("a", "b", 5), Merge("b", "c", 3), Merge("x", "b")])
    assert ends == {"a": Merge("a", "c", 5), "b": Merge("b", "c", 3), "x": Merge("x", "c", 3)}


@pytest.mark.parametrize("length", [1, 3])
def test_a_circle_is_refused(length):
    names = "abc"[:length]
    circle = [Merge(name, names[(place + 1) % length]) for place, name in enumerate(names)]
    with pytest.raises(InputError, match=r"is a circle; take one of its rows out"):
        hygiene_merges.resolve(circle)


def test_two_leads_that_stay_are_refused():
    with pytest.raises(InputError, match=r"`a` goes into `b` and into `c`; leave one"):
        hygiene_merges.resolve([Merge("a", "b"), Merge("a", "c")])


def test_history_goes_nowhere_unknown_and_who_is_gone_already_is_passed_over():
    with pytest.raises(InputError, match=r"`bb` does not exist; did you mean `b`"):
        carried([Merge("a", "bb")])
    kept, gone = carried([Merge("stranger", "a")])
    assert kept.leads.collect().height == 2
    assert gone.leads.collect().height == 0


@pytest.mark.parametrize(
    ("at", "begin"), [(None, BASE - DAY), (BASE, BASE - DAY), (LATER, BASE)], ids=["ever", "then", "later"]
)
def test_the_lead_that_stays_begins_with_the_earliest_known_when_it_was_made(at, begin):
    kept, _ = carried([Merge("b", "a", at)], leads=[lead("a"), lead("b", created_at=BASE - DAY)])
    assert kept.leads.collect().select("lead_id", "created_at").rows() == [("a", begin)]


def test_of_two_changes_at_one_instant_its_own_stays():
    change = {"field": "f", "changed_at": BASE}
    rows = [{"lead_id": "b", "value": "1", **change}, {"lead_id": "a", "value": "2", **change}]
    kept, gone = carried([Merge("b", "a")], changes=rows)
    assert kept.changes.collect()["value"].to_list() == ["2"]
    assert gone.changes.collect().select("value", "cause").rows() == [("1", "merged_change")]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_map_is_read(tmp_path, suffix):
    path = tmp_path / f"merges.{suffix}"
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    frame = pl.DataFrame({"lead_id": ["1", "2"], "into_lead_id": ["3", "3"], "merged_at": [at, None]})
    if suffix == "csv":
        frame.with_columns(pl.col("merged_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(path)
    else:
        frame.write_parquet(path)
    known = int(at.timestamp()) * SECOND
    assert hygiene_merges.read(path) == (Merge("1", "3", known), Merge("2", "3", None))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lead_id,into\n1,2\n", r"`into` does not exist; did you mean `into_lead_id`"),
        ("lead_id\n1\n", "`into_lead_id` is missing"),
        ("lead_id,into_lead_id\n1,2\n3,\n", "line 3: .* must both name a lead"),
        ("lead_id,into_lead_id,merged_at\n1,2,yesterday\n", "line 2: merged_at `yesterday`"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path, text, message):
    path = tmp_path / "merges.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        hygiene_merges.read(path)
    with pytest.raises(InputError, match="does not exist"):
        hygiene_merges.read(tmp_path / "none.csv")
