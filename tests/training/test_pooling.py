import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight.errors import InputError
from leadlight.schema import DAY
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from leadlight.terms import Linear, Term
from scoring.scale import probabilities
from tests.training import made
from training import pooling
from training.baselines import RulesLink
from training.reliability import MISSING, OTHERS
from training.rows import Rows
from training.settled import ended
from training.split import censoring_weights

PLACE = 2
OFFSETS = np.array([0.8, -0.6, 0.0])


def segmented(n=3_000, seed=1):
    """Rows whose category shifts the outcome; z is the score that does not know it."""
    rows = made.rows(n, seed=seed)
    random = np.random.default_rng(seed)
    X = rows.X.copy()
    X[random.random(n) < 0.1, PLACE] = np.nan
    z = -3 + X[:, 0] / 2
    codes = pooling.codes_of(X[:, PLACE], 2)
    y = (random.random(n) < probabilities(z + np.append(OFFSETS, 0.0)[codes])).astype(float)
    return Rows(rows.frame, X, rows.points, y, rows.weight), z


def test_segments_are_told_one_by_one():
    rows, z = segmented()
    found = pooling.fit(rows, z, made.SPECS, PLACE)
    assert [segment.value for segment in found.segments] == ["a", "b", OTHERS, MISSING]
    a, b, *_ = found.segments
    assert a.offset == pytest.approx(0.8, abs=0.3)
    assert b.offset == pytest.approx(-0.6, abs=0.3)
    in_a = rows.X[:, PLACE] == 0
    assert a.rows == in_a.sum()
    assert a.leads == len(set(rows.lead_ids[in_a]))
    assert a.observed == pytest.approx(rows.y[in_a].mean())
    assert a.single == pytest.approx(probabilities(z[in_a]).mean())
    assert a.low < a.rate < a.high
    json.dumps(found.to_json(), allow_nan=False)


def test_what_a_score_learnt_of_segments_from_the_same_outcomes_says_nothing_of_their_rates():
    rows, z = segmented()
    codes = pooling.codes_of(rows.X[:, PLACE], 2)
    luck = np.array([0.5, -0.4, 0.2, 0.3])[codes]
    plain, lucky = (pooling.fit(rows, log_odds, made.SPECS, PLACE) for log_odds in (z, z + luck))
    alone, still = (pooling.fit(rows, log_odds, made.SPECS, PLACE, learnt=True) for log_odds in (z, z + luck))
    for a, b in zip(alone.segments, still.segments, strict=True):
        assert (a.rate, a.low, a.high) == pytest.approx((b.rate, b.low, b.high), rel=0.003)
    assert [one.served for one in still.segments] == [one.served for one in lucky.segments]
    assert [one.offset for one in alone.segments] == [one.offset for one in plain.segments]
    assert plain.segments[0].low != pytest.approx(lucky.segments[0].low, rel=0.01)


def test_intervals_under_a_score_that_learnt_every_segments_luck_are_as_wide_as_the_outcomes_leave_them():
    random = np.random.default_rng(7)
    names = tuple(f"v{code}" for code in range(20))
    spec = FeatureSpec("industry", "fit", "category", attribute="industry", categories=names)
    rows = made.rows(4_000, seed=7)
    X = rows.X.copy()
    X[:, PLACE] = random.integers(20, size=len(X))
    y = (random.random(len(X)) < 0.1).astype(float)
    rows = Rows(rows.frame, X, rows.points, y, rows.weight)
    observed = np.array([y[X[:, PLACE] == code].mean() for code in range(20)])
    z = np.log(observed / (1 - observed))[X[:, PLACE].astype(int)]
    fits = [pooling.fit(rows, z, (*made.SPECS[:2], spec), PLACE, learnt=learnt) for learnt in (False, True)]
    held = [sum(one.low <= 0.1 <= one.high for one in found.segments[:20]) for found in fits]
    assert held[0] < 14
    assert held[1] >= 17


def test_offsets_follow_the_code_and_what_was_never_seen_gets_nothing():
    rows, z = segmented()
    wide = FeatureSpec("industry", "fit", "category", attribute="industry", categories=("a", "b", "c", "d"))
    found = pooling.fit(rows, z, (*made.SPECS[:2], wide), PLACE)
    assert found.segments[3].offset == 0.0
    assert (found.segments[3].rate, found.segments[3].served) == (None, None)
    X = np.zeros((6, 3))
    X[:, PLACE] = [0, 1, 3, 4, 9, np.nan]
    expected = [found.segments[place].offset for place in (0, 1, 3, 4, 4, 5)]
    assert found.offsets(X).tolist() == expected


