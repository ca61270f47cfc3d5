import pytest

from features.colleagues import colleagues
from leadlight.schema import DAY
from tests.features import market


def ids(record, lead_id, as_of):
    return sorted(line.lead_id for line in colleagues(market.tables(*record), lead_id, as_of))


@pytest.mark.parametrize("lead_id", ["p000", "p009", "p030", "p059"])
@pytest.mark.parametrize("as_of", [market.BASE, market.BASE + 1, market.BASE + DAY + 1, market.BASE + 4 * DAY])
def test_they_are_those_of_the_reference(lead_id, as_of):
    record = market.crowd()
    lead = next(row for row in record[0] if row["lead_id"] == lead_id)
    assert ids(record, lead_id, as_of) == sorted(row["lead_id"] for row in market.colleagues_of(record[0], lead, as_of))


def test_nobody_without_an_account_and_none_of_nobody():
    leads = [{"lead_id": name, "created_at": market.BASE, "account_id": None} for name in "ab"]
    record = (leads, [], [], [])
    assert ids(record, "a", market.BASE + 1) == []
    assert ids(record, "nobody", market.BASE + 1) == []


def test_they_come_with_what_they_did():
    record = market.crowd()
    found = {line.lead_id: line for line in colleagues(market.tables(*record), "p000", market.BASE + 4 * DAY)}
    assert len(found["p010"].activities) == 1
    assert found["p030"].changes[0].value == "new"
