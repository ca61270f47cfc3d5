from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.training import audited
from training.audit_known import COHORTS, enough, known_at_cut


@pytest.fixture(scope="module")
def made():
    return audited.frames()


def test_outcomes_are_those_known_at_the_cut(made):
    known = audited.known(made)
    assert known.frame["created_at"].max() < audited.CUT
    assert (known.won == (known.frame["wins"] & (known.frame["outcome"] < audited.CUT)).to_numpy()).all()
    assert not (known.won & known.lost).any()
    assert (known.outcome_at[known.closed] < audited.CUT).all()
    assert known.open == len(known) - known.closed.sum()


def test_judged_are_leads_whose_horizon_has_ended(made):
    known = audited.known(made)
    assert (known.judged == (known.created + audited.HORIZON <= audited.CUT)).all()
    assert set(known.cohort[known.judged]) == set(range(COHORTS))


def test_with_few_old_leads_all_are_judged(made):
    known = known_at_cut(audited.tables(made), "customer", 400 * 86_400_000_000, audited.CUT, 0)
    assert known.judged.all()


def test_questions_need_enough_of_both(made):
    assert set(audited.known(made).events()) == {"won", "lost", "closed"}
    only = {**made, "stages": made["stages"].filter(pl.col("stage") == "customer")}
    assert set(audited.known(only).events()) == {"won"}
    assert not enough(np.array([True] * 19 + [False] * 100))
    assert not enough(np.array([True] * 100 + [False] * 19))


def test_without_a_clock_everyone_is_judged(made):
    known = known_at_cut(audited.tables(made), "customer", None, audited.CUT, 0)
    assert known.judged.all()
    assert not known.timed


def test_a_reopened_lead_that_wins_has_won(made):
    lead = made["leads"].filter("loses")["lead_id"][0]
    entered = made["stages"].filter(pl.col("lead_id") == lead).with_columns(stage=pl.lit("customer"))
    both = {**made, "stages": pl.concat([made["stages"], entered])}
    known = audited.known(both)
    at = known.frame["lead_id"].to_list().index(lead)
    assert (known.won[at], known.lost[at]) == (True, False)


def test_folds_are_drawn_by_the_seed(made):
    one, same, other = (audited.known(made, seed).fold for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()
    assert replace(audited.known(made), cut=0).cut == 0
