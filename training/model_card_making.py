"""What a model card says of the making: calibration, encoded categories, and what small segments borrow."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from leadlight.phrases import counted
from training import asked
from training.comparison import METRIC_NAMES, Metric
from training.model_card_input import CardInput
from training.model_card_parts import (
    DASH,
    Markup,
    absent,
    bullets,
    capital,
    code,
    joined,
    paragraph,
    pill,
    section,
    shown,
    table,
)

# Of very many segments those with the most leads are told.
MOST_SEGMENTS: Final = 15
WAYS: Final = {"pooled": "partial pooling", "single": "one model for all", "separate": "a model per segment"}
# Shares of a segment and their headings.
SHARES: Final = {"observed": "observed", "single": "one model for all", "served": "pooled", "rate": "true rate"}
COMPARED: Final[tuple[Metric, ...]] = ("log_loss", "auc", "ece")


def making(card: CardInput) -> Markup:
    """Say how probabilities were made true, and which categories became numbers."""
    training = card.training
    parts = [*_recipe(training), *_line(training), *_calibration(training), *_encodings(training)]
    fitted = parts or [absent("Nothing was fitted beyond the rule link.")]
    told = bullets([f"{capital(one)}." for one in asked.told(training)])
    return section("making", "How it was made", *fitted, told)


def _recipe(training: Mapping[str, Any]) -> list[Markup]:
    recipe = training.get("recipe")
    if not recipe:
        return []
    return [paragraph(f"Trees: {shown(recipe)}.{_tried(training)}")]


def _tried(training: Mapping[str, Any]) -> str:
    """Say what else was tried, and why this recipe was taken."""
    trials, tuning = training.get("trials"), training.get("tuning")
    if not isinstance(trials, Sequence) or not trials:
        return ""
    found = tuning.get("against_usual") if isinstance(tuning, Mapping) else None
    if not isinstance(found, Mapping):
        return f" The best of {counted(len(trials), 'recipe')} by validation."
    if found["gain"] is None:
        return (
            f" Of {len(trials):,} recipes the usual one."
            if len(trials) > 1
            else " The usual recipe; no other was tried."
        )
    gain = f"{found['gain']:+.5f} nats a row, standard error {found['error']:.5f}"
    if found["taken"]:
        return f" The best of {len(trials):,} recipes; on leads without a say in the choice it gains {gain}."
    return f" Of {len(trials):,} recipes the usual one: on leads without a say in the choice the best gains {gain}."


def _line(training: Mapping[str, Any]) -> list[Markup]:
    found = training.get("line")
    if not isinstance(found, Mapping):
        return []
    losses = ", ".join(f"{float(share):.0%} {loss:.5f}" for share, loss in (found.get("log_loss") or {}).items())
    measured = f" Log loss on leads that were not learnt from, by the line's share: {losses}." if losses else ""
    if not found["share"]:
        return [paragraph(f"Trees alone, without a line over all features beside them.{measured}")]
    told = (
        f"A line over all features (a logistic regression) has {found['share']:.0%} of the log-odds, trees and rules "
    )
    return [paragraph(f"{told}the rest.{measured}")]


def _calibration(training: Mapping[str, Any]) -> list[Markup]:
    found = training.get("calibrator")
    if not found:
        return []
    numbers = f"slope {found.get('slope', 1.0):.3f}, level {found.get('intercept', 0.0):+.3f}"
    why = str(found.get("why", "")).strip()
    return [paragraph(f"Calibration ({numbers})", f": {why.removesuffix('.')}." if why else ".")]


def _encodings(training: Mapping[str, Any]) -> list[Markup]:
    gains = [gain for gain in training.get("encodings") or () if isinstance(gain, Mapping)]
    if not gains:
        return []
    rows = []
    for gain in gains:
        used = bool(gain.get("used"))
        told = f"{gain['gain']:+.5f} \N{PLUS-MINUS SIGN} {gain['error']:.5f}"
        rows.append(
            [code(str(gain["name"])), told, pill("encoded" if used else "left as it is", "good" if used else "")]
        )
    caption = "Categories with many values, and what it gained to replace them by earlier outcomes (log loss a row)."
    return [table(caption, ["attribute", "gain", "verdict"], rows)]


def borrowed(training: Mapping[str, Any]) -> list[Markup]:
    """Say what segments of the chosen column borrow from the whole; nothing where pooling was not asked for."""
    found = training.get("segment")
    if not isinstance(found, Mapping):
        return []
    column = code(str(found.get("column", "")))
    told = (
        "Each segment moves the score by as much as its own outcomes are evidence."
        if found.get("used")
        else "Validation does not say that it helps, so it is not used."
    )
    heading = Markup(f"<h3>{joined('Partial pooling by ', column)}</h3>")
    return [heading, paragraph(told), *_ways(found.get("comparison")), *_segments(found)]


def _ways(comparison: Any) -> list[Markup]:
    if not isinstance(comparison, Mapping):
        return []
    metrics = comparison["metrics"]
    rows = [[told, *(_value(metrics[metric].get(way)) for metric in COMPARED)] for way, told in WAYS.items()]
    caption = "Three ways to treat segments, on training leads that none of them had learnt from."
    return [table(caption, ["way", *(METRIC_NAMES[metric] for metric in COMPARED)], rows, ours=0)]


def _value(found: Mapping[str, Any] | None) -> str:
    return DASH if found is None else f"{found['value']:.4f}"


def _segments(found: Mapping[str, Any]) -> list[Markup]:
    segments = [one for one in found.get("segments") or () if isinstance(one, Mapping)]
    settled = sorted((one for one in segments if one.get("leads")), key=lambda one: (-one["leads"], str(one["value"])))
    without = [str(one["value"]) for one in segments if not one.get("leads")]
    return [*_settled(settled), *_outside(settled, "served" if found.get("used") else "single"), *unsettled(without)]


def _settled(segments: Sequence[Mapping[str, Any]]) -> list[Markup]:
    """Show the segments with a settled lead, the largest first."""
    if not segments:
        return []
    rows = []
    for one in segments[:MOST_SEGMENTS]:
        ends = DASH if one.get("low") is None else f"{one['low']:.1%} to {one['high']:.1%}"
        shares = [DASH if one.get(name) is None else f"{one[name]:.1%}" for name in SHARES]
        rows.append([str(one["value"]), f"{one['leads']:,}", *shares, ends, f"{one['offset']:+.3f}"])
    more = f" The {MOST_SEGMENTS} largest of {len(segments)}." if len(segments) > MOST_SEGMENTS else ""
    headings = ["segment", "leads", *SHARES.values(), "90 % interval", "log-odds added"]
    told = "Both models give mean probabilities; the true rate is estimated, with its interval."
    return [table(f"What segments of the training side borrow. {told}{more}", headings, rows)]


def _outside(segments: Sequence[Mapping[str, Any]], answer: str) -> list[Markup]:
    """Name the segments whose mean probability lies outside the interval; bundles of before may not tell it."""
    whole = [one for one in segments if None not in (one.get(answer), one.get("low"), one.get("high"))]
    wrong = [one for one in whole if not one["low"] <= one[answer] <= one["high"]]
    if not wrong:
        return []
    told = (
        "The level of all leads stays where calibration put it, and a score may know more of the leads of a segment "
        "than its outcomes tell; the mean probability of these segments lies "
    )
    ends = [
        part
        for one in wrong[:MOST_SEGMENTS]
        for part in (
            ", ",
            code(str(one["value"])),
            f" ({one[answer]:.1%}, {'below' if one[answer] < one['low'] else 'above'})",
        )
    ][1:]
    return [paragraph(joined(f"{told}outside the interval of their true rate: ", *ends, f"{_more(wrong)}."))]


def unsettled(names: Sequence[str], where: str = "") -> list[Markup]:
    """Name the segments of which no outcome is settled; nothing where there is none."""
    if not names:
        return []
    shown_ones = [part for name in names[:MOST_SEGMENTS] for part in (", ", code(name))][1:]
    return [paragraph(joined(f"No settled leads yet{where}: ", *shown_ones, f"{_more(names)}."))]


def _more(found: Sequence[object]) -> str:
    """Count those that are not told."""
    return f" and {len(found) - MOST_SEGMENTS:,} more" if len(found) > MOST_SEGMENTS else ""
