"""The filter against slow references written another way: SciPy's matrix exponential on the whole joint chain."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

from leadlight.schema import ACTIVITY_TYPES, STAGES
from leadlight.simulate.filtering import (
    ASK,
    MOVE,
    History,
    filter_states,
    informative_kinds,
    not_open,
    passage_probability,
)

MQL, SQL = STAGES.index("mql"), STAGES.index("sql")


def reference(market, prior, days, codes):
    """Filter one lead over the full (type, mood) vector, with one dense exponential per event; all kinds count."""
    kinds, moods = market.initial_mood.shape
    weight, stage, last, answers = (prior[:, None] * market.initial_mood).ravel(), 0, 0.0, []
    for day, code in zip(days, codes, strict=True):
        generator = np.zeros((kinds * moods, kinds * moods))
        for k in range(kinds):
            block = market.mood_rates[k, stage].copy()
            quiet = block.sum(1) + market.stage_rates[k, stage].sum(1) + market.rates[k, stage].sum(1)
            rows = slice(k * moods, (k + 1) * moods)
            generator[rows, rows] = block - np.diag(quiet)
        weight = weight @ expm(generator * (day - last))
        if code == ASK:
            answers.append((weight / weight.sum()).reshape(kinds, moods))
        elif code >= MOVE:
            weight = weight * market.stage_rates[:, stage, :, code - MOVE].ravel()
            stage = code - MOVE
        else:
            weight = weight * market.rates[:, stage, :, code].ravel()
        weight, last = weight / weight.sum(), day
    return np.array(answers)


def kind(name):
    return ACTIVITY_TYPES.index(name)


STORIES = [
    ([0.0, 0.5, 0.5, 3.0, 30.0], [ASK, kind("blog_view"), kind("pricing_view"), ASK, ASK]),
    ([2.0, 9.0, 9.5, 11.0, 60.0], [kind("download"), MOVE + MQL, kind("call"), ASK, ASK]),
    ([1.0, 4.0, 6.0, 40.0, 41.0, 300.0], [MOVE + MQL, MOVE + SQL, kind("meeting"), MOVE + 3, MOVE + 5, ASK]),
    ([400.0], [ASK]),
]


def test_the_filter_equals_a_dense_reference(market):
    prior = np.full((len(STORIES), len(market.types)), 1 / len(market.types))
    lead = np.repeat(np.arange(len(STORIES)), [len(days) for days, _ in STORIES])
    history = History(lead, np.concatenate([d for d, _ in STORIES]), np.concatenate([c for _, c in STORIES]))
    weight, stage = filter_states(market, prior, history)
    expected = np.concatenate([reference(market, prior[0], days, codes) for days, codes in STORIES])
    np.testing.assert_allclose(weight, expected, atol=1e-9)
    assert stage.tolist() == [0, 0, 0, MQL, MQL, STAGES.index("lost"), 0]


def test_kinds_that_say_nothing_are_left_out(market):
    silent = {ACTIVITY_TYPES[c] for c in np.flatnonzero(~informative_kinds(market))}
    assert silent == {"mail_sent", "unsubscribe", "call", "meeting"}


@pytest.mark.parametrize(("target", "days"), [("sql", 60.0), ("opportunity", 90.0), ("customer", 400.0)])
def test_passage_equals_a_dense_exponential(market, target, days):
    stages, moods = len(STAGES), market.initial_mood.shape[1]
    absorbing = range(STAGES.index(target), STAGES.index("customer") + 1)
    chance = passage_probability(market, target, days)
    for k in range(len(market.types)):
        generator = np.zeros((stages * moods, stages * moods))
        for s in (s for s in range(stages) if s not in absorbing):
            for m in range(moods):
                row = s * moods + m
                generator[row, s * moods : (s + 1) * moods] += market.mood_rates[k, s, m]
                generator[row, m::moods] += market.stage_rates[k, s, m]
                generator[row, row] -= generator[row].sum()
        inside = expm(generator * days).reshape(stages, moods, stages, moods)[:, :, list(absorbing)]
        np.testing.assert_allclose(chance[k], inside.sum(axis=(2, 3)), atol=1e-10)


def test_passage_grows_with_the_horizon(market):
    chances = [passage_probability(market, "sql", days) for days in (0.0, 1.0, 30.0, 365.0)]
    assert (chances[0][:, :2] == 0).all()
    for shorter, longer in pairwise(chances):
        assert (longer >= shorter - 1e-12).all()
    assert (chances[-1] <= 1 + 1e-12).all()


def test_no_events_no_answers(market):
    empty = History(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64))
    weight, stage = filter_states(market, np.zeros((0, len(market.types))), empty)
    assert weight.shape == (0, len(market.types), 3)
    assert stage.shape == (0,)


def test_openness_follows_the_stage():
    closed = {target: not_open(np.arange(len(STAGES)), target).tolist() for target in ("sql", "customer")}
    assert closed["sql"] == [False, False, True, True, True, True]
    assert closed["customer"] == [False, False, False, False, True, True]
