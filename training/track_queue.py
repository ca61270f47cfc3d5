"""The queue of runs in the workspace: every training is packed here first, and leaves when MLflow has it.

    tracking/
      id                        what this workspace is called on a server that several workspaces share
      state.json                by address: which version the aliases follow, and the run of every bundle
      queue/<version>/
        run.json                where it goes, and what is logged: parameters, figures, tags
        files/bundle/           the signed bundle, file for file
        files/plots/ ...        pictures, reports
      .lock                     held while one command sends

Plain JSON, pictures and pages; no pickles. An entry appears whole or not at all. `state.json` only spares questions:
what is on the server counts, and an entry that is sent a second time is found there by the tag of its bundle.
"""

import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from leadlight.errors import TrackingError, WorkspaceError
from leadlight.workspace import Workspace, folder_atomically, write_text_atomically

# Artefact folders of a run.
BUNDLE_FOLDER: Final = "bundle"
PLOTS_FOLDER: Final = "plots"
REPORT_FOLDER: Final = "report"
# How long a command waits for another one that is sending.
LOCK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that waits.

    Attributes:
        folder: where it lies.
        address: where it goes.
        version: of its bundle.
        at: when it was made, ms since the epoch.
        target: the stage that the bundle predicts.
        kind: of its scorer.
        why: a sentence about it.
        params: parameters as text.
        metrics: finite numbers.
        tags: of the run.
    """

    folder: Path
    address: str
    version: str
    at: int
    target: str
    kind: str
    why: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]

    @property
    def files(self) -> Path:
        """Folder of everything that becomes an artefact."""
        return self.folder / "files"


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a bundle is found in MLflow: its run, and the number of its registered version."""

    run_id: str
    model_version: str


@contextmanager
def put(workspace: Workspace, version: str, **told: Any) -> Iterator[Path]:
    """Yield the folder for an entry's files; the entry is in the queue if the block ends without an error.

    What waits already for that bundle gives way.

    Args:
        workspace: holds the queue.
        version: of the bundle, whose files are copied in.
        told: the attributes of `Entry` beside folder and version.
    """
    target = workspace.tracking / "queue" / version
    shutil.rmtree(target, ignore_errors=True)
    with folder_atomically(target) as folder:
        files = folder / "files"
        shutil.copytree(workspace.bundle_path(version), files / BUNDLE_FOLDER)
        yield files
        told = {"version": version, "at": time.time_ns() // 1_000_000, **told}
        text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / "run.json").write_text(text, encoding="utf-8")


def waiting(workspace: Workspace) -> list[Entry]:
    """Give the entries, oldest bundle first.

    Raises:
        TrackingError: one cannot be read.
    """
    folder = workspace.tracking / "queue"
    if not folder.is_dir():
        return []
    return [_entry(path) for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]


def _entry(folder: Path) -> Entry:
    try:
        return Entry(folder=folder, **json.loads((folder / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as damaged:
        raise TrackingError(f"the waiting run `{folder}` is damaged ({damaged}); remove it to go on") from damaged


def done(workspace: Workspace, entry: Entry, address: str, sent: Sent) -> None:
    """Remember where an entry went, and take it out of the queue."""
    with _changing(workspace, address) as mine:
        mine["runs"][entry.version] = asdict(sent)
    shutil.rmtree(entry.folder, ignore_errors=True)


def follow(workspace: Workspace, address: str, version: str | None) -> None:
    """Remember that the aliases at an address follow what serves (None = nothing does)."""
    with _changing(workspace, address) as mine:
        mine["followed"] = version


def runs(workspace: Workspace, address: str) -> dict[str, Sent]:
    """Give where bundles are found at an address, by version."""
    return {version: Sent(**sent) for version, sent in _of(workspace, address)["runs"].items()}


def followed(workspace: Workspace, address: str) -> tuple[bool, str | None]:
    """Tell whether anything was ever sent to an address, and which bundle its aliases follow."""
    state = _of(workspace, address)
    return "followed" in state, state.get("followed")


def workspace_id(workspace: Workspace) -> str:
    """Give the name of the workspace on a server that several share; made on first use."""
    path = workspace.tracking / "id"
    if not path.exists():
        write_text_atomically(path, secrets.token_hex(8) + "\n")
    return path.read_text(encoding="utf-8").strip()


@contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Hold the queue, so that one command sends at a time.

    Raises:
        TrackingError: another one does, for longer than `LOCK_SECONDS`.
    """
    import fcntl  # noqa: PLC0415  (POSIX only)

    workspace.tracking.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + LOCK_SECONDS
    with (workspace.tracking / ".lock").open("w", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as held:
                if time.monotonic() > until:
                    raise TrackingError("another command is sending runs of this workspace to MLflow") from held
                time.sleep(0.1)
        yield


@contextmanager
def _changing(workspace: Workspace, address: str) -> Iterator[dict[str, Any]]:
    """Yield what is remembered of an address, to be changed; written whole if the block ends without an error."""
    state = _state(workspace)
    yield state.setdefault(address, {"runs": {}})
    write_text_atomically(_state_path(workspace), json.dumps(state, indent=1, ensure_ascii=False))


def _of(workspace: Workspace, address: str) -> dict[str, Any]:
    found: dict[str, Any] = _state(workspace).get(address, {"runs": {}})
    return found


def _state_path(workspace: Workspace) -> Path:
    return workspace.tracking / "state.json"


def _state(workspace: Workspace) -> dict[str, Any]:
    path = _state_path(workspace)
    if not path.exists():
        return {}
    try:
        found = {address: _checked(mine) for address, mine in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as damaged:
        raise WorkspaceError(f"`{path}` is damaged ({damaged}); remove it: it is made again") from damaged
    return found


def _checked(mine: dict[str, Any]) -> dict[str, Any]:
    """Give what is remembered of an address if it is of that form."""
    for sent in mine["runs"].values():
        Sent(**sent)
    return mine
