"""Points of a rule card: one code path for millions of snapshots and for one lead.

A card asks for columns (`specs`); whoever has the data computes them (`features`); `points` turns them into points.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SpecError
from leadlight.schema import AttributeKind
from leadlight.spec import FeatureSpec
from rules.condition import Columns, Test, activity_spec, compiled, holds, specs_of
from rules.parse import SIDES, Card, Rule, Side

Floats = NDArray[np.float64]
GRADES: Final = np.array(["D", "C", "B", "A"])
FLOOR: Final = "behaviour:floor"
ATTRIBUTE_MEASURES: Final = frozenset({"number", "category"})


@dataclass(frozen=True, slots=True)
class Line:
    """One rule, ready to be counted: either a column of (decayed) counts, or a test."""

    rule: Rule
    side: Side
    spec: FeatureSpec | None
    test: Test | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A card translated to columns; made once per card.

    Attributes:
        lines: the rules, behaviour first.
        groups: members of each capped group, as (name, side, cap, names of its rules).
        hot: tests that make a lead hot.
        excluded: tests that leave a lead without points.
        specs: every column that is read, no meaning twice.
    """

    lines: tuple[Line, ...]
    groups: tuple[tuple[str, Side, float, tuple[str, ...]], ...]
    hot: tuple[Test, ...]
    excluded: tuple[Test, ...]
    specs: tuple[FeatureSpec, ...]


@dataclass(frozen=True, slots=True)
class RulePoints:
    """Points of n leads, each array of shape (n,).

    Attributes:
        behaviour: points for what the lead did, >= 0.
        fit: points for who the lead is.
        total: behaviour + fit.
        by_rule: points by rule, and beside the rules what moves their sum: `group:<name>` (a group's cap),
            `behaviour:floor` (behaviour never falls below 0), `behaviour:excluded` and `fit:excluded`. Adds up
            to total.
        fit_grade: "A" to "D".
        engagement_level: 1 to 4.
        hot: whether a `hot_when` condition holds (never for an excluded lead).
        excluded: whether an `exclude` condition holds; then there are no points.
    """

    behaviour: Floats
    fit: Floats
    total: Floats
    by_rule: dict[str, Floats]
    fit_grade: NDArray[np.str_]
    engagement_level: NDArray[np.int64]
    hot: NDArray[np.bool_]
    excluded: NDArray[np.bool_]


@lru_cache(maxsize=32)
def plan(card: Card) -> Plan:
    """Translate a card to columns."""
    lines = tuple(_line(rule, side) for side in SIDES for rule in card.side(side))
    groups: list[tuple[str, Side, float, tuple[str, ...]]] = []
    for name, group in card.groups.items():
        members = [line for line in lines if line.rule.group == name]
        groups.append((name, members[0].side, group.cap, tuple(line.rule.name for line in members)))
    hot = tuple(compiled(entry.when) for entry in card.hot_when)
    excluded = tuple(compiled(entry.when) for entry in card.exclude)
    tests = [line.test for line in lines if line.test is not None]
    every = [line.spec for line in lines if line.spec is not None]
    every += [spec for test in (*tests, *hot, *excluded) for spec in specs_of(test)]
    distinct = tuple({spec.name: spec for spec in every}.values())
    return Plan(lines, tuple(groups), hot, excluded, distinct)


def specs(card: Card, attributes: Mapping[str, AttributeKind] | None = None) -> tuple[FeatureSpec, ...]:
    """List the columns that a card needs.

    Args:
        card: the card.
        attributes: attributes that the data has, with their kind; None = do not check. A column of an attribute
            that the data does not have, or has in another kind (numbers where the card lists names), is left out:
            `points` takes an absent attribute as null, which gives no points. `unmet` names what is left out.

    Returns:
        Specifications of family `rule`, names unique; the same meaning has the same name in every card.
    """
    if attributes is None:
        return plan(card).specs
    return tuple(found for spec in plan(card).specs if (found := _fitted(spec, attributes)) is not None)


def unmet(card: Card, attributes: Mapping[str, AttributeKind]) -> tuple[str, ...]:
    """Name the attributes of a card that the data does not have in the kind that the card asks for."""
    missing = [spec.attribute for spec in plan(card).specs if _fitted(spec, attributes) is None]
    return tuple(dict.fromkeys(name for name in missing if name is not None))


