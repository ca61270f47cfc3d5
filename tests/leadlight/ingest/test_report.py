import polars as pl
import pytest

from leadlight.errors import LeadlightError
from leadlight.ingest.report import (
    Cleared,
    Example,
    FileReport,
    IngestReport,
    Retried,
    TableReport,
    Unreadable,
    check_balance,
)


def report(**counts):
    return TableReport("leads", **counts)


def test_a_lost_row_is_noticed():
    whole = report(rows=5, stored=1, updated=1, duplicates=1, quarantined=2, causes={"x": 2})
    check_balance([FileReport("f.csv", tables=[whole])], Retried(rows=2, stored=1, waiting=1))
    with pytest.raises(LeadlightError, match=r"f.csv -> leads: 2 rows in, 1 accounted for"):
        check_balance([FileReport("f.csv", tables=[report(rows=2, stored=1)])], Retried())
    with pytest.raises(LeadlightError, match=r"f.csv -> leads"):
        check_balance([FileReport("f.csv", tables=[report(rows=1, quarantined=1)])], Retried())
    with pytest.raises(LeadlightError, match="rows retried from quarantine do not add up"):
        check_balance([], Retried(rows=2, stored=1))


def test_totals():
    file = FileReport("f.csv", rows=9, malformed=1, tables=[report(rows=3, stored=1), report(rows=2)])
    file.tables[1].quarantine("x", 1)
    file.tables[1].quarantine("x", 1)
    made = IngestReport("g", 0, "time", [file], Retried(), {})
    assert (made.total("stored"), made.quarantined, made.nothing_stored) == (1, 3, False)
    assert file.tables[1].causes == {"x": 2}
    assert made.to_json()["files"][0]["tables"][0]["stored"] == 1


def test_unreadable_values_add_up_over_batches_and_keep_the_first_three():
    made = report()
    made.read({"size": Unreadable(0, 4)}, Cleared())
    made.read({"size": Unreadable(2, 3, [Example(7, "a"), Example(8, "b")]), "age": Unreadable(0, 1)}, Cleared())
    made.read({"size": Unreadable(2, 2, [Example(9, "c"), Example(10, "d")])}, Cleared())
    first = [Example(7, "a"), Example(8, "b"), Example(9, "c")]
    assert made.unreadable == {"size": Unreadable(4, 9, first), "age": Unreadable(0, 1)}
    file = FileReport("f.csv", tables=[made, report(unreadable={"size": Unreadable(1, 1)})])
    assert IngestReport("g", 0, "time", [file], Retried(), {}).unreadable == 5


def test_changes_to_nothing_add_up_and_are_told():
    made = report()
    made.read({}, Cleared.among(pl.Series([None, "x", None])))
    made.read({}, Cleared.among(pl.Series(["x"])))
    assert made.cleared == Cleared(2, 4)
    assert made.cleared.sentence() == "2 of 4 changes clear their attribute, which is missing from then on"
    file = FileReport("f.csv", tables=[made, report(cleared=Cleared(1, 1))])
    assert IngestReport("g", 0, "time", [file], Retried(), {}).to_json()["cleared"] == 3


def test_where_every_change_clears_the_mapping_is_doubted():
    assert Cleared(1_200, 1_200).sentence() == (
        "all 1,200 changes clear their attribute, which is missing from then on; "
        "does the mapping read `value` from the right column?"
    )


def test_a_sentence_shows_examples_and_doubts_a_mapping_by_which_nothing_could_be_read():
    some = Unreadable(1, 1_200, [Example(4, "a\n b")])
    said = "1 of 1,200 values of `x` are no number within ±10^15 and count as missing: `a b` in row 4"
    assert some.sentence("x") == said
    none = Unreadable(1_200, 1_200, [Example.of(4, "y" * 50)])
    assert none.sentence("x") == (
        f"all 1,200 values of `x` are no number within ±10^15 and count as missing: `{'y' * 40}...` in row 4; "
        "does the mapping need `strip`, or is it no number?"
    )
