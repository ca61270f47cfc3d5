import json

import pytest

from leadlight import bundle as bundles
from leadlight.errors import BundleMissingError, BundleTamperedError, InputError, WorkspaceError
from scoring import chosen
from tests.training import moved
from training import history, shift_serve, shift_watch
from training.model_card_parts import CONTENT


def files(room, version):
    return {path.name: path.read_bytes() for path in room.bundle_path(version).iterdir()}


@pytest.fixture
def serving(trained):
    """Give a workspace in which a trained model serves."""
    room, model = trained
    history.put(room, model.bundle.version, "train", expected=None)
    return room


@pytest.fixture
def corrected(serving):
    """Give (workspace, what was done, the world as it went on) after the base rate rose and was corrected."""
    world = moved.rarer_failures()
    room = moved.publish(serving, world, moved.SEEN)
    return room, shift_serve.apply(room), world


def test_nothing_is_done_where_nothing_changed(serving):
    before = history.served(serving)
    room = moved.publish(serving, moved.as_it_was(), moved.SEEN)
    for ask in (shift_serve.check, shift_serve.apply):
        found = ask(room)
        assert (found.problem, found.log_odds, found.current) == (False, 0.0, before)
        assert not found.look.found.alarm
    assert history.served(room) == before
    assert len(room.bundle_versions()) == 1


def test_a_rise_is_corrected_borne_out_and_undone_exactly(corrected):
    room, done, world = corrected
    original = files(room, done.bundle)
    assert done.look.found.alarm
    assert 0.5 < done.log_odds < shift_serve.FARTHEST
    assert history.served(room) == done.current != done.bundle
    assert history.changes(room)[-1].action == "shift"
    found = chosen.load(room)
    old = chosen.load(room, done.bundle)
    assert (found.scorer.shift, old.scorer.shift) == (done.log_odds, 0.0)
    recorded = found.training["shift"]
    assert recorded["of"] == old.version
    assert "P(features | outcome) is unchanged" in recorded["assumption"]
    assert recorded["after"] > 1.5 * recorded["before"]
    assert found.thresholds["model"] != old.thresholds["model"]
    assert found.thresholds["rules"]["rows"]
    page = done.card.read_text(encoding="utf-8")
    assert done.card == room.model_card_path(done.current)
    assert f"corrected from <code>{done.bundle}</code>" in page
    assert f"with {done.log_odds:+.2f} log-odds added to every lead" in page
    assert page.endswith(room.model_card_path(done.bundle).read_text(encoding="utf-8").partition(CONTENT)[2])
    json.dumps(done.to_json(), allow_nan=False)
    quiet = shift_serve.apply(room)
    assert (quiet.verdict, quiet.problem, quiet.card) == (None, False, None)
    assert "none of its outcomes is known yet" in quiet.why
    moved.publish(room, world, moved.DAYS)
    later = shift_serve.check(room)
    assert (later.verdict.verdict, later.problem) == ("better", False)
    assert shift_serve.apply(room).current == done.current
    back = shift_serve.undo(room, because="a trade fair")
    assert back.current == history.served(room) == done.bundle
    assert history.changes(room)[-1].because == "a trade fair"
    assert files(room, done.bundle) == original
    with pytest.raises(InputError, match="nothing to undo"):
        shift_serve.undo(room)


def test_where_the_card_of_what_serves_cannot_be_read_nothing_is_written(serving):
    room = moved.publish(serving, moved.rarer_failures(), moved.SEEN)
    before = history.served(room)
    card = room.model_card_path(before)
    card.unlink()
    card.mkdir()
    with pytest.raises(WorkspaceError, match="cannot be read"):
        shift_serve.apply(room)
    assert room.bundle_versions() == [before] == [history.served(room)]
    assert list(card.parent.iterdir()) == [card]


