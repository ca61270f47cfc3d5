"""What a model card says of the ladder: which rung was chosen, against which others, and what the next one needs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from training import record
from training.model_card_input import CardInput
from training.model_card_parts import DASH, Markup, absent, joined, paragraph, pill, section, sentence, shown, table

RUNGS: Final = {
    "prior": "prior of the rule card and the usual ranges",
    "rules": "rules, recalibrated",
    "scorecard": "scorecard of a few features",
    "model": "LightGBM model",
}
COMPARED: Final = {"time": "later snapshots", "leads": "snapshots of other leads of the same time"}
HEADINGS: Final = (
    "rung",
    "log loss",
    "minus that of the chosen one, on common snapshots",
    "snapshots predicted",
    "leads with a success learnt from",
)


def rung(card: CardInput) -> Markup:
    """Say which rung of the ladder was chosen, and why."""
    title = "How much the outcomes can carry"
    found = card.training.get("ladder")
    why = str(card.training.get("why", ""))
    if not found:
        told = "The rungs of the ladder were not compared in this training."
        return section("rung", title, absent(told), *([paragraph(f"Recorded is: {why}.")] if why else []))
    name = str(found.get("rung", ""))
    how = "Asked for: " if record.asked_for(card.bundle) else "Chosen: "
    parts = [paragraph(joined(how, pill(RUNGS.get(name, name), "good"), ". ", sentence(found.get("why") or why)))]
    lines = [line for line in found.get("table") or () if isinstance(line, Mapping)]
    parts.append(
        _rung_table(lines, name, found.get("across"), _predicted(found))
        if lines
        else absent(_not_compared(card, found))
    )
    following = found.get("next")
    if following:
        needed = following.get("told") if isinstance(following, Mapping) else following
        parts.append(paragraph("What the next rung needs: ", sentence(needed)))
    return section("rung", title, *parts)


def _not_compared(card: CardInput, found: Mapping[str, Any]) -> str:
    """Say why there is no table of rungs."""
    if record.asked_for(card.bundle):
        return "Rungs were not compared: this one was asked for (`--rung`)."
    if not found.get("losses", 1):
        known = "only successes were" if found.get("wins") else "no outcome was"
        return f"Rungs could not be compared: {known} known at the cut."
    return "There were too few later outcomes to compare rungs on."


def _predicted(found: Mapping[str, Any]) -> dict[str, int]:
    """Count the snapshots that each rung predicted, at all origins where it was fitted."""
    counts: dict[str, int] = {}
    for origin in found.get("origins") or ():
        for name in origin["log_loss"]:
            counts[name] = counts.get(name, 0) + origin["rows"]
    return counts


def _rung_table(lines: Sequence[Mapping[str, Any]], chosen: str, across: Any, predicted: Mapping[str, int]) -> Markup:
    rows: list[list[str]] = []
    ours: int | None = None
    for place, line in enumerate(lines):
        name, wins = str(line.get("rung")), line.get("wins") or ()
        ours = place if name == chosen else ours
        rows.append(
            [
                RUNGS.get(name, name),
                _with_error(line.get("log_loss"), line.get("standard_error"), sign=False),
                _with_error(line.get("difference"), line.get("difference_error"), sign=True),
                f"{predicted[name]:,}" if name in predicted else DASH,
                shown(wins) if wins else DASH,
            ]
        )
    return table(_caption(across, predicted), HEADINGS, rows, ours=ours)


def _caption(across: Any, predicted: Mapping[str, int]) -> str:
    told = (
        f"Log loss on {COMPARED.get(str(across), COMPARED['time'])} inside the training side, smaller is better. "
        "Chosen is the simplest rung that no higher one beats by more than one standard error of their difference."
    )
    if len(set(predicted.values())) < 2:
        return told
    return (
        f"{told} Not every rung predicted the same snapshots, as some need more outcomes to learn from. A log loss is "
        "of those that the rung predicted; a difference is of those that it and the chosen one both predicted, so it "
        "is not the difference of the two log losses."
    )


def _with_error(value: float | None, error: float | None, *, sign: bool) -> str:
    if value is None:
        return DASH
    told = f"{value:+.4f}" if sign else f"{value:.4f}"
    return told if error is None else Markup(f"{told}<small>\N{PLUS-MINUS SIGN} {error:.4f}</small>")
