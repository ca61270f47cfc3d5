"""Correct what serves for a changed base rate, and take the correction back.

A correction is a bundle of its own: the same scorer with `shift`, a new version, and in `training.json` what was
corrected and why. The bundle that it was made from stays on disk as it is, and undoing is to point at that one again.
The new bundle is written whole before the pointer moves; where another command was faster it stays unused.

What was taken back comes back only by new evidence, or by a person (`training.shift_held`). A correction that is too
large for its assumption to be believed is not made.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from features import hygiene, hygiene_settings
from leadlight.bundle import Bundle, save, signing_key
from leadlight.errors import InputError
from leadlight.workspace import Workspace, write_text_atomically
from scoring import chosen
from training import history, shift_held, shift_watch, track
from training.shift_held import TakenBack
from training.track import Followed

if TYPE_CHECKING:
    from training.shift_verdict import Verdict
    from training.shift_watch import Look

# No correction changes the odds by a larger factor. It assumes that leads look as they always did; a form or a tracking
# script that changed moves scores as far as one likes, while a base rate hardly moves tenfold within a horizon. So far
# out a correction is more likely wrong than right, and would do most harm.
MOST_TIMES: Final = 10.0
FARTHEST: Final = math.log(MOST_TIMES)


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found, and what was done about it.

    Attributes:
        bundle: version that was looked at.
        current: version that serves now.
        log_odds: correction in force in it, 0 = none.
        look: at recent scores; None where a correction was in force, or none is recent enough (`held`).
        verdict: of outcomes on that correction, or on one that is held back until outcomes bear it out; None where
            there was none, or none of its outcomes is known yet.
        why: what was done, in one sentence.
        problem: whether something is to be done: an alarm that nobody acted on, or a disproved correction in force.
        mend: what `shift apply` does about it; None = nothing.
        held: the last correction, where it was taken back and so only later snapshots count.
        card: the model card of a new correction; None where none was made.
        followed: what MLflow did.
    """

    bundle: str
    current: str
    log_odds: float
    look: "Look | None"
    verdict: "Verdict | None"
    why: str
    problem: bool = False
    mend: Literal["correct", "take back"] | None = None
    held: TakenBack | None = None
    card: Path | None = None
    followed: Followed = field(default_factory=Followed)

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "bundle": self.bundle,
            "current": self.current,
            "log_odds": self.log_odds,
            "alarm": self.look is not None and self.look.found.alarm,
            "look": None if self.look is None else self.look.to_json(),
            "verdict": None if self.verdict is None else self.verdict.to_json(),
            "why": self.why,
            "problem": self.problem,
            "held": None if self.held is None else self.held.to_json(),
            "model_card": None if self.card is None else str(self.card),
            "mlflow": self.followed.to_json(),
        }


def check(workspace: Workspace, *, known_from: int | None = None, again: bool = False) -> Watched:
    """Look at what serves, and change nothing: for a changed base rate, or where it is corrected, at the outcomes.

    Args:
        workspace: holds the tables and what serves.
        known_from: as_of of the first matured snapshots, µs UTC; None = the bundle's cut.
        again: whether a correction may come again that was taken back, by the snapshots that were known then.

    Raises:
        BundleMissingError: nothing serves.
        BundleTamperedError: what serves does not hold.
        InputError: the data has no clock.
        NotEnoughDataError: nothing is recent, or too little has matured.
        WorkspaceError: what is kept of corrections is damaged.
    """
    bundle = chosen.load(workspace)
    if shift_watch.correction(bundle) is not None:
        return _judged(workspace, bundle)
    held = None if again else shift_held.latest(workspace, bundle.version)
    seen = shift_watch.look(workspace, bundle, known_from=known_from, after=None if held is None else held.until)
    found = Watched(bundle.version, bundle.version, 0.0, seen, None, "nothing is to be done", held=held)
    if seen is None or not seen.found.alarm:
        return found if held is None else replace(found, why=_waiting(held))
    if abs(seen.found.log_odds) > FARTHEST:
        return replace(found, why=_too_far(seen.found.log_odds), problem=True)
    if held is not None and held.by == "outcomes":
        verdict = shift_watch.weighed(workspace, bundle, seen.found.log_odds, held.until + 1, seen.ages_us)
        if verdict is None or verdict.verdict != "better":
            return replace(found, why=_waiting(held), verdict=verdict)
        found = replace(found, verdict=verdict)
    return replace(found, why="`leadlight shift apply` corrects it", problem=True, mend="correct")


