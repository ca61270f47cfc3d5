"""Why a score is what it is: parts that add up to it, in log-odds and in points, and the reasons taken from them.

    base points + sum of the parts' points = raw score        base + sum of the parts' log-odds = log-odds

A part is a rule of the card, a feature (its trees and terms together), or `calibration`, where a step behind all of
them moves the log-odds. The three parts of the largest absolute points are the reasons; all others together are the
rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from leadlight.bundle import Bundle, Contributions
from leadlight.spec import FeatureSpec
from leadlight.vocabulary import Lang
from leadlight.wording import (
    base_rate_changed,
    calibration_sentence,
    reason,
    rest,
    rule_sentence,
    sentence,
    shown_value,
)
from rules.parse import Card
from scoring.scale import POINTS_PER_LOG_ODDS

Floats = NDArray[np.float64]
PartKind = Literal["rule", "feature", "calibration"]
REASONS: Final = 3
CALIBRATION: Final = "calibration"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the scores of n leads, in one order for all of them.

    Attributes:
        rules: names of the rules (and of what moves their sum, see `rules.engine.RulePoints.by_rule`), r of them.
        specs: the scorer's features, f of them.
        card_points: what each rule gave on the card, shape (n, r).
        values: the features' values, NaN = null, shape (n, f).
        log_odds: rules first, then features, then `calibration` where there is that, shape (n, r + f) or
            (n, r + f + 1); None where no model stands behind the points.
        points: the same in points of the score.
    """

    rules: tuple[str, ...]
    specs: tuple[FeatureSpec, ...]
    card_points: Floats
    values: Floats
    log_odds: Floats | None
    points: Floats


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of one score.

    Attributes:
        name: of the rule or of the feature, or `calibration`.
        kind: which of the three.
        value: the points on the card for a rule, the feature's value (a category by its name); None = null, and for
            `calibration`.
        log_odds: what it adds to the log-odds; None where no model stands behind the points.
        points: what it adds to the raw score.
        text: a sentence.
    """

    name: str
    kind: PartKind
    value: float | str | None
    log_odds: float | None
    points: float
    text: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The spelled-out parts of one score and what is left.

    Attributes:
        texts: three sentences with their points, None where there are fewer parts that count.
        points: their points, in the same order (0 where there is no reason).
        rest_text: the other parts in one sentence, None where there are none that count.
        rest_points: their sum.
    """

    texts: tuple[str | None, ...]
    points: tuple[float, ...]
    rest_text: str | None
    rest_points: float


def of_scorer(
    contributions: Contributions, by_rule: Mapping[str, Floats], specs: Sequence[FeatureSpec], values: Floats
) -> Parts:
    """Gather the parts of a scorer's log-odds.

    Args:
        contributions: of n rows.
        by_rule: points on the card, shape (n,) each.
        specs: the scorer's features.
        values: their matrix, shape (n, len(specs)).
    """
    card_points = _stacked(by_rule, len(values))
    columns = [contributions.rule_scale * card_points, contributions.features]
    if contributions.extra.any():
        columns.append(contributions.extra[:, np.newaxis])
    log_odds = np.hstack(columns)
    return Parts(tuple(by_rule), tuple(specs), card_points, values, log_odds, log_odds * POINTS_PER_LOG_ODDS)


def of_card(by_rule: Mapping[str, Floats], n: int) -> Parts:
    """Gather the parts of a rule card alone: its points are the score."""
    card_points = _stacked(by_rule, n)
    return Parts(tuple(by_rule), (), card_points, np.zeros((n, 0)), None, card_points)


def text(parts: Parts, row: int, part: int, card: Card, lang: Lang) -> str:
    """Say one part of one row in a sentence."""
    if part < len(parts.rules):
        name = parts.rules[part]
        return rule_sentence(name, label(card, name, lang), float(parts.card_points[row, part]), lang)
    feature = part - len(parts.rules)
    if feature == len(parts.specs):
        return calibration_sentence(lang)
    return sentence(parts.specs[feature], float(parts.values[row, feature]), lang)


def label(card: Card, name: str, lang: Lang) -> str | None:
    """Give the card's own label of a rule or a group, None for anything else."""
    if name.startswith("group:"):
        group = card.groups.get(name.removeprefix("group:"))
        return getattr(group.label, lang) if group is not None else None
    for rule in (*card.behaviour, *card.fit):
        if rule.name == name:
            return str(getattr(rule.label, lang))
    return None


def order(points: Floats) -> NDArray[np.intp]:
    """Rank parts by absolute points, largest first, ties in their own order; along the last axis."""
    return np.argsort(-np.abs(points), axis=-1, kind="stable")


def reasons(parts: Parts, row: int, card: Card, lang: Lang) -> Reasons:
    """Choose and word the reasons of one row: its three parts of the largest absolute points, and the rest."""
    points = parts.points[row]
    ranked = order(points)
    chosen = [int(part) for part in ranked[:REASONS] if points[part] != 0]
    texts: list[str | None] = [reason(text(parts, row, part, card, lang), float(points[part]), lang) for part in chosen]
    missing = REASONS - len(chosen)
    others = points[ranked[len(chosen) :]]
    counted = int(np.count_nonzero(others))
    rest_points = float(others.sum())
    return Reasons(
        texts=(*texts, *[None] * missing),
        points=(*(float(points[part]) for part in chosen), *[0.0] * missing),
        rest_text=reason(rest(counted, lang), rest_points, lang) if counted else None,
        rest_points=rest_points,
    )


def contributions(parts: Parts, row: int, card: Card, lang: Lang) -> tuple[Contribution, ...]:
    """Spell out every part of one row, largest absolute points first."""
    return tuple(_contribution(parts, row, int(part), card, lang) for part in order(parts.points[row]))


def _contribution(parts: Parts, row: int, part: int, card: Card, lang: Lang) -> Contribution:
    name, kind, value = _told(parts, row, part)
    return Contribution(
        name=name,
        kind=kind,
        value=value,
        log_odds=None if parts.log_odds is None else float(parts.log_odds[row, part]),
        points=float(parts.points[row, part]),
        text=text(parts, row, part, card, lang),
    )


def _told(parts: Parts, row: int, part: int) -> tuple[str, PartKind, float | str | None]:
    """Give the name, the kind and the value of one part."""
    feature = part - len(parts.rules)
    if feature < 0:
        return parts.rules[part], "rule", float(parts.card_points[row, part])
    if feature == len(parts.specs):
        return CALIBRATION, "calibration", None
    spec = parts.specs[feature]
    return spec.name, "feature", shown_value(spec, float(parts.values[row, feature]))


def base_note(bundle: Bundle | None, lang: Lang) -> str | None:
    """Say that the base was corrected because the base rate changed; None where it was not.

    The rates are `before` and `after` of the training's note `shift`.
    """
    if bundle is None or not bundle.scorer.shift:
        return None
    told = bundle.training.get("shift") or {}
    return base_rate_changed(told.get("before"), told.get("after"), lang)


def _stacked(by_rule: Mapping[str, Floats], n: int) -> Floats:
    return np.column_stack(list(by_rule.values())) if by_rule else np.zeros((n, 0))
