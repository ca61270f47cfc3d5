"""What a card says of the use."""

import re
from dataclasses import replace

import numpy as np
import pytest

from leadlight.steps import VennAbers
from tests.training import cards
from training import model_card_use as use
from training.disjoint import disjoint


@pytest.fixture(scope="module")
def made():
    return cards.usual()


def test_no_thresholds_no_picture_of_them(made):
    card = replace(made, bundle=replace(made.bundle, thresholds={"model": None, "rules": None, "note": "no clock"}))
    found = use.thresholds(card)
    assert "There is no curve of thresholds: no clock." in found
    assert "<svg" not in found


def test_intervals_are_told_where_the_bundle_has_them(made):
    assert "gives probabilities without an interval" in use.intervals(made)
    interval = VennAbers((-2.0, 0.0), (0.02, 0.1, 0.4), (0.12, 0.3, 0.8))
    card = replace(made, bundle=replace(made.bundle, scorer=replace(made.bundle.scorer, interval=interval)))
    found = use.intervals(card)
    assert "wide in the median of test snapshots" in found
    assert found.count("<tr>") == 6


def test_intervals_on_the_card_are_those_that_serving_shows(made):
    """An interval that lies beside the probability is widened to hold it, as in `scoring.score`."""
    interval = VennAbers((-2.0, 0.0), (0.0, 0.0, 0.0), (0.001, 0.001, 0.001))
    scorer = replace(made.bundle.scorer, interval=interval)
    found = use.intervals(replace(made, bundle=replace(made.bundle, scorer=scorer)))
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in found.split("<tr>")[2:]]
    assert len(rows) == 5
    for mean, low, high, width in rows:
        assert (low, high) == ("0.0%", mean)
        assert float(width) == pytest.approx(float(mean.rstrip("%")) / 100, abs=0.001)


def test_a_shared_lead_gets_its_own_comparison(made):
    found = use.apart(made)
    assert f"{made.disjoint[0].shared:,} of {made.test.height:,} test rows share a lead" in found
    assert f"{made.disjoint[0].apart.metrics['auc']['model'].value:.3f}" in found


def test_nothing_moves_a_base_rate():
    made = cards.card(400, kind="base_rate")
    scorer = replace(made.bundle.scorer, rule_b=0.0)
    card = replace(made, bundle=replace(made.bundle, scorer=scorer))
    assert "Nothing moves scores" in use.moving(card)


def test_other_targets_have_no_usual_range(made):
    split = replace(cards.SPLIT, target="customer")
    card = replace(
        made, split=split, bundle=replace(made.bundle, scorer=replace(made.bundle.scorer, target="customer"))
    )
    assert "usual range" in use.thresholds(made)
    assert "usual range" not in use.thresholds(card)
    assert "reached customer within 30 days" in use.thresholds(card)


def test_of_ten_thousand_categories_a_few_are_told():
    many = tuple(f"{'long ' * 40}{n}" for n in range(10_000))
    specs = (*cards.SPECS[:2], replace(cards.SPECS[2], categories=many))
    made = cards.card(600, specs=specs)
    X = made.X.copy()
    X[:, 2] = np.arange(600) * 16
    text = use.segments(replace(made, X=X))
    assert len(text) < 100_000
    assert "(others)" in text


def test_rules_at_the_same_volume_are_read_off_their_own_curve(made):
    curve = made.bundle.thresholds["rules"]
    row = next(row for row in curve["rows"] if row["mature"] > 100)
    assert use._at_volume(curve, row["mqls_per_week"]) == f"{row['sql_rate']:.1%}"
    assert use._at_volume(curve, 1e9) == use.DASH


def test_the_thresholds_told_are_round_and_few(made):
    rows = use.plots.tradeoff_rows(made.bundle.thresholds["model"])
    told = [row["threshold"] for row in use._shown_thresholds(rows)]
    assert told == sorted(told)
    assert 0 < len(told) <= use.MOST_THRESHOLDS
    assert all(threshold % use.STEP == 0 for threshold in told)


def test_every_part_is_explained(made):
    found = use.moving(made)
    assert "Points of the rule card." in found
    assert "How many selected activities there were (pricing page views)." in found


def test_nothing_shared_is_told_without_a_table(made):
    apart = disjoint(made.known.clear(), made.test, 0, replicates=5)
    found = use.apart(replace(made, disjoint=(apart,)))
    assert "No test row shares a lead" in found
    assert "<table" not in found
    every = disjoint(made.test, made.test, 0, replicates=5)
    assert "Every test row shares a lead" in use.apart(replace(made, disjoint=(every,)))


def test_one_part_that_moves_scores_is_no_ranking():
    made = cards.card(300, kind="rules")
    found = use.moving(made)
    assert "The only part that moves scores, by mean absolute points." in found


def test_segments_are_counted_in_words_where_few_or_none_are_judged(made):
    few = use.segments(cards.card(60))
    assert "None of these segments is judged: none has 50 rows." in few
    assert "Of 0" not in few
    assert re.search(r"Of \d+ segments? with enough rows, \d+ lies? outside of", use.segments(made))
