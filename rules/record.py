"""The columns of a rule card over the record of one lead, at many instants at once.

`features` computes the same columns for scoring; the ledger needs them along the whole life of one lead, to say since
when a condition has held. Only measures that a card can ask for are here.
"""

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import SpecError
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec, glob_to_regex
from leadlight.timeline import Activities, Instants, Texts, Timeline, number, text
from rules.condition import Range

Floats = NDArray[np.float64]


def matching(activities: Activities, spec: FeatureSpec) -> NDArray[np.bool_]:
    """Mask the activities that a specification looks at, whatever their time, shape (activities,)."""
    mask = _one_of(activities.type, spec.types) if spec.types else np.ones(len(activities), dtype=np.bool_)
    if spec.actor is not None:
        mask &= activities.actor == spec.actor
    if spec.channel is not None:
        mask &= activities.channel == spec.channel
    for glob, texts in ((spec.content, activities.content), (spec.detail, activities.detail)):
        if glob is not None:
            pattern = _pattern(glob)
            mask[mask] = [found is not None and pattern.fullmatch(found) is not None for found in texts[mask]]
    return mask


def microseconds(length_days: float) -> int:
    """Give a length of days in whole µs."""
    return round(length_days * DAY)


def column(timeline: Timeline, spec: FeatureSpec, instants: Instants) -> Floats:
    """Compute one column of a rule card at many instants.

    Args:
        timeline: the record of the lead.
        spec: with measure count, stage_entries, days_since_stage, age_days, number or category.
        instants: as_of in µs UTC, shape (m,).

    Returns:
        Shape (m,); NaN is null.

    Raises:
        SpecError: another measure.
    """
    if spec.measure == "count":
        return _counts(timeline, spec, instants)
    if spec.measure == "stage_entries":
        return np.searchsorted(_entered(timeline, spec), instants).astype(np.float64)
    if spec.measure == "days_since_stage":
        return _days_since_stage(timeline, spec, instants)
    if spec.measure == "age_days":
        age: Floats = (instants - timeline.created_at) / DAY
        return age
    if spec.measure in {"number", "category"}:
        return _attribute(timeline, spec, instants)
    raise SpecError(f"feature `{spec.name}`: measure `{spec.measure}` is not one of a rule card")


def changes(timeline: Timeline, test: Range) -> Instants:
    """List the instants just after which a test may change its answer, in no order, in µs UTC."""
    spec = test.spec
    if spec.measure == "count":
        known, leave = _presence(timeline.activities, spec)
        return np.concatenate([known, leave])
    if spec.measure == "stage_entries":
        return _entered(timeline, spec)
    if spec.measure == "days_since_stage":
        entered = _entered(timeline, spec)
        return np.concatenate([entered, entered + microseconds(test.high)])
    if spec.measure == "age_days":
        return np.array([timeline.created_at + microseconds(test.low)], dtype=np.int64)
    changed = [change.changed_at for change in timeline.changes if change.field == spec.attribute]
    return np.array(changed, dtype=np.int64)


def _presence(activities: Activities, spec: FeatureSpec) -> tuple[Instants, Instants]:
    """Give for each matching activity the instant after which it counts, and that after which it no longer does."""
    mask = matching(activities, spec)
    occurred = activities.occurred_at[mask]
    known = np.maximum(occurred, activities.received_at[mask])
    if spec.window_days is None:
        return known, np.empty(0, dtype=np.int64)
    leave = occurred + microseconds(spec.window_days)
    counted = known < leave  # what is received after its window never counts
    return known[counted], leave[counted]


def _counts(timeline: Timeline, spec: FeatureSpec, instants: Instants) -> Floats:
    known, leave = _presence(timeline.activities, spec)
    present = np.searchsorted(np.sort(known), instants) - np.searchsorted(np.sort(leave), instants)
    return present.astype(np.float64)


def _entered(timeline: Timeline, spec: FeatureSpec) -> Instants:
    return np.sort(np.array([e.entered_at for e in timeline.stages if e.stage == spec.stage], dtype=np.int64))


def _days_since_stage(timeline: Timeline, spec: FeatureSpec, instants: Instants) -> Floats:
    entered = _entered(timeline, spec)
    times = np.searchsorted(entered, instants)
    out = np.full(len(instants), np.nan)
    found = times > 0
    out[found] = (instants[found] - entered[times[found] - 1]) / DAY
    return out


def _attribute(timeline: Timeline, spec: FeatureSpec, instants: Instants) -> Floats:
    name = str(spec.attribute)
    if not any(change.field == name for change in timeline.changes):
        return np.full(len(instants), _value(spec, timeline.attributes.get(name)))
    return np.array([_value(spec, timeline.attribute(name, int(as_of))) for as_of in instants])


def _value(spec: FeatureSpec, value: str | float | None) -> float:
    return spec.code(text(value)) if spec.measure == "category" else number(value)


def _one_of(texts: Texts, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = texts == wanted[0]
    for other in wanted[1:]:
        mask |= texts == other
    return mask


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(glob_to_regex(glob), re.DOTALL)
