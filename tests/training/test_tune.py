import numpy as np
import pytest

from tests.training import made
from training import tune as tuning


@pytest.fixture(scope="module")
def tuned():
    return tuning.tune(made.rows(), made.SPECS, trials=3, seed=4)


def test_the_best_trial_is_chosen_and_every_trial_kept(tuned):
    assert len(tuned.trials) == 3
    assert tuned.log_loss == min(trial.log_loss for trial in tuned.trials)
    assert tuned.recipe in [trial.recipe for trial in tuned.trials]
    assert 1 <= tuned.recipe.trees <= tuning.MOST_TREES
    assert tuned.rows == len(made.rows())


def test_the_first_trial_is_the_usual_recipe(tuned):
    assert tuned.trials[0].recipe.parameters == pytest.approx(tuning.USUAL)


def test_the_same_seed_gives_the_same_study(tuned):
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=4) == tuned
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=5) != tuned


def test_when_time_is_up_no_new_trial_begins_but_the_first_finishes():
    found = tuning.tune(made.rows(), made.SPECS, trials=50, seed=4, seconds=0)
    assert len(found.trials) == 1


def test_progress_is_told_after_each_trial():
    told = []
    tuning.tune(made.rows(600), made.SPECS, trials=2, seed=4, progress=lambda *counted: told.append(counted))
    assert told == [(1, 2), (2, 2)]


def test_tuned_trees_predict_better_than_the_rules_alone(tuned):
    rows = made.rows()
    rate = rows.y.mean()
    assert tuned.log_loss < -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)) - 0.02


def test_a_lead_lies_in_one_fold():
    rows = made.rows()
    fold = tuning.folds_of(rows, 5, 1)
    leads = {}
    for lead, number in zip(rows.lead_ids, fold, strict=True):
        assert leads.setdefault(lead, number) == number
    assert set(fold) == set(range(5))
    assert not np.array_equal(fold, tuning.folds_of(rows, 5, 2))


def test_large_data_is_tuned_on_whole_leads_without_moving_the_rate(monkeypatch):
    monkeypatch.setattr(tuning, "MOST_ROWS", 1_000)
    rows = made.rows(6_000, shift=-4.5)
    kept = tuning.tuning_rows(rows, 3)
    assert len(kept) < len(rows) * 0.7
    whole = {lead: int(count) for lead, count in zip(*np.unique(rows.lead_ids, return_counts=True), strict=True)}
    for lead, count in zip(*np.unique(kept.lead_ids, return_counts=True), strict=True):
        assert whole[lead] == count
    assert kept.y.sum() == rows.y.sum()
    rates = [np.average(part.y, weights=part.weight) for part in (tuning.tuning_rows(rows, seed) for seed in range(30))]
    assert np.mean(rates) == pytest.approx(rows.y.mean(), rel=0.04)
    assert kept.y.mean() > 2 * rows.y.mean()


def test_small_data_is_tuned_whole(monkeypatch):
    rows = made.rows(900)
    assert tuning.tuning_rows(rows, 3) is rows
    monkeypatch.setattr(tuning, "MOST_ROWS", 500)
    positive = type(rows)(rows.frame.with_columns(label=1.0), rows.X, rows.points, np.ones(len(rows)), rows.weight)
    assert len(tuning.tuning_rows(positive, 3)) == len(rows)