def test_outcomes_take_a_false_correction_back_and_it_waits_for_outcomes_then(serving):
    world = moved.busier(1)
    room = moved.publish(serving, world, moved.EARLY)
    assert shift_serve.check(room).problem
    assert len(room.bundle_versions()) == 1
    done = shift_serve.apply(room)
    assert done.look.found.alarm
    assert not done.problem
    moved.publish(room, world, moved.EARLY + 60)
    seen = shift_serve.check(room)
    assert seen.problem
    assert seen.verdict.undone
    assert history.served(room) == done.current
    back = shift_serve.apply(room)
    assert (back.problem, back.current, back.log_odds) == (False, done.bundle, 0.0)
    assert "disprove" in history.changes(room)[-1].because
    assert back.held.by == "outcomes"
    for day in (moved.EARLY + 64, moved.DAYS):
        moved.publish(room, world, day)
        waits = shift_serve.apply(room)
        assert waits.mend is None
        assert waits.log_odds == 0.0
        assert history.served(room) == done.bundle
    assert len(room.bundle_versions()) == 2


def test_what_a_person_took_back_does_not_come_again_by_what_was_known_then(corrected):
    room, done, world = corrected
    shift_serve.undo(room, because="one large fair")
    for day in (moved.SEEN, moved.SEEN + 8):
        held = shift_serve.apply(moved.publish(room, world, day))
        assert (held.problem, held.log_odds, held.current) == (False, 0.0, done.bundle)
        assert "a person took back the last correction" in held.why
        assert "(one large fair)" in held.why
        assert "--again" in held.why
    again = shift_serve.apply(room, again=True)
    assert again.log_odds
    assert history.served(room) == again.current != done.bundle


def test_what_comes_after_an_undo_is_new_evidence(corrected):
    room, done, world = corrected
    history.put(room, done.bundle, "rollback", expected=done.current)
    assert shift_serve.apply(room).held.until == moved.at(moved.SEEN)
    later = shift_serve.apply(moved.publish(room, world, moved.SEEN + 33))
    assert later.look.since == moved.at(moved.SEEN) + 1
    assert later.look.found.alarm
    assert later.log_odds


def test_a_correction_too_large_for_its_assumption_is_not_made(serving):
    before = history.served(serving)
    room = moved.publish(serving, moved.busier(), moved.SEEN)
    for ask in (shift_serve.check, shift_serve.apply):
        found = ask(room)
        assert (found.problem, found.mend, found.current) == (True, None, before)
        assert abs(found.look.found.log_odds) > shift_serve.FARTHEST
        assert "the odds would change by a factor of" in found.why
    assert room.bundle_versions() == [before]


def test_a_rollback_leads_back_too_and_then_further(corrected):
    room, done, _ = corrected
    assert history.before(room, done.current) == done.bundle
    shift_serve.undo(room)
    assert history.before(room, done.bundle) is None


def test_nothing_is_half_done(corrected):
    room, done, _ = corrected
    (room.bundle_path(done.bundle) / "scorer.json").write_text("{}")
    with pytest.raises(BundleTamperedError):
        shift_serve.undo(room)
    assert history.served(room) == done.current
    history.put(room, done.bundle, "promote", expected=done.current)
    with pytest.raises(BundleTamperedError):
        shift_serve.apply(room)


def test_where_the_bundle_cannot_be_written_the_old_one_serves_on(serving, monkeypatch):
    before = history.served(serving)
    room = moved.publish(serving, moved.rarer_failures(), moved.SEEN)

    def refuse(*_):
        raise WorkspaceError("no room")

    monkeypatch.setattr(shift_serve, "save", refuse)
    with pytest.raises(WorkspaceError, match="no room"):
        shift_serve.apply(room)
    assert room.bundle_versions() == [before]
    assert history.served(room) == before


def test_where_nothing_serves_that_is_said(trained):
    room, _ = trained
    with pytest.raises(BundleMissingError):
        shift_serve.check(room)


def test_a_bundle_without_a_correction_has_no_verdict(serving):
    with pytest.raises(InputError, match="not corrected"):
        shift_watch.outcomes(serving, bundles.load(serving.bundle_path(history.served(serving)), bundles.signing_key()))
