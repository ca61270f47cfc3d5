"""A slow, obvious second opinion on specifications, conditions and points: plain loops over plain rows."""

import math

from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.timeline import Timeline
from rules.condition import Condition
from rules.parse import Card, Rule


def glob_matches(glob: str, text: str) -> bool:
    if not glob:
        return not text
    if glob[0] == "*":
        return any(glob_matches(glob[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and glob[0] in {"?", text[0]} and glob_matches(glob[1:], text[1:])


def occurrences(timeline: Timeline, spec: FeatureSpec, as_of: int) -> list[int]:
    found = []
    activities = timeline.activities
    for i in range(len(activities)):
        at = int(activities.occurred_at[i])
        fits = (
            at < as_of
            and int(activities.received_at[i]) < as_of
            and (not spec.types or activities.type[i] in spec.types)
            and (spec.actor is None or activities.actor[i] == spec.actor)
            and (spec.channel is None or activities.channel[i] == spec.channel)
            and (
                spec.content is None
                or (activities.content[i] is not None and glob_matches(spec.content, activities.content[i]))
            )
            and (spec.window_days is None or at >= as_of - round(spec.window_days * DAY))
        )
        if fits:
            found.append(at)
    return found


def attribute_at(timeline: Timeline, name: str, as_of: int):
    mine = [change for change in timeline.changes if change.field == name]
    if not mine:
        return timeline.attributes.get(name)
    before = [change for change in mine if change.changed_at < as_of]
    return before[-1].value if before else mine[0].old_value


def value(timeline: Timeline, spec: FeatureSpec, as_of: int) -> float:
    if spec.measure == "count":
        return float(len(occurrences(timeline, spec, as_of)))
    if spec.measure == "decayed_count":
        return sum(2.0 ** (-(as_of - at) / DAY / spec.half_life_days) for at in occurrences(timeline, spec, as_of))
    if spec.measure == "age_days":
        return (as_of - timeline.created_at) / DAY
    entered = [entry.entered_at for entry in timeline.stages if entry.stage == spec.stage and entry.entered_at < as_of]
    if spec.measure == "stage_entries":
        return float(len(entered))
    if spec.measure == "days_since_stage":
        return (as_of - max(entered)) / DAY if entered else math.nan
    found = attribute_at(timeline, spec.attribute, as_of)
    if found is None:
        return math.nan
    if spec.measure == "number":
        return float(found)
    return float(spec.categories.index(str(found)) if str(found) in spec.categories else len(spec.categories))


def length(window: str) -> int:
    return round(float(window[:-1]) * {"h": 1 / 24, "d": 1, "w": 7}[window[-1]] * DAY)


def number_of(timeline: Timeline, chosen, as_of: int) -> int:
    window = None if chosen.within is None else length(chosen.within) / DAY
    types = () if chosen.activity == ("*",) else chosen.activity
    spec = FeatureSpec("x", "rule", "count", types, chosen.actor, chosen.channel, chosen.content, window)
    return len(occurrences(timeline, spec, as_of))


def true(asked: Condition, timeline: Timeline, as_of: int) -> bool:
    """Read a condition from its grammar, not from its translation to columns."""
    if asked.all_ is not None:
        return all(true(part, timeline, as_of) for part in asked.all_)
    if asked.any_ is not None:
        return any(true(part, timeline, as_of) for part in asked.any_)
    if asked.not_ is not None:
        return not true(asked.not_, timeline, as_of)
    if asked.older_than is not None:
        return as_of - timeline.created_at > length(asked.older_than)
    if asked.stage is not None:
        entered = [e.entered_at for e in timeline.stages if e.stage == asked.stage and e.entered_at < as_of]
        return bool(entered) and (asked.within is None or as_of - max(entered) <= length(asked.within))
    if asked.attribute is not None:
        found = attribute_at(timeline, asked.attribute, as_of)
        if asked.known is not None:
            return (found is not None) == asked.known
        if asked.one_of is not None:
            return found is not None and str(found) in asked.one_of
        return found is not None and _between(float(found), asked)
    if asked.at_least is None and asked.at_most is None:
        return number_of(timeline, asked, as_of) >= 1
    return _between(number_of(timeline, asked, as_of), asked)


def _between(number: float, asked: Condition) -> bool:
    return (asked.at_least is None or number >= asked.at_least) and (asked.at_most is None or number <= asked.at_most)


def rule_points(rule: Rule, timeline: Timeline, as_of: int) -> float:
    if rule.when is not None:
        return rule.points if true(rule.when, timeline, as_of) else 0.0
    window = None if rule.within is None else length(rule.within) / DAY
    types = () if rule.activity == ("*",) else rule.activity
    spec = FeatureSpec("x", "rule", "count", types, rule.actor, rule.channel, rule.content, window)
    found = occurrences(timeline, spec, as_of)
    if rule.once:
        return rule.points if found else 0.0
    half = None if rule.half_life is None else length(rule.half_life)
    amount = rule.points * sum(1.0 if half is None else 2.0 ** (-(as_of - at) / half) for at in found)
    return amount if rule.cap is None else max(-rule.cap, min(rule.cap, amount))


def side_points(card: Card, side: str, timeline: Timeline, as_of: int) -> float:
    total = 0.0
    in_group = dict.fromkeys(card.groups, 0.0)
    for rule in card.side(side):
        amount = rule_points(rule, timeline, as_of)
        if rule.group is None:
            total += amount
        else:
            in_group[rule.group] += amount
    total += sum(min(in_group[name], card.groups[name].cap) for name in card.groups)
    return max(total, 0.0) if side == "behaviour" else total


def points(card: Card, timeline: Timeline, as_of: int) -> tuple[float, float]:
    """Behaviour and fit points."""
    if any(true(entry.when, timeline, as_of) for entry in card.exclude):
        return 0.0, 0.0
    return side_points(card, "behaviour", timeline, as_of), side_points(card, "fit", timeline, as_of)
