import fcntl
import json
import threading

import pytest

from leadlight.errors import BundleMissingError, WorkspaceError
from leadlight.workspace import Workspace
from training import history


@pytest.fixture
def room(tmp_path):
    found = Workspace.at(tmp_path)
    for version in ("a", "b", "c"):
        found.bundle_path(version).mkdir(parents=True)
    return found


def climb(room):
    """Let a, then b, then c serve."""
    for version, before in (("a", None), ("b", "a"), ("c", "b")):
        history.put(room, version, "promote", expected=before)


def test_every_change_is_written_down(room):
    assert history.served(room) is None
    history.put(room, "a", "train", expected=None)
    history.put(room, "b", "promote", expected="a", because="the quarter's campaign")
    first, second = history.changes(room)
    assert (first.action, first.version, first.previous, first.because) == ("train", "a", None, None)
    assert (second.version, second.previous, second.because) == ("b", "a", "the quarter's campaign")
    assert history.served(room) == room.current_version() == "b"
    assert len((room.bundles / "history.jsonl").read_text().splitlines()) == 2
    assert room.bundle_versions() == ["a", "b", "c"]


def test_rollbacks_lead_ever_further_back(room):
    climb(room)
    for expected, version in (("c", "b"), ("b", "a")):
        assert history.before(room, expected) == version
        history.put(room, version, "rollback", expected=expected)
    assert [line.previous for line in history.changes(room)[-2:]] == ["c", "b"]
    assert history.before(room, "a") is None
    history.put(room, "c", "promote", expected="a")
    assert history.before(room, "c") == "a"


def test_what_served_twice_is_gone_back_to_once_each(room):
    for version, before in (("a", None), ("c", "a"), ("a", "c")):
        history.put(room, version, "promote", expected=before)
    gone = []
    while (version := history.before(room, room.current_version())) is not None:
        history.put(room, version, "rollback", expected=room.current_version())
        gone.append(version)
    assert gone == ["c", "a"]
    assert history.is_first(room, "a")
    history.put(room, "b", "promote", expected="a")
    assert history.before(room, "b") == "a"
    assert not history.is_first(room, "b")


def test_a_rollback_that_crashed_is_repeated_from_where_it_was(room, monkeypatch):
    for version, before in (("a", None), ("c", "a"), ("a", "c")):
        history.put(room, version, "promote", expected=before)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "set_current", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.put(room, "c", "rollback", expected="a")
    assert history.before(room, "a") == "c"
    history.put(room, "c", "rollback", expected="a")
    assert history.before(room, "c") == "a"


def test_an_undo_goes_back_to_what_was_corrected_wherever_it_stands(room):
    for version, action, before in (("a", "train", None), ("b", "shift", "a"), ("c", "train", "b")):
        history.put(room, version, action, expected=before)
    history.put(room, "b", "promote", expected="c")
    history.put(room, "a", "undo", expected="b")
    assert history.before(room, "a") is None


def test_what_serves_already_leaves_no_line(room):
    climb(room)
    assert history.put(room, "c", "promote", expected="c") is None
    assert len(history.changes(room)) == 3


def test_a_crash_before_the_pointer_moves_is_not_believed(room, monkeypatch):
    climb(room)

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "set_current", crash)
        for version, action in (("a", "promote"), ("b", "rollback")):
            with pytest.raises(KeyboardInterrupt):
                history.put(room, version, action, expected="c")
    assert len(history.changes(room)) == 5
    assert history.served(room) == "c"
    assert history.before(room, "c") == "b"
    history.put(room, "b", "rollback", expected="c")
    assert history.before(room, "b") == "a"


def test_a_pointer_that_was_set_by_hand_has_no_past(room):
    room.set_current("b")
    assert history.before(room, "b") is None
    assert not history.is_first(room, "b")
    history.put(room, "c", "promote", expected="b")
    history.put(room, "b", "rollback", expected="c")
    assert history.before(room, "b") is None
    assert not history.is_first(room, "b")


def test_what_is_not_there_or_came_in_between_is_refused(room, monkeypatch):
    monkeypatch.setattr(history, "PATIENCE", 0.0)
    climb(room)
    with pytest.raises(BundleMissingError, match="models list"):
        history.put(room, "unknown", "promote", expected="c")
    with pytest.raises(WorkspaceError, match="`c` serves by now instead of `a`"):
        history.put(room, "b", "promote", expected="a")
    with (room.bundles / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceError, match="another command is changing what serves"):
            history.put(room, "a", "promote", expected="c")
    assert history.served(room) == "c"
    assert len(history.changes(room)) == 3


def test_a_command_waits_for_another_that_is_done_soon(room):
    climb(room)
    with (room.bundles / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        later = threading.Timer(0.1, fcntl.flock, (lock, fcntl.LOCK_UN))
        later.start()
        history.put(room, "a", "promote", expected="c")
        later.join()
    assert history.served(room) == "a"


@pytest.mark.parametrize("line", ["no json", json.dumps({"version": "a"}), "[]"])
def test_a_damaged_history_is_told(room, line):
    (room.bundles / "history.jsonl").write_text(line + "\n")
    with pytest.raises(WorkspaceError, match=r"history\.jsonl` is damaged"):
        history.changes(room)
