import numpy as np
import polars as pl
import pytest

from tests.training import audited
from training.audit_columns import along, examine, moved
from training.audit_later import Later

NOTHING = Later((), (), ())


@pytest.fixture(scope="module")
def known():
    return audited.known(audited.frames())


def verdicts(values, kind, known):
    return {sign.verdict for sign in examine(values, kind, known, NOTHING).signs}


def test_an_honest_column_has_evidence_and_no_sign(known):
    found = examine(known.frame["interest"], "number", known, NOTHING)
    assert found.signs == ()
    assert 0.5 < found.evidence["auc_won"] < 0.84
    assert len(found.evidence["auc_by_time"]) == 5
    assert found.log_odds.shape == (known.judged.sum(),)


def test_a_name_of_the_lead_is_suspect(known):
    assert verdicts(known.frame["lead_id"], "category", known) == {"suspect"}


def test_a_running_number_is_a_clock(known):
    assert verdicts(pl.Series(np.arange(len(known))), "number", known) == {"suspect"}


def test_a_number_given_anew_at_conversion_is_a_leak(known):
    given = np.argsort(np.argsort(np.where(known.won, known.outcome_at, known.created)))
    assert "leak" in verdicts(pl.Series(given), "number", known)
    assert moved(given.astype(float), known).auc > 0.9


def test_fill_rates_of_won_lost_and_open_leads_are_told(known):
    values = pl.Series(np.where(known.closed, "x", None).tolist(), dtype=pl.String)
    found = examine(values, "category", known, NOTHING).evidence
    assert (found["filled_won"], found["filled_lost"], found["filled_open"]) == (1.0, 1.0, 0.0)
    assert found["filled_odds_closed"] > 100


def test_along_looks_across_cohorts(known):
    assert along(known.cohort.astype(float), known).auc == pytest.approx(0.5, abs=0.1)
    assert along(known.won.astype(float), known).auc == 1.0
