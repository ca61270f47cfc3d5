import numpy as np
import polars as pl
import pytest

from leadlight.schema import DAY
from tests.training import audited
from training import audit_times


@pytest.fixture(scope="module")
def known():
    return audited.known(audited.frames())


def dates(instants, chosen):
    text = pl.Series(instants).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    return pl.select(pl.when(pl.Series(chosen)).then(text)).to_series()


def test_a_close_date_meets_the_outcomes(known):
    found = audit_times.coincidence(dates(known.outcome_at, known.closed), "category", known)
    assert found.share > 0.95
    assert found.by_chance < 0.2
    assert found.unit == "dates"


@pytest.mark.parametrize(("unit", "width"), audit_times.UNITS.items())
def test_the_time_since_closing_meets_the_outcomes_in_any_unit(known, unit, width):
    since = np.where(known.closed, (audited.END - known.outcome_at) / width, np.nan)
    found = audit_times.coincidence(pl.Series(since), "number", known)
    assert found.share > 0.95
    assert found.unit == unit


def test_the_creation_is_not_taken_for_the_outcome(known):
    since = pl.Series((audited.END - known.created) / DAY)
    found = audit_times.coincidence(since, "number", known)
    assert found.share < audit_times.SOON  # a share at all
    assert found.share <= 2 * found.by_chance
    assert audit_times.clock(since, "number", known) > 0.99


def test_few_leads_that_meet_it_prove_little(known):
    few = np.flatnonzero(known.closed)[:20]
    met = np.where(np.isin(np.arange(len(known)), few), (audited.END - known.outcome_at) / DAY, np.nan)
    found = audit_times.coincidence(pl.Series(met), "number", known)
    assert found.share == 1.0
    assert found.least < 0.8


def test_a_constant_meets_no_outcome(known):
    found = audit_times.coincidence(pl.Series([3.0] * len(known)), "number", known)
    assert found.share <= found.by_chance


def test_infinities_are_no_instants(known):
    assert audit_times.coincidence(pl.Series([np.inf] * len(known)), "number", known) is None


def test_words_are_no_instants():
    assert audit_times.instants(pl.Series(["2024-01-01", "soon"]), "category") is None
    assert audit_times.instants(pl.Series([None], dtype=pl.String), "category") is None
    assert audit_times.instants(pl.Series([1.0]), "number") is None
    assert audit_times.instants(pl.Series(["1970-01-02T10:00", None]), "category")[0] == DAY
    assert np.isnan(audit_times.instants(pl.Series(["2024-02-30"]), "category")[0])


def test_a_few_values_are_no_clock(known):
    assert audit_times.clock(pl.Series(known.created // (100 * DAY)), "number", known) is None
    assert audit_times.clock(known.frame["industry"], "category", known) is None
    assert audit_times.clock(known.frame["interest"], "number", known) < 0.1


def test_leads_in_the_order_of_creation_have_not_moved(known):
    assert not audit_times.beyond_creation(known.created.astype(float), known).any()
    position = np.arange(len(known), dtype=float)
    position[5] = np.nan
    assert np.isnan(audit_times.beyond_creation(position, known)[5])
