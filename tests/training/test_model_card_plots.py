"""Pictures of a card: what they draw is what was measured."""

import re

import numpy as np
import pytest

from leadlight.schema import DAY
from tests.training import cards
from training import model_card_plots as plots
from training import model_card_swarm as swarms
from training.influence import influence
from training.split import Split


@pytest.fixture(scope="module")
def made():
    return cards.card(800)


def ticks(drawn: str) -> list[str]:
    return re.findall(r'text-anchor="middle">([^<]*)</text>', drawn)


def test_the_line_of_time_counts_every_snapshot(made):
    known, test = ((rows["as_of"].to_numpy(), rows["label"].to_numpy()) for rows in (made.known, made.test))
    drawn = plots.timeline(known, test, made.split)
    assert "train: 500 snapshots; test: 800 snapshots" in drawn
    assert 'class="bar reached"' in drawn
    assert 'class="young"' in drawn
    assert 'class="unknown"' in drawn


def test_without_a_clock_there_are_no_dates_and_no_shades(made):
    split = Split("sql", None, 100, 200, (1,), (1,))
    drawn = plots.timeline((np.arange(100), np.zeros(100)), (np.arange(100, 200), np.ones(100)), split)
    assert 'class="young"' not in drawn
    assert not re.search(r">\d{4}-\d{2}", drawn)


@pytest.mark.parametrize(("days", "most"), [(3, 2), (40, 3), (90, 4), (800, 9), (9_000, 9)])
def test_dates_are_few_and_inside(days, most):
    found = plots.date_ticks(100 * DAY + 5, (100 + days) * DAY)
    assert 2 <= len(found) <= most
    assert all(100 * DAY <= tick <= (100 + days) * DAY for tick in found)


def test_reliability_draws_a_dot_per_bin(made):
    p = made.test["model"].to_numpy()
    drawn = plots.reliability(made.y, {"model": p}, "r", "Reliability")
    assert len(re.findall(r"h0", drawn)) == 10
    assert f"{len(p):,} rows." in drawn


def test_constant_probabilities_still_make_a_picture():
    y, p = np.array([0.0, 1.0, 0.0]), np.full(3, 0.0)
    assert "<svg" in plots.reliability(y, {"model": p}, "r", "t")
    assert "<svg" in plots.histogram(p, "h", "t")
    assert "<svg" in plots.lift(y, {"model": p})
    assert "<svg" in plots.gains(y, {"model": p})


def test_gains_and_lift_tell_their_figures():
    y, p = np.array([1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), np.linspace(1, 0, 10)
    assert "model: 100% of positives in the best 20 % of snapshots" in plots.gains(y, {"model": p})
    assert "model: 10.00 in the best tenth" in plots.lift(y, {"model": p})


def test_a_forest_has_a_line_per_scorer(made):
    drawn = plots.forest(made.comparison, "auc")
    assert drawn.count('class="whisker') == drawn.count('class="dots') == 3
    assert "rule score" in drawn


def test_the_tradeoff_shows_thresholds_with_known_outcomes_only(made):
    curves = made.bundle.thresholds
    for curve in curves.values():
        rows = plots.tradeoff_rows(curve)
        assert all(row["mature"] >= curve["min_mature"] for row in rows)
        assert [row["mqls_per_week"] for row in rows] == sorted(row["mqls_per_week"] for row in rows)
    drawn = plots.tradeoff(curves, (0.3, 0.5))
    assert drawn.count('class="line') == 2
    assert 'class="usual"' in drawn


@pytest.fixture(scope="module")
def found():
    X, points, _ = cards.rows(700)
    return influence(cards.scorer(), X, points, 0)


def test_a_swarm_draws_every_sampled_row_of_every_part_once(found):
    drawn = swarms.swarm(found, 0)
    assert drawn.count("h0") == swarms.MOST_DOTS * len(found.strongest(swarms.MOST_PARTS))
    assert ">pricing_views<" in drawn


def test_dots_of_one_column_stand_apart_within_their_row():
    offsets = swarms.stacked(np.full(60, 5.0))
    assert np.abs(offsets).max() <= swarms.ROW_HEIGHT / 2
    assert len(np.unique(swarms.stacked(np.full(9, 5.0)))) == 9
    assert len(swarms.stacked(np.empty(0))) == 0


def test_low_values_are_blue_high_ones_red_and_unknown_ones_grey():
    values = np.array([np.nan, 1.0, 2.0, 3.0])
    assert swarms._colours(values, ordered=True).tolist() == [-1, 0, 3, 6]
    assert swarms._colours(values, ordered=False).tolist() == [-1] * 4


def test_a_bar_per_family(found):
    drawn = swarms.family_bars(found)
    assert drawn.count('<rect class="bar') == len(found.by_family()) == 3
    assert 'class="bar rules"' in drawn
