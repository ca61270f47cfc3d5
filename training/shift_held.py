"""Corrections of the base rate that were taken back: what a new one has to wait for.

Whoever takes a correction back knows something that scores do not: outcomes disproved it, or a person knows why leads
looked different. Only snapshots after that instant are evidence for a new one. The instant is the end of the record
then, because data may arrive late, and it is kept in `bundles/taken_back.jsonl`, one JSON object a line.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from leadlight.instants import iso
from leadlight.workspace import Workspace, write_text_atomically
from training import history


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A correction that was taken back.

    Attributes:
        of: bundle that it corrected.
        correction: the corrected bundle.
        until: end of the record when it was taken back, µs UTC.
        by: outcomes that disproved it, or a person.
        because: the reason given, or None.
    """

    of: str
    correction: str
    until: int
    by: Literal["outcomes", "person"]
    because: str | None = None

    @property
    def why(self) -> str:
        """Say what was taken back and what that means for the next one, in one sentence."""
        told = f" ({self.because})" if self.because else ""
        waits = "only snapshots after that count for an alarm"
        if self.by == "outcomes":
            waits += ", and a new correction waits until outcomes of such snapshots bear it out"
        who = "outcomes disproved" if self.by == "outcomes" else "a person took back"
        return f"{who} the last correction of this bundle when the record ended {iso(self.until)}{told}: {waits}"

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {**asdict(self), "until": iso(self.until), "why": self.why}


def latest(workspace: Workspace, version: str) -> TakenBack | None:
    """Give how the last correction of a bundle that serves uncorrected was taken back; None where it had none.

    A person may also have let another bundle serve (`models rollback`, `models promote`): then nobody wrote down when,
    and the record as it is now counts as known.

    Raises:
        WorkspaceError: one of the two files is damaged.
    """
    made = [one.version for one in history.changes(workspace) if (one.action, one.previous) == ("shift", version)]
    if not made:
        return None
    noted = [one for one in _read(workspace) if one.correction == made[-1]]
    return noted[-1] if noted else TakenBack(version, made[-1], workspace.tables_info().observed_until, "person")


def note(workspace: Workspace, found: TakenBack) -> None:
    """Write down what was taken back; what is written already is not written twice.

    A line is written before the pointer moves. If a crash comes between, the correction is still in force, and the
    line is not asked before it is taken back in truth.

    Several commands may write at once: each waits for the lock under which the pointer moves.

    Raises:
        WorkspaceError: the file is damaged or cannot be written, or another command does not let go of the lock.
    """
    with history.locked(workspace):
        known = _read(workspace)
        if found not in known:
            lines = [json.dumps(asdict(one), ensure_ascii=False) for one in (*known, found)]
            write_text_atomically(_path(workspace), "\n".join(lines) + "\n")


def _read(workspace: Workspace) -> list[TakenBack]:
    return history.records(_path(workspace), TakenBack, "forget what was taken back")


def _path(workspace: Workspace) -> Path:
    return workspace.bundles / "taken_back.jsonl"