def test_the_term_of_a_scorer_gives_the_same_log_odds():
    rows, z = segmented()
    found = pooling.fit(rows, z, made.SPECS, PLACE)
    line = Linear((Term(place=0, weight=0.5 / 0.8),))
    common = Scorer("scorecard", "sql", None, 0.3, -3 / 0.8, 0.0, {}, made.SPECS, slope=0.8, linear=line)
    scorer = found.into(common)
    np.testing.assert_allclose(common.log_odds(rows.X, rows.points), z, atol=1e-12)
    np.testing.assert_allclose(scorer.log_odds(rows.X, rows.points), z + found.offsets(rows.X), atol=1e-12)
    parts = scorer.contributions(rows.X)
    np.testing.assert_allclose(parts.features[:, PLACE], found.offsets(rows.X), atol=1e-12)


def test_offsets_of_held_out_rows_do_not_see_their_outcome():
    rows, z = segmented(600)
    before = pooling.held_out(rows, z, PLACE, 2, 1)
    lead = rows.lead_ids == rows.lead_ids[0]
    turned = Rows(rows.frame, rows.X, rows.points, np.where(lead, 1 - rows.y, rows.y), rows.weight)
    after = pooling.held_out(turned, z, PLACE, 2, 1)
    assert np.array_equal(before[lead], after[lead])
    assert not np.array_equal(before, after)


def test_the_level_of_all_rows_stays_where_calibration_put_it():
    rows, z = segmented(900)
    found = pooling.fit(rows, z + 0.4, made.SPECS, PLACE)
    moved = probabilities(z + 0.4 + found.offsets(rows.X))
    assert moved.mean() == pytest.approx(probabilities(z + 0.4).mean(), abs=1e-6)


def test_what_is_served_is_told_beside_the_true_rate():
    """Scores that are 0.3 too low: the level stays, so that segments are served too low; their intervals are right."""
    rows, z = segmented(5_000)
    codes = pooling.codes_of(rows.X[:, PLACE], 2)
    true = probabilities(z + np.append(OFFSETS, 0.0)[codes])
    found = pooling.fit(rows, z - 0.3, made.SPECS, PLACE)
    served = probabilities(z - 0.3 + found.offsets(rows.X))
    for code in (0, 1):
        segment = found.segments[code]
        assert segment.served == pytest.approx(served[codes == code].mean())
        assert segment.low < true[codes == code].mean() < segment.high
        assert segment.served < segment.low


def test_scores_without_doubt_have_no_level_to_keep():
    rows, _ = segmented(90)
    found = pooling.fit(rows, np.where(rows.y == 1, 60.0, -60.0), made.SPECS, PLACE)
    assert np.isfinite([segment.offset for segment in found.segments]).all()


def test_codes_may_stand_beside_an_encoding():
    rows, z = segmented(900)
    X = rows.X.copy()
    X[:, PLACE] = 0.123
    encoded = Rows(rows.frame, X, rows.points, rows.y, rows.weight)
    codes = rows.X[:, PLACE]
    assert pooling.fit(encoded, z, made.SPECS, PLACE, column=codes) == pooling.fit(rows, z, made.SPECS, PLACE)
    ways, same = (pooling.three_ways(part, z, PLACE, 2, learn=Link, seed=1, column=codes) for part in (encoded, rows))
    assert all(np.array_equal(ways[way], same[way]) for way in ways)


class Link:
    def __init__(self, rows):
        self.link = RulesLink.fit(rows.X[:, 0], rows.y, rows.weight)

    def raw(self, rows):
        return self.link.log_odds(rows.X[:, 0])


def test_pooling_is_shown_against_one_model_and_one_per_segment():
    rows, z = segmented(4_000)
    found = pooling.compare(rows, z, PLACE, 2, learn=Link, seed=1)
    assert set(found.ece_bar.values()) == {None}  # rows of one lead, at several ages
    assert found.reference == "pooled"
    assert set(found.metrics["log_loss"]) == {"pooled", "single", "separate"}
    assert found.verdict("log_loss", "single") == "better"
    assert pooling.helps(found)


