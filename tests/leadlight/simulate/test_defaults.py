"""The default market lies in the usual ranges of practice, seen as a practitioner would: on closed cohorts."""

import numpy as np
import pytest

from leadlight.schema import ACTIVITY_TYPES, DAY, STAGES
from leadlight.simulate.market import MAX_TYPES
from tests.leadlight.simulate.conftest import first_entries

NEVER = np.iinfo(np.int64).max
LEAD, MQL, SQL, OPPORTUNITY, CUSTOMER, LOST = range(len(STAGES))


@pytest.fixture(scope="module")
def cohort(record):
    """Leads created in the first half of the period: half of it or more is known of each."""
    middle = record.options.start_us + (record.options.observed_until_us - record.options.start_us) // 2
    return record.created_us < middle


@pytest.mark.parametrize(
    ("origin", "target", "low", "high"),
    [
        (None, MQL, 0.10, 0.20),
        (MQL, SQL, 0.30, 0.50),
        (SQL, OPPORTUNITY, 0.50, 0.70),
        (OPPORTUNITY, CUSTOMER, 0.20, 0.40),
        (None, CUSTOMER, 0.01, 0.05),
    ],
)
def test_the_funnel_is_in_its_usual_ranges(record, cohort, *, origin, target, low, high):
    base = cohort if origin is None else cohort & (first_entries(record, [origin]) < NEVER)
    assert low <= (first_entries(record, [target])[base] < NEVER).mean() <= high


def test_some_lost_leads_are_reopened(record, cohort):
    lost_at = first_entries(record, [LOST])
    later = (record.move_stage == OPPORTUNITY) & (record.move_at_us > lost_at[record.move_lead])
    reopened = np.isin(np.arange(len(lost_at)), record.move_lead[later])
    assert 0.05 <= reopened[cohort & (lost_at < NEVER)].mean() <= 0.15


def test_a_decision_takes_six_to_ten_months(record, cohort):
    won = first_entries(record, [CUSTOMER])
    days = (won - record.created_us)[cohort & (won < NEVER)] / DAY
    assert 180 <= np.median(days) <= 305


def test_three_to_seven_people_a_company(record):
    assert 3 <= 20_000 / len(record.people.company_codes) <= 7


def test_about_fifty_activities_a_lead_of_all_kinds(record):
    assert 45 <= len(record.lead) / 20_000 <= 57
    assert set(np.unique(record.kind)) == set(range(len(ACTIVITY_TYPES)))


def test_some_leads_leave_no_activity(record):
    assert np.setdiff1d(np.arange(20_000), record.lead).size > 0


def test_at_most_eight_types(market):
    assert len(market.types) <= MAX_TYPES
