import fcntl
import json

import pytest

from leadlight.errors import TrackingError, WorkspaceError
from leadlight.workspace import Workspace
from training import track_queue
from training.track_queue import Sent

TOLD = {
    "address": "http://127.0.0.1:5000",
    "target": "sql",
    "kind": "lightgbm",
    "why": "enough outcomes",
    "params": {"seed": "0"},
    "metrics": {"model.auc": 0.8},
    "tags": {"bundle": "v1"},
}


@pytest.fixture
def room(tmp_path):
    found = Workspace.at(tmp_path)
    for version in ("v1", "v2"):
        found.bundle_path(version).mkdir(parents=True)
        (found.bundle_path(version) / "scorer.json").write_text("{}")
    return found


def put(room, version="v1", **told):
    with track_queue.put(room, version, **(TOLD | told)) as files:
        (files / "plots").mkdir()
        (files / "plots" / "roc.png").write_bytes(b"png")


def test_an_entry_is_plain_files_and_comes_back_as_it_was(room):
    put(room)
    (entry,) = track_queue.waiting(room)
    assert {name: getattr(entry, name) for name in TOLD} == TOLD
    assert entry.version == "v1"
    assert entry.at > 1_600_000_000_000
    files = {str(path.relative_to(entry.folder)) for path in entry.folder.rglob("*") if path.is_file()}
    assert files == {"run.json", "files/bundle/scorer.json", "files/plots/roc.png"}
    assert json.loads((entry.folder / "run.json").read_text())["metrics"] == {"model.auc": 0.8}


def test_entries_come_oldest_first_and_once_per_bundle(room):
    put(room, "v2")
    put(room, "v1")
    put(room, "v2", why="again")
    assert [(entry.version, entry.why) for entry in track_queue.waiting(room)] == [
        ("v1", "enough outcomes"),
        ("v2", "again"),
    ]


def test_an_entry_that_cannot_be_written_is_not_there(room):
    with pytest.raises(ZeroDivisionError), track_queue.put(room, "v1", **TOLD):
        raise ZeroDivisionError
    with pytest.raises(ValueError, match="not JSON compliant"):
        put(room, metrics={"model.auc": float("nan")})
    assert track_queue.waiting(room) == []


def test_what_was_sent_is_remembered_by_address(room):
    assert track_queue.waiting(Workspace.at(room.root / "nowhere")) == []
    put(room)
    (entry,) = track_queue.waiting(room)
    assert track_queue.followed(room, "there") == (False, None)
    track_queue.done(room, entry, "there", Sent("f" * 32, "1"))
    assert track_queue.waiting(room) == []
    track_queue.follow(room, "there", "v1")
    assert track_queue.runs(room, "there") == {"v1": Sent("f" * 32, "1")}
    assert track_queue.runs(room, "elsewhere") == {}
    assert track_queue.followed(room, "there") == (True, "v1")
    assert track_queue.followed(room, "elsewhere") == (False, None)
    track_queue.follow(room, "there", None)
    assert track_queue.followed(room, "there") == (True, None)


def test_a_workspace_keeps_its_name(room, tmp_path):
    assert track_queue.workspace_id(room) == track_queue.workspace_id(room)
    assert track_queue.workspace_id(Workspace.at(tmp_path / "other")) != track_queue.workspace_id(room)


def test_one_command_sends_at_a_time(room, monkeypatch):
    monkeypatch.setattr(track_queue, "LOCK_SECONDS", 0.1)
    with track_queue.locked(room):
        pass
    with (room.tracking / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrackingError, match="another command is sending"), track_queue.locked(room):
            pass


def test_damage_is_told_with_the_mend(room):
    put(room)
    (room.tracking / "queue" / "v1" / "run.json").write_text("{}")
    with pytest.raises(TrackingError, match="is damaged"):
        track_queue.waiting(room)
    for text in ("[", "[]", '{"there": 3}', '{"there": {}}', '{"there": {"runs": {"v1": {"run": 1}}}}'):
        (room.tracking / "state.json").write_text(text)
        with pytest.raises(WorkspaceError, match=r"state\.json` is damaged .* remove it"):
            track_queue.runs(room, "there")
