import json
import subprocess
import sys
from functools import partial

import pytest

from leadlight.errors import WorkspaceError
from leadlight.schema import DAY
from tests.training import market
from training import history, shift_held
from training.shift_held import TakenBack

UNTIL = market.START + 400 * DAY


@pytest.fixture
def room(tmp_path):
    """Give a workspace in which `old` serves after its correction `new` did."""
    found = market.publish(tmp_path / "ws", market.by_hand(market.one("a", 1)), market.info(400))
    for version in ("old", "new"):
        found.bundle_path(version).mkdir(parents=True)
    history.put(found, "old", "train", expected=None)
    return found


def back(room, action="undo"):
    history.put(room, "new", "shift", expected="old")
    history.put(room, "old", action, expected="new")


def test_a_bundle_that_was_never_corrected_is_not_held_back(room):
    assert shift_held.latest(room, "old") is None
    back(room)
    assert shift_held.latest(room, "new") is None


def test_what_was_noted_is_given_once_and_the_last_counts(room):
    back(room)
    first = TakenBack("old", "new", UNTIL, "person", "a fair")
    for _ in range(2):
        shift_held.note(room, first)
    assert shift_held.latest(room, "old") == first
    assert len((room.bundles / "taken_back.jsonl").read_text().splitlines()) == 1
    shift_held.note(room, TakenBack("old", "new", UNTIL + DAY, "outcomes"))
    assert shift_held.latest(room, "old").by == "outcomes"


# A command that says when it is ready, and writes five notes when all are.
WRITER = """
import sys
from pathlib import Path
from leadlight.workspace import Workspace
from training import shift_held
room, writer = Workspace.at(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(5):
    shift_held.note(room, shift_held.TakenBack("old", f"new-{writer}-{number}", 0, "person"))
"""


def test_notes_of_commands_at_the_same_time_are_all_kept(room):
    words = [sys.executable, "-c", WRITER, str(room.root)]
    start = partial(subprocess.Popen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    writers = [start([*words, str(number)]) for number in range(3)]
    assert [one.stdout.readline() for one in writers] == ["ready\n"] * 3
    for one in writers:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in writers:
        one.communicate()
    assert [one.returncode for one in writers] == [0, 0, 0]
    kept = [json.loads(line)["correction"] for line in (room.bundles / "taken_back.jsonl").read_text().splitlines()]
    assert sorted(kept) == [f"new-{writer}-{number}" for writer in range(3) for number in range(5)]


def test_a_note_is_written_under_the_lock_of_the_pointer(room, monkeypatch):
    monkeypatch.setattr(history, "PATIENCE", 0.0)
    with history.locked(room), pytest.raises(WorkspaceError, match="another command is changing what serves"):
        shift_held.note(room, TakenBack("old", "new", UNTIL, "person"))
    assert not (room.bundles / "taken_back.jsonl").exists()


@pytest.mark.parametrize("action", ["undo", "rollback", "promote"])
def test_without_a_note_the_record_as_it_is_counts_as_known(room, action):
    back(room, action)
    assert shift_held.latest(room, "old") == TakenBack("old", "new", UNTIL, "person")


def test_it_says_who_when_why_and_what_has_to_come():
    person = TakenBack("old", "new", UNTIL, "person", "a fair")
    assert "a person took back" in person.why
    assert "(a fair)" in person.why
    assert "bear it out" not in person.why
    outcomes = TakenBack("old", "new", UNTIL, "outcomes")
    assert "outcomes disproved" in outcomes.why
    assert "until outcomes of such snapshots bear it out" in outcomes.why
    told = json.loads(json.dumps(outcomes.to_json()))
    assert told["until"] in told["why"]


def test_a_damaged_file_is_said(room):
    back(room)
    for damage in ("{", '{"of": 1}'):
        (room.bundles / "taken_back.jsonl").write_text(damage)
        with pytest.raises(WorkspaceError, match="is damaged"):
            shift_held.latest(room, "old")
