"""Hygiene on the timeline of one lead: the same decisions as `features.hygiene_rules`, in a scoring process.

Numpy finds the rows that have another near them; only those are looked at one by one.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.hygiene_settings import HygieneSettings
from leadlight.schema import DAY, MICROSECONDS_PER_SECOND, MINUTE
from leadlight.timeline import Activities, Timeline

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

# Agents longer than this are read anew each time instead of being remembered.
REMEMBERED_LENGTH: Final = 400


def clean_timeline(timeline: Timeline, settings: HygieneSettings, now: int) -> Timeline:
    """Leave out of a timeline what hygiene sets aside.

    Args:
        timeline: the record of one lead.
        settings: those that the scorer was trained with.
        now: µs UTC; how far the record goes.

    Returns:
        The same timeline where nothing is set aside. What was known before any as_of is judged alike whatever came
        after it, so the answer for an as_of does not depend on `now`.
    """
    activities = timeline.activities
    if not len(activities):
        return timeline
    keep = _kept(activities, timeline.created_at, settings, now)
    return timeline if keep.all() else replace(timeline, activities=_take(activities, keep))


def _kept(activities: Activities, created_at: int, settings: HygieneSettings, now: int) -> Mask:
    known = np.maximum(activities.received_at, activities.occurred_at)
    keep = np.ones(len(activities), dtype=np.bool_)
    if settings.duplicate_ids and len(set(activities.activity_id)) < len(activities):
        _drop_repeats(keep, activities.activity_id, known)
    keep &= ~_by_themselves(activities, created_at, settings, now)
    if settings.duplicate_seconds is not None:
        width = round(settings.duplicate_seconds * MICROSECONDS_PER_SECOND)
        keep[list(_duplicates(activities, known, _near(activities, keep, width), width))] = False
    types = activities.type
    clicked = _of_types(types, settings.click_types) & keep
    if not clicked.any():
        return keep
    drop: set[int] = set()
    if settings.click_before_open_seconds is not None:
        drop |= _before_open(activities, known, keep, settings)
    if settings.burst_seconds is not None:
        near = _near(activities, clicked, (settings.burst_seconds + 1) * MICROSECONDS_PER_SECOND)
        drop |= _bursts(activities, known, near, settings.burst_seconds, settings.burst_contents)
    keep[list(drop)] = False
    return keep


def _drop_repeats(keep: Mask, keys: Iterable[Hashable], known: Rows) -> None:
    """Keep the first known of every key (ties: the order of the timeline)."""
    keys = list(keys)
    seen: set[Hashable] = set()
    for row in np.argsort(known, kind="stable").tolist():
        if keys[row] in seen:
            keep[row] = False
        seen.add(keys[row])


def _by_themselves(activities: Activities, created_at: int, settings: HygieneSettings, now: int) -> Mask:
    """Mask what one activity alone tells."""
    drop = np.zeros(len(activities), dtype=np.bool_)
    if settings.future:
        drop |= activities.occurred_at > now
    if settings.too_early_days is not None:
        drop |= activities.occurred_at < created_at - round(settings.too_early_days * DAY)
    if settings.scanner_agents:
        agents, free = settings.scanner_agents, settings.free_text_types
        rows = zip(activities.detail, activities.type, activities.actor, strict=True)
        named = (
            detail is not None and actor == "lead" and kind not in free and _is_scanner(detail, agents)
            for detail, kind, actor in rows
        )
        drop |= np.fromiter(named, np.bool_, len(activities))
    return drop


def _is_scanner(detail: str, agents: tuple[str, ...]) -> bool:
    return _looked_up(detail, agents) if len(detail) <= REMEMBERED_LENGTH else _named(detail, agents)


def _named(detail: str, agents: tuple[str, ...]) -> bool:
    text = detail.lower()
    return any(agent in text for agent in agents)


_looked_up = lru_cache(maxsize=4_096)(_named)


def _of_types(types: NDArray[np.object_], wanted: tuple[str, ...]) -> Mask:
    mask = np.zeros(len(types), dtype=np.bool_)
    for name in wanted:
        mask |= types == name
    return mask


def _near(activities: Activities, mask: Mask, width: int) -> list[int]:
    """Give the rows of the mask that have another one of it at most `width` µs away."""
    rows = np.flatnonzero(mask)
    close = np.diff(activities.occurred_at[rows]) <= width
    near = np.zeros(len(rows), dtype=np.bool_)
    near[1:] |= close
    near[:-1] |= close
    found: list[int] = rows[near].tolist()
    return found


def _duplicates(activities: Activities, known: Rows, near: list[int], width: int) -> Iterator[int]:
    """Yield the rows that repeat one that was known before them (see the batch rules)."""
    firsts: dict[Hashable, dict[int, int]] = defaultdict(dict)
    for row in sorted(near, key=lambda row: (known[row], row)):
        slots = firsts[activities.type[row], activities.actor[row], activities.content[row], activities.detail[row]]
        slot = int(activities.occurred_at[row]) // width
        if slot in slots:
            yield row
            continue
        slots[slot] = row  # in the order of knowing: whoever is there was known before
        beside = (slots[other] for other in (slot - 1, slot + 1) if other in slots)
        if any(abs(int(activities.occurred_at[row] - activities.occurred_at[other])) <= width for other in beside):
            yield row


def _before_open(activities: Activities, known: Rows, keep: Mask, settings: HygieneSettings) -> set[int]:
    width = round((settings.click_before_open_seconds or 0.0) * MICROSECONDS_PER_SECOND)
    kinds = np.full(len(activities), -1)
    of_kind = (settings.click_types, settings.open_types, settings.sent_types)
    for kind, types in zip((2, 1, 0), of_kind, strict=True):
        kinds[_of_types(activities.type, types)] = kind
    mails = np.flatnonzero(keep & (kinds >= 0))
    order = sorted(mails.tolist(), key=lambda row: (known[row], activities.occurred_at[row], kinds[row], row))
    last: tuple[dict[str, int], dict[str, int]] = ({}, {})
    found = set()
    for row in order:
        content, at, kind = activities.content[row], int(activities.occurred_at[row]), kinds[row]
        if content is None:
            continue
        if kind < 2:
            last[kind][content] = max(at, last[kind].get(content, at))
            continue
        sent, opened = last[0].get(content), last[1].get(content)
        unopened = sent is not None and 0 <= at - sent <= width and (opened is None or opened < sent)
        if unopened and (at % MINUTE or (sent or 0) % MINUTE):
            found.add(row)
    return found


def _bursts(activities: Activities, known: Rows, near: list[int], seconds: int, contents: int) -> set[int]:
    rows = sorted((row for row in near if activities.content[row] is not None), key=lambda row: known[row])
    found: set[int] = set()
    if len(rows) < contents:
        return found
    for offset in range(seconds + 1):
        stretches: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            second = int(activities.occurred_at[row]) // MICROSECONDS_PER_SECOND
            stretches[(second + offset) // (seconds + 1)].append(row)
        for stretch in stretches.values():
            found |= _burst(activities, known, stretch, contents)
    return found


def _burst(activities: Activities, known: Rows, stretch: list[int], contents: int) -> set[int]:
    """Give the clicks of a stretch, in the order of knowing, known no earlier than it told a machine."""
    seen: set[str] = set()
    fine = False
    for row in stretch:
        seen.add(activities.content[row])
        fine = fine or bool(activities.occurred_at[row] % MINUTE)
        if fine and len(seen) >= contents:
            since = known[row]
            return {other for other in stretch if known[other] >= since}
    return set()


def _take(activities: Activities, keep: Mask) -> Activities:
    columns = (column.name for column in fields(activities) if column.init)
    return Activities(**{name: getattr(activities, name)[keep] for name in columns})
