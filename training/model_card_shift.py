"""The model card of a bundle that was corrected for a changed base rate: what was corrected, and the original's card.

Nothing was learnt anew, so the figures of the original hold for it alone: they stay below as they were written, and
what is different stands above them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from leadlight.bundle import Bundle
from leadlight.errors import WorkspaceError
from leadlight.workspace import Workspace
from scoring.scale import POINTS_PER_LOG_ODDS
from training import model_card_plots as plots
from training import model_card_use as use
from training import shift_watch
from training.model_card_parts import (
    Markup,
    absent,
    bullets,
    capital,
    code,
    joined,
    note,
    page,
    section,
    table,
    with_first,
)
from training.shift import ALARM_ERROR, level

ANCHOR: Final = "correction"
LINK: Final = (ANCHOR, "Correction")
TITLE: Final = "Corrected for a changed base rate"
DONE: Final = "Written by leadlight with the correction itself. This page loads nothing from anywhere."


def of_workspace(workspace: Workspace, corrected: Bundle) -> str:
    """Give the card of a corrected bundle as text, above that of the bundle it was made from.

    Raises:
        WorkspaceError: that card is there and cannot be read.
    """
    recorded = corrected.training[shift_watch.KEY]
    return render(corrected, _read(workspace.model_card_path(str(recorded["of"]))))


def render(corrected: Bundle, original: str | None) -> str:
    """Give the page as text.

    Args:
        corrected: the bundle; its training tells of the correction.
        original: the card of the bundle that it was made from; None = there is none. That is said, and as well where
            it is another text.
    """
    recorded = corrected.training[shift_watch.KEY]
    sub = f"bundle `{corrected.version}`, corrected from `{recorded['of']}` at {recorded['at']}"
    whole = None if original is None else with_first(original, _section(corrected, recorded), link=LINK, sub=sub)
    if whole is not None:
        return whole
    why = "is not in this workspace" if original is None else "is damaged, or none that leadlight wrote"
    missing = absent(f"The model card of `{recorded['of']}` {why}, so its figures are not shown.")
    parts = [_section(corrected, recorded), missing]
    return page("A corrected bundle", parts, kicker="leadlight model card", sub=sub, links=[LINK], foot=DONE)


def _read(path: Path) -> str | None:
    """Read a card: None where there is none, an empty text where it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""
    except OSError as refused:
        raise WorkspaceError(
            f"the model card `{path}` cannot be read ({refused.strerror}), and the card of the corrected bundle shows "
            "it; make it readable, or move it away to do without it"
        ) from refused


def _section(corrected: Bundle, recorded: Mapping[str, Any]) -> Markup:
    """Say what was corrected, by how much, under which assumption, and until when."""
    shift, of = corrected.scorer.shift, code(str(recorded["of"]))
    done = (
        f" with {shift:+.2f} log-odds added to every lead, which is {shift * POINTS_PER_LOG_ODDS:+.1f} points of the "
        "score (between 0 and 100)."
    )
    until = (
        "The correction holds until outcomes disprove it (`leadlight shift apply`, run daily, takes it back), until "
        "`leadlight shift undo` takes it back, or until another bundle serves."
    )
    said = [
        joined("Everything below this section is the card of ", of, " as it was trained: without this correction."),
        "Which lead comes before which is the same, and so are AUC, lift, gains and what moves scores against others.",
        "Probabilities, scores, thresholds, log loss, Brier and ECE are not: below they are those without it.",
        until,
    ]
    return section(
        ANCHOR,
        TITLE,
        note("warn", joined("This is ", of, done), f"{capital(str(recorded['why']))}."),
        _facts(shift, recorded),
        bullets(said),
        *_thresholds(corrected),
    )


def _facts(shift: float, recorded: Mapping[str, Any]) -> Markup:
    known = f"{recorded['matured']:,} matured snapshots, {recorded['known_from']} to {recorded['known_until']}"
    recent = f"{recorded['scores']:,} recent snapshots of {recorded['leads']:,} leads"
    ends = f"interval {recorded['low']:.1%} to {recorded['high']:.1%}, {_sure(recorded)}"
    rows = [
        ["corrected from", code(str(recorded["of"])), "it stays on disk as it was"],
        ["corrected at (UTC)", str(recorded["at"]), ""],
        ["base rate before", f"{recorded['before']:.1%}", known],
        ["base rate now", f"{recorded['after']:.1%}", f"{recent}, {recorded['since']} to {recorded['until']}; {ends}"],
        ["added to log-odds", f"{shift:+.3f}", "what was off for the matured ones already is part of it"],
    ]
    return table("The correction.", ["", "value", "from"], rows, texts=(1, 2))


def _sure(recorded: Mapping[str, Any]) -> str:
    """Say how sure the interval of the base rate is; corrections once kept no error of their look."""
    together = f"{level(ALARM_ERROR)} for all looks together"
    return f"{level(recorded['error'])} at this look, {together}" if "error" in recorded else together


def _thresholds(corrected: Bundle) -> list[Markup]:
    """Show the thresholds of the corrected score, where there are any."""
    curve, rules = (corrected.thresholds.get(basis) for basis in ("model", "rules"))
    if not curve or not plots.tradeoff_rows(curve):
        return []
    told = (
        "Thresholds of the corrected score, counted again on past weeks: at the base rate of then, so after a rise "
        "they are cautious."
    )
    return [bullets([told]), use.threshold_table(curve, rules)]
