"""Feature specifications on the timeline of one lead, with numpy only: what the service computes with.

Gives the same numbers as `features.batch` on the same record (property-tested).
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadlight.schema import DAY, HOUR
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec, FilterKey, glob_to_regex
from leadlight.timeline import Activities, Timeline

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NULL = float("nan")


def row(timeline: Timeline, as_of: int, specs: Sequence[FeatureSpec]) -> Floats:
    """Compute the features of one lead as of an instant.

    Args:
        timeline: the record; whatever lies at or after as_of is ignored.
        as_of: µs UTC.
        specs: what to compute.

    Returns:
        Shape (len(specs),); NaN = null; categorical measures as codes.
    """
    known = timeline.activities.known_before(as_of)
    chosen: dict[FilterKey, Mask] = {}
    ages = as_of - timeline.activities.occurred_at
    out = np.empty(len(specs), dtype=np.float64)
    for position, spec in enumerate(specs):
        if spec.measure in ACTIVITY_MEASURES:
            mask = chosen.get(spec.filter_key)
            if mask is None:
                mask = chosen[spec.filter_key] = known & _selected(timeline.activities, spec)
            out[position] = _activity_measure(timeline.activities, mask, ages, spec)
        else:
            out[position] = _lead_measure(timeline, as_of, spec)
    return out


def _selected(activities: Activities, spec: FeatureSpec) -> Mask:
    mask = np.ones(len(activities), dtype=np.bool_)
    if spec.types:
        types = frozenset(spec.types)
        mask &= np.fromiter((value in types for value in activities.type), np.bool_, len(activities))
    if spec.actor is not None:
        mask &= activities.actor == spec.actor
    if spec.channel is not None:
        mask &= activities.channel == spec.channel
    if spec.content is not None:
        matches = re.compile(glob_to_regex(spec.content), re.DOTALL).match
        contents = (value is not None and matches(value) is not None for value in activities.content)
        mask &= np.fromiter(contents, np.bool_, len(activities))
    return mask


def _activity_measure(activities: Activities, mask: Mask, ages: NDArray[np.int64], spec: FeatureSpec) -> float:
    if spec.measure == "momentum":
        width = round((spec.window_days or 0.0) * DAY)
        recent = np.count_nonzero(mask & (ages <= width))
        before = np.count_nonzero(mask & (ages > width) & (ages <= 2 * width))
        return float(np.log2((recent + 1) / (before + 1)))
    if spec.window_days is not None:
        mask = mask & (ages <= round(spec.window_days * DAY))
    at = np.flatnonzero(mask)
    if spec.measure == "count":
        return float(len(at))
    if spec.measure == "decayed_count":
        return float(np.exp2(-(ages[at] / DAY) / (spec.half_life_days or 1.0)).sum())
    if spec.measure == "distinct_days":
        return float(len(np.unique(activities.occurred_at[at] // DAY)))
    if spec.measure == "value_sum":
        return float(np.nansum(activities.value[at]))
    if spec.measure in {"distinct_types", "distinct_contents"}:
        column = activities.type if spec.measure == "distinct_types" else activities.content
        return float(len({value for value in column[at] if value is not None}))
    if spec.measure == "last_type":
        return spec.code(activities.type[at[-spec.k]]) if len(at) >= spec.k else NULL
    if len(at) == 0:
        return NULL
    return float(ages[at[-1] if spec.measure == "days_since_last" else at[0]] / DAY)


def _lead_measure(timeline: Timeline, as_of: int, spec: FeatureSpec) -> float:
    if spec.measure == "age_days":
        return (as_of - timeline.created_at) / DAY
    if spec.measure == "created_hour":
        return float(timeline.created_at // HOUR % 24)
    if spec.measure == "created_weekday":
        return float((timeline.created_at // DAY + 3) % 7)  # 1970-01-01 was a Thursday
    if spec.measure in {"stage_entries", "days_since_stage"}:
        entries = [e.entered_at for e in timeline.stages if e.stage == spec.stage and e.entered_at < as_of]
        if spec.measure == "stage_entries":
            return float(len(entries))
        return (as_of - max(entries)) / DAY if entries else NULL
    value = timeline.attribute(spec.attribute or "", as_of)
    if spec.measure == "category":
        return spec.code(None if value is None else str(value))
    return _number(value)


def _number(value: str | float | None) -> float:
    """Read a number; a text that is none is null."""
    if value is None:
        return NULL
    try:
        number = float(value)
    except ValueError:
        return NULL
    return number if np.isfinite(number) else NULL
