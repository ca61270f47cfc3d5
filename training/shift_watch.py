"""Is the base rate another one by now, and do outcomes bear out a correction: asked of a workspace and a bundle.

Recent are the open snapshots whose horizon had not ended at the look that is due (`training.shift_looks`): nobody knew
their outcomes then. They are held against the matured ones from the bundle's cut on, at the same ages, none of which it
was fitted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.errors import InputError, NotEnoughDataError
from leadlight.instants import iso
from leadlight.workspace import Workspace
from training import shift, shift_looks, shift_verdict
from training.assess import scored
from training.shift import Shift
from training.shift_looks import Turn
from training.shift_verdict import Verdict

# Where a bundle's training tells of its correction.
KEY: Final = "shift"


@dataclass(frozen=True, slots=True)
class Look:
    """A look at recent scores.

    Attributes:
        turn: which look this is, at which end of the record, and how often it may err.
        since: as_of of the first recent snapshots, µs UTC.
        known_from: as_of of the first matured snapshots that they are held against, µs UTC.
        known_until: of the last ones, µs UTC.
        matured: how many matured snapshots.
        ages_us: ages of both.
        found: what the scores say; its numbers are for log-odds without any correction.
    """

    turn: Turn
    since: int
    known_from: int
    known_until: int
    matured: int
    ages_us: tuple[int, ...]
    found: Shift

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "number": self.turn.number,
            "since": iso(self.since),
            "until": iso(self.turn.until),
            "next": iso(self.turn.following),
            "known_from": iso(self.known_from),
            "known_until": iso(self.known_until),
            "matured": self.matured,
            "ages": [durations.write(age) for age in self.ages_us],
            **self.found.to_json(),
        }


def correction(bundle: Bundle) -> Mapping[str, Any] | None:
    """Give what a bundle records of the correction that is in its probabilities; None where there is none."""
    recorded: Mapping[str, Any] | None = bundle.training.get(KEY)
    return recorded if bundle.scorer.shift and recorded else None


def look(
    workspace: Workspace, bundle: Bundle, *, known_from: int | None = None, after: int | None = None
) -> Look | None:
    """Look for a changed base rate in the recent scores of a bundle, as if it were not corrected.

    Args:
        workspace: holds the tables.
        bundle: a verified bundle.
        known_from: as_of of the first matured snapshots, µs UTC; None = the bundle's cut.
        after: only later snapshots count as recent, µs UTC; None = all do.

    Returns:
        What was seen at the last look that is due; None where no snapshot is later than `after`.

    Raises:
        InputError: the data has no clock, or the bundle does not say how it was trained.
        NotEnoughDataError: there are no recent snapshots, or too few matured ones.
    """
    horizon, observed = _clock(workspace, bundle)
    ages, cut = tuple(bundle.training.get("ages_us", ())), bundle.training.get("test_from")
    if not ages or cut is None:
        raise InputError(f"bundle `{bundle.version}` does not say how it was trained; train again")
    turn = shift_looks.due(int(bundle.training.get("until", cut)), observed)
    start, ended = cut if known_from is None else known_from, turn.until - horizon
    if start > ended:
        raise NotEnoughDataError(
            f"no outcome from {iso(start)} on is known yet (the record is looked at as of {iso(turn.until)}, outcomes "
            f"take {durations.write(horizon)}), so recent scores cannot be held against anything; "
            "ingest newer data"
        )
    last = ended if after is None else max(ended, after)
    frame = scored(workspace, _uncorrected(bundle), start, turn.until + 1, ages)
    recent, known = frame.filter(pl.col("as_of") > last), _mature(frame, ended)
    if after is not None and recent.is_empty():
        return None
    found = shift.against(
        recent["log_odds"].to_numpy(),
        known["log_odds"].to_numpy(),
        known["label"].to_numpy(),
        recent_leads=recent["lead_id"].to_numpy().astype(object),
        reference_leads=known["lead_id"].to_numpy().astype(object),
        recent_ages=recent["age"].to_numpy(),
        reference_ages=known["age"].to_numpy(),
        error=turn.error,
    )
    return Look(turn, last + 1, start, ended, known.height, ages, found)


def outcomes(workspace: Workspace, bundle: Bundle) -> Verdict | None:
    """Hold the correction of a bundle against the snapshots whose outcomes became known since; None = none did yet.

    Raises:
        InputError: the bundle is not corrected, or the data has no clock.
    """
    recorded = correction(bundle)
    if recorded is None:
        raise InputError(
            f"the probabilities of bundle `{bundle.version}` are not corrected; see `leadlight shift check`"
        )
    return weighed(workspace, bundle, bundle.scorer.shift, int(recorded["since_us"]), tuple(recorded["ages_us"]))


def weighed(
    workspace: Workspace, bundle: Bundle, change: float, since: int, ages_us: tuple[int, ...]
) -> Verdict | None:
    """Hold a correction that a bundle has, or could have, against matured snapshots; None where there are none.

    Args:
        workspace: holds the tables.
        bundle: a verified bundle.
        change: log-odds of the correction.
        since: as_of of the first snapshots, µs UTC.
        ages_us: their ages.

    Raises:
        InputError: the data has no clock.
    """
    horizon, observed = _clock(workspace, bundle)
    ended = observed - horizon
    if since > ended:
        return None
    frame = _mature(scored(workspace, _uncorrected(bundle), since, ended + 1, ages_us), ended)
    if frame.is_empty():
        return None
    return shift_verdict.check(
        change,
        frame["log_odds"].to_numpy(),
        frame["label"].to_numpy(),
        frame["lead_id"].to_numpy().astype(object),
    )


def _uncorrected(bundle: Bundle) -> Bundle:
    return replace(bundle, scorer=replace(bundle.scorer, shift=0.0))


def _mature(frame: pl.DataFrame, ended: int) -> pl.DataFrame:
    return frame.filter(pl.col("as_of") <= ended, pl.col("label").is_not_null())


def _clock(workspace: Workspace, bundle: Bundle) -> tuple[int, int]:
    """Give the horizon of a bundle, and the end of the record.

    Raises:
        InputError: the data has no clock.
    """
    info, horizon = workspace.tables_info(), bundle.scorer.horizon_us
    if info.clock == "order" or horizon is None:
        raise InputError("this data has an order but no clock: no scores are recent, so no change can be told")
    return horizon, info.observed_until
