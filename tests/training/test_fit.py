import numpy as np
import pytest

from tests.training import made
from training import fit as fits
from training.baselines import RulesLink
from training.fit import Recipe
from training.tune import USUAL

RECIPE = Recipe(USUAL, 30)


@pytest.fixture(scope="module")
def fitted():
    return fits.fit(made.rows(), made.SPECS, RECIPE, seed=1)


def test_raw_log_odds_are_the_rule_link_and_the_trees(fitted):
    rows = made.rows()
    assert fitted.link == RulesLink.fit(rows.points, rows.y, rows.weight)
    trees = fitted.booster.predict(rows.X, raw_score=True)
    assert fitted.raw(rows) == pytest.approx(fitted.link.log_odds(rows.points) + trees)
    assert np.std(trees) > 0.1  # the views are not in the points: the trees have something to say


def test_the_booster_starts_from_the_rules(fitted):
    """With outcomes that the points tell completely, the trees hardly add to them."""
    rows = made.rows(3_000)
    random = np.random.default_rng(2)
    y = (random.random(len(rows)) < 1 / (1 + np.exp(2 - rows.points / 10))).astype(float)
    told = fits.fit(type(rows)(rows.frame, rows.X, rows.points, y, rows.weight), made.SPECS, RECIPE, seed=1)
    assert np.std(told.booster.predict(rows.X, raw_score=True)) < 0.1
    assert told.link.b == pytest.approx(0.1, abs=0.02)


def test_the_expected_value_is_the_base_of_every_row(fitted):
    rows = made.rows()
    base = fits.expected_value(fitted.booster, len(made.SPECS))
    parts = fitted.booster.predict(rows.X, pred_contrib=True)
    assert parts[:, -1] == pytest.approx(np.full(len(rows), base), abs=1e-12)
    assert parts.sum(axis=1) == pytest.approx(fitted.booster.predict(rows.X, raw_score=True), abs=1e-9)


def test_the_same_seed_gives_the_same_trees_and_another_gives_others(fitted):
    again = fits.fit(made.rows(), made.SPECS, RECIPE, seed=1)
    other = fits.fit(made.rows(), made.SPECS, RECIPE, seed=2)
    assert again.booster.model_to_string() == fitted.booster.model_to_string()
    assert other.booster.model_to_string() != fitted.booster.model_to_string()


def test_the_layout_of_histograms_changes_no_tree(fitted, monkeypatch):
    assert fits.growing(RECIPE, 1, 1)["force_col_wise"]
    assert fits.growing(RECIPE, 1, 0)["force_row_wise"]
    settings = fits.growing(RECIPE, 1, 1) | {"force_col_wise": False, "force_row_wise": True}
    monkeypatch.setattr(fits, "growing", lambda *_: settings)
    by_row = fits.fit(made.rows(), made.SPECS, RECIPE, seed=1)
    assert by_row.booster.dump_model()["tree_info"] == fitted.booster.dump_model()["tree_info"]


def test_the_scale_of_the_weights_is_of_no_account(fitted):
    rows = made.rows()
    heavy = type(rows)(rows.frame, rows.X, rows.points, rows.y, rows.weight * 7)
    found = fits.fit(heavy, made.SPECS, RECIPE, seed=1)
    trees = found.booster.predict(rows.X, raw_score=True)
    assert trees == pytest.approx(fitted.booster.predict(rows.X, raw_score=True), abs=0.02)


def test_few_rows_get_one_thread():
    assert fits.threads(100) == 1
    assert fits.threads(fits.FEW_ROWS) == 0
    assert RECIPE.to_json()["trees"] == 30
