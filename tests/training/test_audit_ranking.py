import numpy as np
import pytest

from leadlight import metrics
from tests.training import audited
from training.audit_groups import of_numbers
from training.audit_ranking import auc_error, of_score, ranking


@pytest.fixture(scope="module")
def known():
    return audited.known(audited.frames())


def test_a_perfect_column_ranks_perfectly(known):
    found = ranking(of_numbers(known.won.astype(float)), known.won, known)
    assert found.auc == 1.0
    assert found.by_cohort == (1.0,) * 5
    assert found.change == 0.0


def test_noise_ranks_by_chance(known):
    noise = np.random.default_rng(0).normal(size=len(known))
    found = ranking(of_numbers(noise), known.won, known)
    assert abs(found.auc - 0.5) < 4 * found.error


def test_what_only_knows_the_creation_tells_nothing(known):
    old = known.cohort.astype(float)
    assert ranking(of_numbers(old), known.won, known).auc == 0.5


def test_an_honest_number_ranks_as_its_auc_says(known):
    x = known.frame["interest"].to_numpy()
    own = metrics.auc(known.won[known.judged], x[known.judged])
    assert ranking(of_numbers(x), known.won, known).auc == pytest.approx(own, abs=0.05)


def test_a_column_that_begins_to_tell_is_seen_to_change(known):
    x = np.where(known.cohort >= 3, known.won, 0).astype(float)
    found = ranking(of_numbers(x), known.won, known)
    assert found.change == 0.5
    assert found.change_error > 0


def test_nobody_to_compare_gives_nothing(known):
    assert ranking(of_numbers(np.zeros(len(known))), np.zeros(len(known), dtype=bool), known) is None


def test_a_score_is_ranked_within_cohorts(known):
    won = known.won[known.judged]
    assert of_score(won.astype(float), won, known.part) == 1.0
    assert of_score(known.cohort[known.judged].astype(float), won, known.part) == 0.5
    assert of_score(np.zeros(len(won)), np.zeros(len(won), dtype=bool), known.part) is None


def test_the_error_of_an_auc_falls_with_the_rows():
    assert auc_error(0.5, 100, 100) == pytest.approx(np.sqrt((1 + 200) / (12 * 100 * 100)), rel=0.01)
    assert auc_error(1.0, 10, 10) == 0.0