def apply(workspace: Workspace, *, known_from: int | None = None, again: bool = False) -> Watched:
    """Do what `check` finds: correct after an alarm, take a correction back that outcomes disprove, else nothing.

    Args:
        workspace: its pointer is moved, and a bundle is written.
        known_from: see `check`.
        again: see `check`.

    Raises:
        BundleMissingError: nothing serves, or the bundle to go back to is gone.
        BundleTamperedError: a bundle does not hold.
        InputError: the data has no clock.
        NotEnoughDataError: nothing is recent, or too little has matured.
        WorkspaceError: another command changed what serves meanwhile, what is kept of corrections is damaged, or the
            model card of what serves is there and cannot be read.
    """
    found = check(workspace, known_from=known_from, again=again)
    if found.held is not None:
        shift_held.note(workspace, found.held)
    if found.mend == "take back" and found.verdict is not None:
        return replace(_undone(workspace, "outcomes", found.verdict.why), verdict=found.verdict)
    if found.mend is None or found.look is None:
        return found
    corrected, card = _corrected(workspace, chosen.load(workspace, found.bundle), found.look)
    history.put(workspace, corrected.version, "shift", expected=found.bundle)
    told = f"`{corrected.version}` serves from now on instead of `{found.bundle}`"
    return replace(
        found,
        current=corrected.version,
        log_odds=corrected.scorer.shift,
        why=f"{told}; `leadlight shift undo` takes it back",
        problem=False,
        mend=None,
        card=card,
        followed=track.follow(workspace),
    )


def undo(workspace: Workspace, *, because: str | None = None) -> Watched:
    """Let the bundle serve again from which the corrected one was made; its files were never touched.

    Raises:
        BundleMissingError: nothing serves, or the bundle to go back to is gone.
        BundleTamperedError: a bundle does not hold; nothing is changed.
        InputError: what serves is not corrected.
        WorkspaceError: another command changed what serves meanwhile, or what is kept of corrections is damaged.
    """
    return _undone(workspace, "person", because)


def _undone(workspace: Workspace, by: Literal["outcomes", "person"], because: str | None) -> Watched:
    """Take the correction in force back, and keep as of when."""
    bundle = chosen.load(workspace)
    recorded = shift_watch.correction(bundle)
    if recorded is None:
        raise InputError(f"the probabilities of `{bundle.version}`, which serves, are not corrected: nothing to undo")
    before = chosen.load(workspace, str(recorded["of"]))
    held = TakenBack(before.version, bundle.version, workspace.tables_info().observed_until, by, because)
    shift_held.note(workspace, held)
    history.put(workspace, before.version, "undo", expected=bundle.version, because=because)
    told = f"`{before.version}` serves again instead of `{bundle.version}`, as it was; {held.why}"
    return Watched(
        bundle.version,
        before.version,
        before.scorer.shift,
        None,
        None,
        told,
        held=held,
        followed=track.follow(workspace),
    )


def _waiting(held: TakenBack) -> str:
    return f"nothing is corrected: {held.why}; `leadlight shift apply --again` does not wait"


def _too_far(change: float) -> str:
    return (
        f"nothing is corrected: the odds would change by a factor of {math.exp(abs(change)):,.0f}, and from "
        f"{MOST_TIMES:.0f} on it is less likely that only the base rate changed than that leads are recorded or look "
        "differently; see what did, and train again once outcomes are known"
    )


def _judged(workspace: Workspace, bundle: Bundle) -> Watched:
    """Hold the correction in force against outcomes."""
    verdict = shift_watch.outcomes(workspace, bundle)
    disproved = verdict is not None and verdict.undone
    told = "the correction stays: none of its outcomes is known yet" if verdict is None else "the correction stays"
    if disproved:
        told = "`leadlight shift apply` or `leadlight shift undo` takes the correction back"
    mend: Literal["take back"] | None = "take back" if disproved else None
    return Watched(
        bundle.version, bundle.version, bundle.scorer.shift, None, verdict, told, problem=disproved, mend=mend
    )


def _corrected(workspace: Workspace, bundle: Bundle, seen: "Look") -> tuple[Bundle, Path]:
    """Write the corrected copy of a bundle, its thresholds counted again by its own scores, and its model card."""
    from training import model_card_shift, pipeline  # noqa: PLC0415  (seconds to import; only a correction needs them)

    recorded = {
        **seen.to_json(),
        "of": bundle.version,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "since_us": seen.since,
        "ages_us": list(seen.ages_us),
    }
    found = replace(
        bundle,
        version=pipeline.new_version(bundle.scorer.kind),
        scorer=seen.found.into(bundle.scorer),
        training={**bundle.training, shift_watch.KEY: recorded},
    )
    tables, info = hygiene.tables_for(workspace, hygiene_settings.recorded(bundle.training)), workspace.tables_info()
    curves = pipeline.thresholds(tables, info, found, bundle.training["test_from"], info.observed_until)
    found = replace(found, thresholds=curves)
    path, text = workspace.model_card_path(found.version), model_card_shift.of_workspace(workspace, found)
    save(found, workspace.bundle_path(found.version), signing_key())
    write_text_atomically(path, text)
    return found, path
