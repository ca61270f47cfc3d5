"""The ledger of a lead: every point with its date and cause, adding up to the points of the engine.

What moves points is dated: an activity at its own instant, a condition at the instant since which it has held without
a break (at the lead's creation where it has always held). A cap cuts the later activities of its rule; what a group's
cap, the floor of the behaviour score or an exclusion takes or gives back is an entry of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, Instants, Timeline
from rules.condition import Test, holds, ranges
from rules.engine import FLOOR, Line, Plan, capped, plan
from rules.parse import Card, Label, Side
from rules.record import changes, column, matching, microseconds

FLOOR_LABEL: Final = Label(en="the behaviour score does not fall below 0", ja="行動スコアは0点未満になりません")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement of points.

    Attributes:
        at: when, in µs UTC.
        rule: name of the rule, or one of the other keys of `RulePoints.by_rule`.
        group: `behaviour` or `fit`.
        points: what it gives, after decay and the rule's cap.
        full_points: what it would give without the rule's cap.
        activity_id: of the activity; None for a condition, a group's cap, the floor and an exclusion.
        label_en: what people read, in English.
        label_ja: the same in Japanese.
    """

    at: int
    rule: str
    group: Side
    points: float
    full_points: float
    activity_id: str | None
    label_en: str
    label_ja: str


def ledger(card: Card, timeline: Timeline, as_of: int) -> tuple[LedgerEntry, ...]:
    """List what gave and took points, oldest first.

    Args:
        card: the card.
        timeline: the record of the lead; what lies at or after `as_of` is ignored.
        as_of: µs UTC.

    Returns:
        Entries whose `points` add up to `RulePoints.total` of the lead at `as_of`, and by `rule` to its `by_rule`.
        Entries cut to 0 by a rule's cap are listed.
    """
    ready = plan(card)
    known = timeline.activities.known_before(as_of)
    entries: list[LedgerEntry] = []
    for line in ready.lines:
        if line.spec is not None:
            entries += _activities(line, line.spec, timeline.activities, known, as_of)
        else:
            entries += _condition(line, timeline, as_of)
    entries += _group_cuts(card, ready, entries)
    entries += _floor(entries)
    entries += _exclusions(card, ready, timeline, entries, as_of)
    return tuple(sorted(entries, key=lambda entry: entry.at))


def since(test: Test, timeline: Timeline, as_of: int) -> int | None:
    """Give the instant (µs UTC) since which a test has held without a break up to `as_of`; None if it does not hold.

    It is not earlier than the lead's creation.
    """
    inside = ranges(test)
    moments = np.concatenate([changes(timeline, part) for part in inside])
    moments = np.sort(moments[(moments > timeline.created_at) & (moments < as_of)])
    instants: Instants = np.append(moments, np.int64(as_of))  # the answer is constant in (moment, next moment]
    columns = {part.spec.name: column(timeline, part.spec, instants) for part in inside}
    answers = holds(test, columns, len(instants))
    if not answers[-1]:
        return None
    breaks = np.flatnonzero(~answers)
    return int(moments[breaks[-1]]) if len(breaks) else timeline.created_at


def _activities(
    line: Line, spec: FeatureSpec, activities: Activities, known: NDArray[np.bool_], as_of: int
) -> list[LedgerEntry]:
    rule = line.rule
    mask = known & matching(activities, spec)
    if spec.window_days is not None:
        mask &= activities.occurred_at >= as_of - microseconds(spec.window_days)
    which = np.flatnonzero(mask)[: 1 if rule.once else None]
    if len(which) == 0:
        return []
    occurred = activities.occurred_at[which]
    full = np.full(len(which), rule.points)
    if spec.half_life_days is not None:
        full = full * np.exp2(-((as_of - occurred) / DAY) / spec.half_life_days)
    given = full
    if rule.cap is not None:
        reached = capped(np.cumsum(full), rule.cap)
        given = np.append(reached[:1], reached[1:] - reached[:-1])
    ids = activities.activity_id[which]
    return [
        LedgerEntry(at, rule.name, line.side, amount, before, activity_id, rule.label.en, rule.label.ja)
        for at, amount, before, activity_id in zip(
            occurred.tolist(), given.tolist(), full.tolist(), ids.tolist(), strict=True
        )
    ]


def _condition(line: Line, timeline: Timeline, as_of: int) -> list[LedgerEntry]:
    at = None if line.test is None else since(line.test, timeline, as_of)
    if at is None:
        return []
    return [_entry(line.side, line.rule.name, line.rule.label, at, line.rule.points)]


def _group_cuts(card: Card, ready: Plan, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    cuts = []
    for name, side, cap, members in ready.groups:
        inside = [entry for entry in entries if entry.rule in members]
        together = sum(entry.points for entry in inside)
        if together > cap:
            at = _crossed(inside, cap, 1)
            cuts.append(_entry(side, f"group:{name}", card.groups[name].label, at, cap - together))
    return cuts


def _floor(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    behaviour = [entry for entry in entries if entry.group == "behaviour"]
    together = sum(entry.points for entry in behaviour)
    if together >= 0:
        return []
    return [_entry("behaviour", FLOOR, FLOOR_LABEL, _crossed(behaviour, 0.0, -1), -together)]


def _exclusions(
    card: Card, ready: Plan, timeline: Timeline, entries: Sequence[LedgerEntry], as_of: int
) -> list[LedgerEntry]:
    """Take back all points at the instant since which an exclusion has held (the earliest, where several hold)."""
    held = [
        (at, named.label)
        for named, test in zip(card.exclude, ready.excluded, strict=True)
        if (at := since(test, timeline, as_of)) is not None
    ]
    if not held:
        return []
    at, label = min(held, key=lambda found: found[0])
    sides: dict[Side, float] = {"behaviour": 0.0, "fit": 0.0}
    for entry in entries:
        sides[entry.group] += entry.points
    return [_entry(side, f"{side}:excluded", label, at, -amount) for side, amount in sides.items() if amount]


def _crossed(entries: Sequence[LedgerEntry], bound: float, direction: int) -> int:
    """Give the last instant at which the running sum went beyond `bound` (above it for direction 1, below for -1)."""
    running, beyond, at = 0.0, False, entries[0].at
    for entry in sorted(entries, key=lambda entry: entry.at):
        running += entry.points
        if not beyond and (running - bound) * direction > 0:
            at = entry.at
        beyond = (running - bound) * direction > 0
    return at


def _entry(side: Side, rule: str, label: Label, at: int, points: float) -> LedgerEntry:
    return LedgerEntry(at, rule, side, points, points, None, label.en, label.ja)
