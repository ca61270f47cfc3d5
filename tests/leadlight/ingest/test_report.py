import pytest

from leadlight.errors import LeadlightError
from leadlight.ingest.report import FileReport, IngestReport, Retried, TableReport, check_balance


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