def points(card: Card, columns: Columns, n: int | None = None) -> RulePoints:
    """Count the points of n leads.

    Args:
        card: the card.
        columns: shape (n,) each, keyed by the names of `specs(card)`; NaN is null. Columns of attributes may be
            absent (null); others may not.
        n: number of leads; needed only where `columns` is empty.

    Raises:
        SpecError: a column is absent.
    """
    rows = n if n is not None else len(next(iter(columns.values()), ()))
    ready = plan(card)
    _check_columns(ready, columns)
    by_rule = {line.rule.name: _rule_points(line, columns, rows) for line in ready.lines if line.side == "behaviour"}
    behaviour = _with_groups(by_rule, ready, "behaviour", rows)
    by_rule[FLOOR] = np.where(behaviour < 0, -behaviour, 0.0)
    behaviour = behaviour + by_rule[FLOOR]
    fit_by_rule = {line.rule.name: _rule_points(line, columns, rows) for line in ready.lines if line.side == "fit"}
    fit = _with_groups(fit_by_rule, ready, "fit", rows)
    by_rule |= fit_by_rule
    excluded = _any_holds(ready.excluded, columns, rows)
    if ready.excluded:
        by_rule["behaviour:excluded"] = np.where(excluded, -behaviour, 0.0)
        by_rule["fit:excluded"] = np.where(excluded, -fit, 0.0)
        behaviour, fit = np.where(excluded, 0.0, behaviour), np.where(excluded, 0.0, fit)
    return RulePoints(
        behaviour=behaviour,
        fit=fit,
        total=behaviour + fit,
        by_rule=by_rule,
        fit_grade=np.where(excluded, "D", fit_grade(card, fit)),
        engagement_level=engagement_level(card, behaviour),
        hot=_any_holds(ready.hot, columns, rows) & ~excluded,
        excluded=excluded,
    )


def fit_grade(card: Card, fit: Floats) -> NDArray[np.str_]:
    """Give the grade "A" to "D" of fit points, shape (n,)."""
    cuts = card.fit_grades
    return GRADES[np.searchsorted([cuts.C, cuts.B, cuts.A], fit, side="right")]


def engagement_level(card: Card, behaviour: Floats) -> NDArray[np.int64]:
    """Give the level 1 to 4 of behaviour points, shape (n,)."""
    cuts = card.engagement_levels
    level: NDArray[np.int64] = 1 + np.searchsorted([cuts.two, cuts.three, cuts.four], behaviour, side="right")
    return level


def rule_log_odds(total: Floats, intercept: float, slope: float) -> Floats:
    """Give the log-odds `intercept + slope * points`, shape (n,).

    Raises:
        ValueError: the slope is below 0: more points would mean a lower probability.
    """
    if slope < 0:
        raise ValueError(f"slope == {slope}, must be >= 0")
    return intercept + slope * total


def prior(card: Card) -> tuple[float, float] | None:
    """Give (intercept, slope) of the log-odds that the card itself states; None where it states none.

    At the threshold the probability is `rule_prior.probability`; each `rule_prior.doubling` points double the odds.
    """
    if card.rule_prior is None:
        return None
    slope = math.log(2) / card.rule_prior.doubling
    at_threshold = math.log(card.rule_prior.probability / (1 - card.rule_prior.probability))
    return at_threshold - slope * card.threshold, slope


def capped(amounts: Floats, cap: float | None) -> Floats:
    """Limit amounts to -cap .. cap."""
    return amounts if cap is None else np.clip(amounts, -cap, cap)


def _line(rule: Rule, side: Side) -> Line:
    if rule.when is not None:
        return Line(rule, side, None, compiled(rule.when))
    return Line(rule, side, activity_spec(rule, rule.half_life), None)


def _fitted(spec: FeatureSpec, attributes: Mapping[str, AttributeKind]) -> FeatureSpec | None:
    if spec.measure not in ATTRIBUTE_MEASURES:
        return spec
    kind = attributes.get(str(spec.attribute))
    if kind == spec.measure:
        return spec
    known_only = spec.measure == "category" and not spec.categories
    return replace(spec, measure="number") if kind == "number" and known_only else None


def _check_columns(ready: Plan, columns: Mapping[str, Any]) -> None:
    for spec in ready.specs:
        if spec.name not in columns and spec.measure not in ATTRIBUTE_MEASURES:
            raise SpecError(f"the rule card needs column `{spec.name}`; compute every column of rules.engine.specs")


def _rule_points(line: Line, columns: Columns, n: int) -> Floats:
    if line.test is not None:
        return np.where(holds(line.test, columns, n), line.rule.points, 0.0)
    if line.spec is None:
        raise SpecError(f"rule `{line.rule.name}` has neither a column nor a test")
    count = columns[line.spec.name]
    if line.rule.once:
        return np.where(count > 0, line.rule.points, 0.0)
    return capped(line.rule.points * count, line.rule.cap)


def _with_groups(by_rule: dict[str, Floats], ready: Plan, side: Side, n: int) -> Floats:
    """Add the entries of the side's groups to `by_rule` and give the sum of all, shape (n,)."""
    for name, of, cap, members in ready.groups:
        if of == side:
            together = np.sum([by_rule[member] for member in members], axis=0)
            by_rule[f"group:{name}"] = np.where(together > cap, cap - together, 0.0)
    total = np.zeros(n)
    for amounts in by_rule.values():
        total = total + amounts
    return total


def _any_holds(tests: tuple[Test, ...], columns: Columns, n: int) -> NDArray[np.bool_]:
    found = np.zeros(n, dtype=np.bool_)
    for test in tests:
        found |= holds(test, columns, n)
    return found
