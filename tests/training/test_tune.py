from dataclasses import replace

import numpy as np
import pytest

from leadlight.errors import InputError, NotEnoughDataError
from tests.training import made
from training import tune as tuning


@pytest.fixture(scope="module")
def tuned():
    return tuning.tune(made.rows(), made.SPECS, trials=3, seed=4)


def test_every_trial_is_kept_and_one_of_them_chosen(tuned):
    assert len(tuned.trials) == 3
    chosen = tuned.trials[tuned.verdict.taken]
    assert tuned.log_loss == chosen.log_loss
    assert tuned.recipe == tuning.slowed(chosen.recipe)
    assert tuned.rows == len(made.rows())


@pytest.mark.parametrize("price", [-1e-9, float("nan"), float("inf")])
def test_a_price_without_meaning_is_refused(price):
    with pytest.raises(InputError, match="price of explaining"):
        tuning.tune(made.rows(300), made.SPECS, trials=1, seed=4, price=price)


def test_a_price_ends_growth_earlier_and_is_part_of_the_trial(tuned):
    dear = tuning.tune(made.rows(), made.SPECS, trials=1, seed=4, price=1e-3).trials[0]
    first = tuned.trials[0]
    assert dear.recipe.trees < first.recipe.trees
    assert dear.cost == pytest.approx(1e-3 * 3 * dear.recipe.trees)
    assert first.cost == pytest.approx(tuning.PRICE * 3 * first.recipe.trees)
    assert tuning.tune(made.rows(), made.SPECS, trials=1, seed=4, price=0).trials[0].cost == 0


def test_constraints_are_in_every_trial_and_in_the_chosen_recipe():
    found = tuning.tune(made.rows(600), made.SPECS, trials=2, seed=4, monotone={"views": 1})
    assert {trial.recipe.monotone for trial in found.trials} == {(1, 0, 0)}
    assert found.recipe.monotone == (1, 0, 0)
    with pytest.raises(InputError, match="did you mean `views`"):
        tuning.tune(made.rows(600), made.SPECS, trials=2, seed=4, monotone={"view": 1})


def test_one_class_is_too_little_to_tune_on():
    rows = made.rows(300)
    with pytest.raises(NotEnoughDataError, match="none of 5 folds"):
        tuning.tune(replace(rows, y=np.zeros(len(rows))), made.SPECS, trials=1, seed=4)


def test_slower_growth_has_as_many_more_trees():
    slow = tuning.slowed(tuning.Recipe({"learning_rate": 0.08, "max_depth": 3}, 50))
    assert slow == tuning.Recipe({"learning_rate": 0.04, "max_depth": 3}, 100)


def test_large_data_is_not_grown_slower(monkeypatch):
    monkeypatch.setattr(tuning, "MOST_ROWS", 1_000)
    rows = made.rows(6_000, shift=-4.5)
    found = tuning.tune(rows, made.SPECS, trials=1, seed=4)
    assert found.rows < len(rows)
    assert found.recipe.parameters == found.trials[0].recipe.parameters
    assert found.recipe.trees >= found.trials[0].recipe.trees


def test_more_rows_carry_more_trees_than_the_sample_says():
    rows = made.rows(6_000, shift=-3.0)
    few = tuning.Recipe(tuning.USUAL, 3)
    grown = tuning.regrown(rows, made.SPECS, few, 4)
    assert 3 < grown.trees <= tuning.MOST_TREES
    assert grown == tuning.regrown(rows, made.SPECS, few, 4)
    assert grown.parameters == few.parameters
    many = tuning.Recipe(tuning.USUAL, tuning.MOST_TREES)
    assert tuning.regrown(rows, made.SPECS, many, 4) == many


def test_nothing_is_grown_anew_where_no_part_has_both_outcomes():
    rows = made.rows(60)
    one = replace(rows, y=np.ones(60))
    assert tuning.regrown(one, made.SPECS, tuning.Recipe(tuning.USUAL, 3), 4).trees == 3


def test_the_first_trial_is_the_usual_recipe(tuned):
    assert tuned.trials[0].recipe.parameters == pytest.approx(tuning.USUAL)


def test_the_same_seed_gives_the_same_study(tuned):
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=4) == tuned
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=5) != tuned


def test_when_time_is_up_no_new_trial_begins_but_the_first_finishes():
    found = tuning.tune(made.rows(), made.SPECS, trials=50, seed=4, seconds=0)
    assert len(found.trials) == 1


def test_a_study_is_resumed_where_it_was_interrupted(tuned, tmp_path):
    def stop(done, _):
        told.append(done)
        if told == [1, 2]:
            raise InterruptedError

    told, studies = [], f"sqlite:///{tmp_path}/studies.db"
    with pytest.raises(InterruptedError):
        tuning.tune(made.rows(), made.SPECS, trials=3, seed=4, studies=studies, progress=stop)
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=4, studies=studies, progress=stop) == tuned
    assert told == [1, 2, 2, 3]
    assert tuning.tune(made.rows(), made.SPECS, trials=3, seed=4, studies=studies, progress=stop) == tuned
    assert told == [1, 2, 2, 3, 3]


def test_every_other_question_has_another_study():
    rows = made.rows(300)

    def name(rows=rows, specs=made.SPECS, folds=5, **more):
        return tuning._question(rows, specs, folds, **{"seed": 4, "price": 0.0, "signs": ()} | more).name

    X, y, weight, points = rows.X.copy(), rows.y.copy(), rows.weight.copy(), rows.points.copy()
    X[7, 1], y[7], weight[7], points[7] = 0.123, 1 - y[7], 1.5, -1.0
    leads = rows.frame["lead_id"].to_list()
    frame = rows.frame.with_columns(lead_id=rows.frame["lead_id"].replace(leads[0], "someone else"))
    others = [
        *(name(replace(rows, **changed)) for changed in ({"X": X}, {"y": y}, {"weight": weight}, {"points": points})),
        name(replace(rows, frame=frame)),
        name(rows.take(np.arange(300) > 0)),
        name(specs=made.SPECS[:2]),
        name(specs=(*made.SPECS[:2], replace(made.SPECS[2], categories=("b", "a")))),
        name(folds=4),
        name(seed=5),
        name(price=1e-9),
        name(signs=(1, 0, 0)),
    ]
    assert len({name(), *others}) == 1 + len(others)
    assert name(replace(rows, X=np.where(rows.X == 0, -0.0, rows.X))) == name()


def test_the_space_is_part_of_the_question(monkeypatch):
    before = tuning._question(made.rows(300), made.SPECS, 5, seed=4, price=0.0, signs=()).name
    monkeypatch.setitem(tuning.SPACE, "lambda_l2", tuning.Range(0.1, 50.0, log=True))
    assert tuning._question(made.rows(300), made.SPECS, 5, seed=4, price=0.0, signs=()).name != before


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


def test_lightgbm_says_nothing_from_its_threads(capfd):
    tuning.tune(made.rows(600), made.SPECS, trials=2, seed=4)
    assert capfd.readouterr() == ("", "")