def test_where_segments_are_alike_nothing_is_claimed():
    rows, z = segmented(900)
    random = np.random.default_rng(3)
    y = (random.random(len(z)) < probabilities(z)).astype(float)
    alike = Rows(rows.frame, rows.X, rows.points, y, rows.weight)
    assert not pooling.helps(pooling.compare(alike, z, PLACE, 2, learn=Link, seed=1))


def test_small_segments_have_their_base_rate_as_separate_model():
    rows, z = segmented(60)
    found = pooling.compare(rows, z, PLACE, 2, learn=lambda _: pytest.fail("too few rows"), seed=1)
    assert found.metrics["log_loss"]["separate"].value < 2


def test_the_column_is_found_by_its_attribute():
    assert pooling.place_of(made.SPECS, "industry") == PLACE
    with pytest.raises(InputError, match="segment column `industri` does not exist; did you mean `industry`"):
        pooling.place_of(made.SPECS, "industri")
    rows, z = segmented(30)
    with pytest.raises(InputError, match="holds no categories"):
        pooling.fit(rows, z, made.SPECS, 0)


def young_segment(n=3_000, horizon=60, span=360, seed=0):
    """What is known on day `span` of a market whose segments are alike, the last 45 days old; z is the truth."""
    random = np.random.default_rng(seed)
    young = np.arange(n) >= n * 9 // 10
    day = np.where(young, random.integers(span - 45, span, n), random.integers(0, span, n))
    z = random.normal(-2.8, 0.8, n)
    y = (random.random(n) < probabilities(z)).astype(float)
    took = np.where(y == 1, random.gamma(2, 10, n).astype(np.int64).clip(1, horizon - 1), horizon) * DAY
    as_of = day.astype(np.int64) * DAY
    weight = censoring_weights(as_of, pl.Series(took), horizon * DAY, span * DAY)
    frame = pl.DataFrame({"lead_id": [f"l{i}" for i in range(n)], "as_of": as_of, "age": DAY, "known_at": as_of + took})
    X = np.column_stack([np.zeros(n), np.zeros(n), np.where(young, 2, random.integers(0, 2, n))])
    rows = Rows(frame.with_columns(weight=weight), X, np.zeros(n), y, weight)
    known = as_of + took < span * DAY
    return rows.take(known), z[known]


THREE = FeatureSpec("team", "fit", "category", attribute="team", categories=("a", "b", "young"))


def test_a_segment_younger_than_the_horizon_is_not_taken_for_one_that_always_succeeds():
    rows, z = young_segment()
    young = rows.X[:, PLACE] == 2
    assert young.sum() > 5
    assert rows.y[young].all()
    found = pooling.fit(rows, z, (*made.SPECS[:2], THREE), PLACE)
    segment = found.segments[2]
    assert (segment.rows, segment.leads, segment.offset, segment.rate) == (0, 0, 0.0, None)
    assert [abs(other.offset) < 0.3 for other in found.segments[:2]] == [True, True]
    assert pooling.held_out(rows, z, PLACE, 3, 1)[young].tolist() == z[young].tolist()
    compared = pooling.compare(rows, z, PLACE, 3, learn=Link, seed=1)
    assert not pooling.helps(compared)
    assert compared.rows == ended(rows).sum()


def test_offsets_come_from_settled_rows_alone_and_without_weights_of_censoring():
    rows, z = young_segment()
    was, specs = ended(rows), (*made.SPECS[:2], THREE)
    changed = replace(rows, y=np.where(was, rows.y, 1 - rows.y), weight=np.where(was, rows.weight, 9 * rows.weight))
    assert pooling.fit(changed, z, specs, PLACE) == pooling.fit(rows, z, specs, PLACE)
    assert np.array_equal(pooling.held_out(changed, z, PLACE, 3, 1), pooling.held_out(rows, z, PLACE, 3, 1))
    a = pooling.fit(rows, z, specs, PLACE).segments[0]
    in_a = was & (rows.X[:, PLACE] == 0)
    assert (a.rows, a.positives) == (in_a.sum(), rows.y[in_a].sum())
    ways = pooling.three_ways(rows, z, PLACE, 3, learn=Link, seed=1)
    assert {len(log_odds) for log_odds in ways.values()} == {was.sum()}


def test_settled_rows_of_one_outcome_claim_nothing():
    rows, z = young_segment()
    kept = ~(ended(rows) & (rows.y == 1))
    assert not pooling.helps(pooling.compare(rows.take(kept), z[kept], PLACE, 3, learn=Link, seed=1))
