"""What served when: the pointer `bundles/current`, and beside it an append-only history of every change of it.

    bundles/history.jsonl     one JSON object a line: at, action, version, previous, because
    bundles/.lock             held while the two are changed, and what is kept of corrections (`training.shift_held`)

A line is written before the pointer moves. If a crash comes between, the line tells of a change that never happened: it
is never believed by itself, because what served before is always looked up for the version that the pointer names.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, TextIO, TypeVar

from leadlight.errors import BundleMissingError, WorkspaceError
from leadlight.workspace import Workspace, write_text_atomically

Record = TypeVar("Record")

# `shift`: a copy whose probabilities are corrected for a changed base rate; `undo`: back to what it was made from.
Action = Literal["train", "promote", "rollback", "shift", "undo"]
BACKWARD: Final = frozenset({"rollback", "undo"})
# A command holds the lock for milliseconds: another one waits so long for it before it gives up, in seconds.
PATIENCE: Final = 10.0
PAUSE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what serves.

    Attributes:
        at: when, ISO instant, UTC.
        action: what made it.
        version: what serves from then on.
        previous: what served before, or None where nothing did. What a rollback or an undo leads back to next is not in
            its line but follows from those before it. (Older lines of rollbacks and undos have that here.)
        because: the reason given for a promotion against the evidence or for an undo, or None.
    """

    at: str
    action: Action
    version: str
    previous: str | None
    because: str | None = None


def served(workspace: Workspace) -> str | None:
    """Give the version that serves, or None where nothing does."""
    try:
        return workspace.current_version()
    except BundleMissingError:
        return None


def changes(workspace: Workspace) -> list[Change]:
    """Read the history, oldest first.

    Raises:
        WorkspaceError: the file is damaged.
    """
    return records(_path(workspace), Change, "go on without a history")


def records(path: Path, kind: Callable[..., Record], without: str) -> list[Record]:
    """Read a file of JSON lines, a record each, oldest first; none where there is no file.

    Args:
        path: the file.
        kind: what a line holds the fields of.
        without: what moving a damaged file away means, as after "to".

    Raises:
        WorkspaceError: the file is damaged.
    """
    if not path.exists():
        return []
    try:
        return [kind(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (ValueError, TypeError) as damaged:
        raise WorkspaceError(f"`{path}` is damaged ({damaged}); move it away to {without}") from damaged


@dataclass(frozen=True, slots=True)
class _Stand:
    """A version that serves or served.

    Attributes:
        version: of the bundle.
        below: what to go back to from it; None where nothing is known of it, or nothing served before.
        known: whether the history tells how it came to serve.
    """

    version: str
    below: "_Stand | None" = None
    known: bool = True


def before(workspace: Workspace, version: str) -> str | None:
    """Give what served before a version that serves; None where nothing did, or the history does not know."""
    stand = _latest(_stands(changes(workspace)), version)
    return None if stand.below is None else stand.below.version


def is_first(workspace: Workspace, version: str) -> bool:
    """Whether the history knows that nothing served before a version that serves."""
    stand = _latest(_stands(changes(workspace)), version)
    return stand.known and stand.below is None


def _stands(known: Sequence[Change]) -> list[_Stand]:
    """Give what each change led to, oldest first: forward puts one more on top, backward takes the top away.

    So a version that served twice has two stands, and going back to the first of them does not lead to the second.
    """
    found: list[_Stand] = []
    for change in known:
        if change.action in BACKWARD:
            found.append(_gone_back(found, change.version))
        else:
            below = None if change.previous is None else _latest(found, change.previous)
            found.append(_Stand(change.version, below))
    return found


def _latest(stands: Sequence[_Stand], version: str) -> _Stand:
    """Give the last stand of a version: a change that a crash stopped halfway names another one, and is passed over."""
    return next((one for one in reversed(stands) if one.version == version), _Stand(version, known=False))


def _gone_back(stands: Sequence[_Stand], version: str) -> _Stand:
    """Give the stand of a version that is gone back to: the one below the last stand that has it below."""
    tops = (one.below for one in reversed(stands) if one.below is not None and one.below.version == version)
    return next(tops, _Stand(version, known=False))


def put(
    workspace: Workspace, version: str, action: Action, *, expected: str | None, because: str | None = None
) -> Change | None:
    """Let a version serve, and write that down; None where it serves already.

    Args:
        workspace: its pointer is moved.
        version: a bundle on disk.
        action: what moves it.
        expected: what served when this was decided, or None.
        because: see `Change`.

    Raises:
        BundleMissingError: the version is not on disk.
        WorkspaceError: something else serves by now than was expected, or another command is changing it.
    """
    if version not in workspace.bundle_versions():
        raise BundleMissingError(f"bundle `{version}` is not in `{workspace.bundles}`; see `leadlight models list`")
    with locked(workspace):
        current = served(workspace)
        if current != expected:
            raise WorkspaceError(
                f"`{current}` serves by now instead of `{expected}`: another command came first; repeat"
            )
        if current == version:
            return None
        change = Change(datetime.now(UTC).isoformat(timespec="seconds"), action, version, current, because)
        lines = [json.dumps(asdict(line), ensure_ascii=False) for line in (*changes(workspace), change)]
        write_text_atomically(_path(workspace), "\n".join(lines) + "\n")
        workspace.set_current(version)
        return change


def _path(workspace: Workspace) -> Path:
    return workspace.bundles / "history.jsonl"


@contextmanager
def locked(workspace: Workspace) -> Iterator[None]:
    """Hold what serves, and what is kept of it, for this command alone; not twice in one command.

    Raises:
        WorkspaceError: another command did not let go of it within `PATIENCE`.
    """
    with (workspace.bundles / ".lock").open("w", encoding="utf-8") as lock:
        if not _held(lock):
            raise WorkspaceError(f"another command is changing what serves in `{workspace.root}`; repeat")
        yield


def _held(lock: TextIO) -> bool:
    """Wait for the lock; False where it stays with another command."""
    import fcntl  # noqa: PLC0415  (POSIX only)

    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(PAUSE)
        else:
            return True
