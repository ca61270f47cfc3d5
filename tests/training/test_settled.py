"""Trees learn from rows that are not known because of their outcome."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from tests.training import made
from training import scorecard
from training.fit import Recipe, fit
from training.prior import Prior
from training.rows import Rows
from training.settled import LEAST_WINS, LEAST_WINS_OF_YOUNG, chosen, ended, of_ended, settled
from training.split import censoring_weights
from training.tune import USUAL

HORIZON = 200 * DAY


def known(n=1_500, horizon=HORIZON, rate=4, column=None, **asked):
    """Give what is known of made rows, one lead a day, at the end; a success takes a day or two up to the horizon."""
    rows = made.rows(n, per_lead=1, **asked)
    if column is not None:
        rows = replace(rows, X=np.column_stack([column, rows.X[:, 1:]]))
    cut = n * DAY
    as_of = rows.frame["as_of"].to_numpy()
    took = np.minimum(np.random.default_rng(3).exponential(horizon / rate, n).astype(np.int64) + DAY, horizon)
    outcome = pl.Series(np.where(rows.y == 1, took, horizon))
    weight = censoring_weights(as_of, outcome, horizon, cut)
    frame = rows.frame.with_columns(weight=weight, known_at=pl.Series(as_of) + outcome)
    return replace(rows, frame=frame, weight=weight * 3).take(frame["known_at"].to_numpy() < cut)


def turning(seed, days, life, rate=0.05, lost=0.0):
    """Give what is known at the end of a record whose campaigns last `life` days, five at once, and their features.

    Ten leads a day come in. A success takes up to 60 days, evenly; of the others a share is lost as quickly.
    """
    random, horizon, cut = np.random.default_rng(seed), 60 * DAY, days * DAY
    n = 10 * days
    as_of = np.sort(random.integers(0, cut, n))
    campaign = (as_of // (life * DAY)) * 5 + random.integers(0, 5, n)
    won = random.random(n) < rate
    quick = won | (random.random(n) < lost)
    took = np.where(quick, random.integers(1, horizon, n), horizon)
    known = as_of + took < cut
    outcome = pl.select(pl.when(pl.Series(known & quick)).then(pl.Series(took))).to_series()
    weight = censoring_weights(as_of, outcome, horizon, cut)
    y = won.astype(float)
    leads = [f"lead-{at}" for at in range(n)]
    frame = pl.DataFrame({"lead_id": leads, "as_of": as_of, "label": y, "weight": weight, "known_at": as_of + took})
    names = tuple(map(str, range(int(campaign.max()) + 1)))
    specs = [FeatureSpec("campaign", "fit", "category", attribute="campaign", categories=names)]
    X = campaign[:, None].astype(float)
    return Rows(frame, X, np.zeros(n), y, weight * 3).take(known), specs


def rate_of(rows):
    return float(rows.weight @ rows.y / rows.weight.sum())


def test_only_rows_whose_horizon_ended_are_kept_and_the_weights_of_censoring_go():
    rows = known()
    found = settled(rows, made.SPECS)
    assert 0 < len(found) < len(rows)
    assert found.frame["as_of"].max() + HORIZON <= rows.frame["known_at"].max()
    assert len(found) == (rows.frame["as_of"] + HORIZON <= rows.frame["known_at"].max()).sum()
    assert np.allclose(found.weight, 3.0)
    assert settled(found, made.SPECS).frame.equals(found.frame)


def test_all_rows_stay_where_the_settled_ones_hold_too_few_successes():
    rows = known(n=500)
    ended = rows.frame["as_of"].to_numpy() + HORIZON <= rows.frame["known_at"].max()
    assert 0 < rows.y[ended].sum() < LEAST_WINS
    assert settled(rows, made.SPECS) is rows


def test_in_a_young_record_few_settled_successes_are_enough():
    rows = known(n=500)
    ended = rows.frame["as_of"].to_numpy() + HORIZON <= rows.frame["known_at"].max()
    won = rows.y == 1
    young = rows.take(~(ended & won) | (np.cumsum(ended & won) <= (won & ~ended).sum() - 1))
    settled_wins = (young.y[young.frame["as_of"].to_numpy() + HORIZON <= young.frame["known_at"].max()] == 1).sum()
    assert LEAST_WINS_OF_YOUNG <= settled_wins < young.y.sum() / 2 < LEAST_WINS
    assert len(settled(young, made.SPECS)) < len(young)
    few = rows.take(~(ended & won) | (np.cumsum(ended & won) < LEAST_WINS_OF_YOUNG))
    assert settled(few, made.SPECS) is few


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_all_rows_stay_where_one_outcome_is_missing(y):
    rows = known()
    one = replace(rows, y=np.full(len(rows), y))
    assert settled(one, made.SPECS) is one


def test_rows_without_a_clock_or_without_rows_stay_as_they_are():
    rows = known()
    at_once = replace(rows, frame=rows.frame.with_columns(known_at="as_of"))
    assert len(settled(at_once, made.SPECS)) == len(rows)
    assert settled(made.rows(), made.SPECS).frame.equals(made.rows().frame)
    none = rows.take(np.zeros(len(rows), dtype=bool))
    assert settled(none, made.SPECS) is none


def test_a_clock_among_the_features_looks_like_a_cause_only_before_settling():
    n = 1_500
    rows = known(n, horizon=500 * DAY, column=np.arange(n, dtype=float), shift=-3.0)
    later = made.rows(300, seed=8, shift=-3.0)
    now = replace(later, X=np.column_stack([np.full(300, float(n)), later.X[:, 1:]]))
    expected = {
        name: float(fit(part, made.SPECS, Recipe(USUAL, 60), 0).raw(now).mean())
        for name, part in (("known", rows), ("settled", settled(rows, made.SPECS)))
    }
    level = np.log(later.y.mean() / (1 - later.y.mean()))
    assert expected["settled"] == pytest.approx(level, abs=0.6)
    assert expected["known"] > expected["settled"] + 0.5


def test_a_scorecard_weighs_features_on_settled_rows():
    n = 1_500
    rows = known(n, horizon=500 * DAY, column=np.arange(n, dtype=float), shift=-3.0)
    prior = Prior(-1.5, 0.05, 1.0, 0.05, "test")
    fitted, alone = (scorecard.fit(part, made.SPECS, 0, prior=prior) for part in (rows, settled(rows, made.SPECS)))
    assert fitted.raw(rows).tolist() == alone.raw(rows).tolist()
    fooled = scorecard.fit(replace(rows, frame=rows.frame.drop("weight")), made.SPECS, 0, prior=prior)
    assert fooled.raw(rows)[-50:].mean() > fitted.raw(rows)[-50:].mean() + 0.5


@pytest.mark.parametrize("what", ["category", "column"])
def test_young_rows_with_a_new_value_are_left_out_where_young_rows_are_learnt_from(what):
    rows = known(n=500)
    young = ~ended(rows)
    assert 0 < young.sum() < len(rows)
    place = next(at for at, spec in enumerate(made.SPECS) if spec.categorical == (what == "category"))
    new = young & (np.arange(len(rows)) % 3 == 0)
    X = rows.X.copy()
    X[:, place] = np.where(new, 1.0, 0.0 if what == "category" else np.nan)
    found = settled(replace(rows, X=X), made.SPECS)
    assert found.lead_ids.tolist() == rows.lead_ids[~new].tolist()
    won = rows.y[~new] == 1
    assert found.weight[won].tolist() == rows.weight[~new][won].tolist()
    assert (found.weight[~won] < rows.weight[~new][~won]).all()
    assert rate_of(found) == pytest.approx(rate_of(rows))
    X[np.flatnonzero(~young)[::3], place] = 1.0  # the value is as frequent among the settled rows: it is not new
    assert len(settled(replace(rows, X=X), made.SPECS)) == len(rows)


def test_ended_rows_are_given_without_weights_however_few_and_all_where_there_is_no_clock():
    rows = known(n=500)
    found = of_ended(rows)
    assert len(found) == ended(rows).sum() < len(rows)
    assert np.allclose(found.weight, 3.0)
    assert of_ended(made.rows()).frame.equals(made.rows().frame)


@pytest.mark.parametrize("days", [90, 120, 180])
def test_where_values_come_and_go_the_level_is_that_of_settled_rows(days):
    """What is left out for a new value is nearly all successes; failures that stay count for those still to come."""
    found = [turning(seed, days, life=30) for seed in range(20)]
    assert all(chosen(rows, specs)[1] == "without_new_values" for rows, specs in found)
    settled_rate = np.mean([rate_of(of_ended(rows)) for rows, _ in found])
    assert np.mean([rate_of(settled(rows, specs)) for rows, specs in found]) == pytest.approx(settled_rate, rel=0.1)


@examples(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    days=st.integers(80, 200),
    life=st.integers(15, 120),
    rate=st.sampled_from([0.03, 0.1, 0.3]),
    lost=st.sampled_from([0.0, 0.5]),
)
def test_weights_keep_the_level_and_are_of_one_piece_with_those_of_censoring(seed, days, life, rate, lost):
    rows, specs = turning(seed, days, life, rate, lost)
    found, way = chosen(rows, specs)
    assert way in {"ended", "without_new_values", "all"}
    if way == "all":
        assert found is rows
    elif way == "without_new_values":
        assert rate_of(found) == pytest.approx(rate_of(rows))
        assert np.allclose(found.weight, found.frame["weight"].to_numpy() * 3)
    assert np.allclose(of_ended(found).weight, 3.0)
    assert found.frame.drop("weight").equals(rows.take(np.isin(rows.lead_ids, found.lead_ids)).frame.drop("weight"))


def test_the_way_that_was_taken_is_told():
    assert chosen(known(), made.SPECS)[1] == "ended"
    assert chosen(known(n=500), made.SPECS)[1] == "all"
    assert chosen(made.rows(), made.SPECS)[1] == "all"
