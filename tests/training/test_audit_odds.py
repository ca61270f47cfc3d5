import numpy as np
import polars as pl
import pytest

from tests.training import audited
from training import audit_odds
from training.audit_groups import of_numbers, of_texts


@pytest.fixture(scope="module")
def known():
    return audited.known(audited.frames())


def words(values):
    return pl.Series(values.tolist(), dtype=pl.String)


def test_a_field_that_only_winners_have(known):
    filled = of_texts(words(np.where(known.won, "x", None)))
    odds = audit_odds.filled(filled, known.won, known)
    assert odds.least > 100
    assert (odds.which, odds.rate, odds.other_rate) == ("filled", 1.0, 0.0)


def test_a_field_that_only_winners_lack(known):
    lacking = of_texts(words(np.where(known.won, None, "x")))
    odds = audit_odds.filled(lacking, known.won, known)
    assert odds.which == "missing"
    assert odds.least > 100


def test_a_field_filled_by_chance_says_nothing(known):
    chance = np.random.default_rng(0).random(len(known)) < 0.5
    some = of_texts(words(np.where(chance, "x", None)))
    assert audit_odds.filled(some, known.won, known).least < 1.5


def test_a_field_that_all_have_or_nobody_has_cannot_be_compared(known):
    for value in ("x", None):
        groups = of_texts(pl.Series([value] * len(known), dtype=pl.String))
        assert audit_odds.filled(groups, known.won, known) is None
        assert audit_odds.ends(groups, known.won, known) is None


def test_the_upper_part_of_a_number_counts_as_a_whole(known):
    x = np.random.default_rng(0).normal(size=len(known)) + 10 * known.won
    odds = audit_odds.tail(of_numbers(x), known.won, known)
    assert odds.least > 300
    assert odds.which.startswith("more than")
    assert audit_odds.tail(of_texts(known.frame["industry"]), known.won, known) is None


def test_the_ends_are_the_best_and_the_worst_value(known):
    words = np.where(known.won, "client", np.where(known.lost, "former", "prospect"))
    odds = audit_odds.ends(of_texts(pl.Series(words)), known.won, known)
    assert odds.which.startswith("`client` against ")
    assert odds.rate == 1.0
    assert odds.least > 1_000


def test_few_leads_prove_little(known):
    few = np.zeros(len(known))
    few[np.flatnonzero(known.won & known.judged)[:12]] = 1
    few[np.flatnonzero(~known.won & known.judged)[:12]] = 1
    assert audit_odds.value(of_numbers(few), known.won, known).least < 10


def test_one_value_alone_has_no_others(known):
    assert audit_odds.value(of_numbers(np.ones(len(known))), known.won, known) is None


def test_another_value_than_the_usual_one(known):
    values = np.where(known.won, np.where(known.cohort % 2 == 0, "gold", "silver"), "standard")
    odds = audit_odds.default(of_texts(words(values)), known.won, known)
    assert odds.which == "other than `standard`"
    assert odds.least > 100


def test_a_yes_or_no_has_no_usual_value(known):
    flags = of_texts(words(np.where(known.won, "yes", "no")))
    assert audit_odds.default(flags, known.won, known) is None
    assert audit_odds.value(flags, known.won, known).least > 300
    assert audit_odds.default(of_texts(known.frame["industry"]), known.won, known) is None
