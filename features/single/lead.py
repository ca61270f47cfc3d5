"""Measures of the lead itself and of its stages: a few plain Python values each."""

import re
from collections.abc import Callable
from typing import Final

from features.single.clock import THURSDAY, offset
from features.single.seen import width
from leadlight.measures import Measure
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Timeline, number, text

NULL: Final = float("nan")
Compute = Callable[[Timeline, int], float]
_DATE: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def day_of_date(value: str | float | None) -> int | None:
    """Give the days since 1970-01-01 of a text that begins with YYYY-MM-DD, else None.

    A day beyond the end of its month is one of the next month (2024-02-31 is 2 March), as in every engine. Source:
    Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil: the year begins in March.
    """
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    year -= month <= 2
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468


def _age(_: FeatureSpec) -> Compute:
    return lambda timeline, as_of: (as_of - timeline.created_at) / DAY


def _hour(spec: FeatureSpec) -> Compute:
    ahead = offset(spec)
    return lambda timeline, _: float((timeline.created_at + ahead) // HOUR % 24)


def _weekday(spec: FeatureSpec) -> Compute:
    ahead = offset(spec)
    return lambda timeline, _: float(((timeline.created_at + ahead) // DAY + THURSDAY) % 7)


def _entries(spec: FeatureSpec) -> Compute:
    stage = spec.stage
    return lambda timeline, as_of: float(
        sum(1 for entry in timeline.stages if entry.stage == stage and entry.entered_at < as_of)
    )


def _since_stage(spec: FeatureSpec) -> Compute:
    stage = spec.stage  # None: any

    def days(timeline: Timeline, as_of: int) -> float:
        before = [
            entry.entered_at
            for entry in timeline.stages
            if entry.entered_at < as_of and (stage is None or entry.stage == stage)
        ]
        return (as_of - max(before)) / DAY if before else NULL

    return days


def _number(spec: FeatureSpec) -> Compute:
    name = spec.attribute or ""
    return lambda timeline, as_of: number(timeline.attribute(name, as_of))


def _category(spec: FeatureSpec) -> Compute:
    name = spec.attribute or ""
    codes, other = spec.codes(), float(len(spec.categories))
    return lambda timeline, as_of: codes.get(text(timeline.attribute(name, as_of)), other)


def _missing(spec: FeatureSpec) -> Compute:
    name = spec.attribute or ""
    return lambda timeline, as_of: float(text(timeline.attribute(name, as_of)) is None)


def _since_date(spec: FeatureSpec) -> Compute:
    name, ahead = spec.attribute or "", offset(spec)

    def days(timeline: Timeline, as_of: int) -> float:
        day = day_of_date(timeline.attribute(name, as_of))
        return NULL if day is None else (as_of - (day * DAY - ahead)) / DAY

    return days


def _changes(spec: FeatureSpec) -> Compute:
    name, wide = spec.attribute, width(spec.window_days)

    def number_of(timeline: Timeline, as_of: int) -> float:
        ages = [as_of - change.changed_at for change in timeline.changes if change.field == name]
        return float(sum(1 for age in ages if age > 0 and (wide is None or age <= wide)))

    return number_of


MEASURES: Final[dict[Measure, Callable[[FeatureSpec], Compute]]] = {
    "age_days": _age,
    "created_hour": _hour,
    "created_weekday": _weekday,
    "stage_entries": _entries,
    "days_since_stage": _since_stage,
    "days_in_stage": _since_stage,
    "number": _number,
    "category": _category,
    "missing": _missing,
    "days_since_date": _since_date,
    "changes": _changes,
}
