from dataclasses import replace

import pytest

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.schema import DAY
from tests.training import market, moved
from training import shift_watch


def test_recent_snapshots_have_no_known_outcome_and_matured_ones_come_after_the_cut(trained):
    room, model = trained
    room = moved.publish(room, moved.as_it_was(), moved.SEEN)
    seen = shift_watch.look(room, model.bundle)
    assert seen.turn.until == market.START + 428 * DAY  # nine weeks after the training
    assert seen.since == seen.turn.until - market.HORIZON + 1
    assert (seen.known_from, seen.known_until) == (market.CUT, seen.since - 1)
    assert seen.ages_us == market.AGES
    assert 100 < seen.found.scores < seen.matured
    assert seen.to_json()["ages"] == ["1d", "7d"]
    later = shift_watch.look(room, model.bundle, known_from=market.START + 330 * DAY)
    assert later.matured < seen.matured
    assert later.found.scores == seen.found.scores


def test_between_two_looks_the_answer_stays_and_only_later_snapshots_count_if_asked(trained):
    room, model = trained
    world = moved.as_it_was()
    looks = [shift_watch.look(moved.publish(room, world, day), model.bundle) for day in (428, 434)]
    assert looks[0] == looks[1]
    after = market.START + 420 * DAY
    fewer = shift_watch.look(room, model.bundle, after=after)
    assert fewer.since == after + 1
    assert 0 < fewer.found.scores < looks[1].found.scores
    assert shift_watch.look(room, model.bundle, after=looks[1].turn.until) is None


def test_a_correction_in_force_does_not_change_what_is_seen(trained):
    room, model = trained
    room = moved.publish(room, moved.rarer_failures(), moved.SEEN)
    shifted = replace(model.bundle, scorer=replace(model.bundle.scorer, shift=1.0))
    assert shift_watch.look(room, shifted).found == shift_watch.look(room, model.bundle).found


def test_outcomes_that_came_since_are_asked_and_no_others(trained):
    room, model = trained
    recorded = {"since_us": market.START + 400 * DAY, "ages_us": list(market.AGES), "of": "old"}
    bundle = replace(
        model.bundle,
        scorer=replace(model.bundle.scorer, shift=1.0),
        training={**model.bundle.training, "shift": recorded},
    )
    assert shift_watch.correction(bundle) == recorded
    assert shift_watch.correction(replace(bundle, scorer=model.bundle.scorer)) is None
    world = moved.as_it_was()
    assert shift_watch.outcomes(moved.publish(room, world, moved.SEEN - 1), bundle) is None
    some = shift_watch.outcomes(moved.publish(room, world, 460), bundle)
    more = shift_watch.outcomes(moved.publish(room, world, moved.DAYS), bundle)
    assert 0 < some.rows < more.rows


def test_data_without_a_clock_and_an_unknown_training_are_refused(trained):
    room, model = trained
    with pytest.raises(InputError, match="does not say how it was trained"):
        shift_watch.look(room, replace(model.bundle, training={}))
    with pytest.raises(NotEnoughDataError, match="no outcome from"):
        shift_watch.look(room, model.bundle, known_from=market.START + 500 * DAY)
    timeless = replace(model.bundle, scorer=replace(model.bundle.scorer, horizon_us=None))
    with pytest.raises(InputError, match="no clock"):
        shift_watch.look(room, timeless)
