import numpy as np
import pytest

from leadlight.schema import ACTIVITY_TYPES, STAGES
from leadlight.simulate.market import MOODS
from leadlight.simulate.process import SECONDS_PER_DAY, Changes, act, walk

UNTIL = 300 * SECONDS_PER_DAY


@pytest.fixture(scope="module")
def walked(market):
    kind = np.repeat(np.arange(len(market.types)), 500)
    return kind, *walk(market, kind, np.zeros(len(kind)), UNTIL, np.random.default_rng(2), changes=Changes())


def test_every_lead_is_somewhere_at_every_moment(walked):
    kind, sojourns, _ = walked
    order = np.lexsort((sojourns.start, sojourns.lead))
    lead, start, end = sojourns.lead[order], sojourns.start[order], sojourns.end[order]
    same = lead[1:] == lead[:-1]
    np.testing.assert_array_equal(start[1:][same], end[:-1][same])
    assert (start[np.r_[True, ~same]] == 0).all()
    assert (end[np.r_[~same, True]] == UNTIL).all()
    assert (kind[sojourns.lead] == sojourns.state // (len(MOODS) * len(STAGES))).all()


def test_moves_follow_the_rates_that_exist(market, walked):
    _, _, moves = walked
    possible = market.stage_rates.sum(axis=(0, 2)) > 0
    stage = np.zeros(moves.lead.max() + 1, dtype=int)
    for lead, target in zip(moves.lead, moves.stage, strict=True):
        assert possible[stage[lead], target]
        stage[lead] = target


def test_activities_come_at_their_rates(market, walked):
    _, sojourns, _ = walked
    acts = act(market, sojourns, UNTIL, np.random.default_rng(3), Changes())
    days = (sojourns.end - sojourns.start) / SECONDS_PER_DAY
    expected = (market.rates.reshape(-1, len(ACTIVITY_TYPES))[sojourns.state] * days[:, None]).sum(axis=0)
    counted = np.bincount(acts.kind, minlength=len(ACTIVITY_TYPES))
    assert (np.abs(counted - expected) < 4 * np.sqrt(expected) + 1).all()


def test_activities_are_in_order_and_inside_the_period(market, walked):
    _, sojourns, _ = walked
    acts = act(market, sojourns, UNTIL, np.random.default_rng(3), Changes())
    same = acts.lead[1:] == acts.lead[:-1]
    assert (acts.lead[1:] >= acts.lead[:-1]).all()
    assert (acts.at[1:][same] >= acts.at[:-1][same]).all()
    assert acts.at.min() >= 0
    assert acts.at.max() <= UNTIL


def test_drift_moves_half_of_the_kinds_up_and_half_down(market, walked):
    _, sojourns, _ = walked
    acts = act(market, sojourns, UNTIL, np.random.default_rng(3), Changes(drift=1.5))
    mails = acts.at[acts.kind == ACTIVITY_TYPES.index("mail_sent")]  # position 0: grows; the same rate in all states
    late, early = (mails > UNTIL * 2 / 3).sum(), (mails < UNTIL / 3).sum()
    assert late / early == pytest.approx(np.e, rel=0.15)  # thirds are 2/3 of the period apart: exp(1.5 x 2 / 3)


def test_a_base_rate_shift_begins_at_its_instant(market):
    kind = np.full(8_000, market.types.index("planner"))
    shift = Changes(shift=4.0, shift_at=UNTIL / 2)
    _, plain = walk(market, kind, np.zeros(len(kind)), UNTIL, np.random.default_rng(4), changes=Changes())
    _, moved = walk(market, kind, np.zeros(len(kind)), UNTIL, np.random.default_rng(4), changes=shift)
    mql = STAGES.index("mql")
    before, after = (
        [((moves.stage == mql) & (moves.at < UNTIL / 2)).sum(), ((moves.stage == mql) & (moves.at > UNTIL / 2)).sum()]
        for moves in (plain, moved)
    )
    assert after[0] == pytest.approx(before[0], rel=0.1)
    assert after[1] > 1.7 * before[1]


def test_changes_know_whether_there_are_any():
    assert Changes().none
    assert not Changes(drift=0.1).none
    assert not Changes(shift=1.1).none
