"""What can be measured of a lead as of an instant: unit, meaning, and what a lead without anything gets.

"Selected" activities are those that pass a specification's filters (types, actor, channel, content, detail) and count
at as_of. Equal instants are ordered by activity_id. A value that is not finite,
or lies beyond ±10^15, is null.

An attribute that is no text has one, by which it is a category and a role, whichever engine reads it and whatever the
type of its column: true and false are `true` and `false`; a number that is whole and fits in 64 bits is its digits (14
and 14.0 are `14`, -0.0 is `0`); any other is the shortest decimal that reads as it, as Python writes it (`0.5`,
`1e-05`, `inf`); NaN is null. True and false are no numbers, so that their `number` is null.
"""

from dataclasses import dataclass
from typing import Final, Literal

Measure = Literal[
    "count",
    "distinct_days",
    "distinct_contents",
    "distinct_types",
    "value_sum",
    "days_since_last",
    "days_since_first",
    "decayed_count",
    "momentum",
    "trend",
    "gap_mean",
    "gap_spread",
    "sessions",
    "share",
    "followed",
    "followed_share",
    "last_type",
    "age_days",
    "created_hour",
    "created_weekday",
    "stage_entries",
    "days_since_stage",
    "days_in_stage",
    "colleagues",
    "colleagues_active",
    "most_active_colleague",
    "colleague_recency",
    "roles",
    "number",
    "category",
    "missing",
    "days_since_date",
    "changes",
]
Source = Literal["activities", "colleagues", "stages", "lead"]
Empty = Literal["zero", "null"]


@dataclass(frozen=True, slots=True)
class MeasureFacts:
    """What holds for every feature of a measure.

    Attributes:
        source: whose record it reads: the lead's activities, those of its colleagues, its stages, or the lead itself.
        unit: unit of the number.
        meaning: one sentence for people.
        empty: what a lead without anything to measure gets.
        window: whether `window_days` is refused (`never`), possible (`may`) or needed (`must`).
        categorical: whether the number is a code of `categories`.
    """

    source: Source
    unit: str
    meaning: str
    empty: Empty = "zero"
    window: Literal["never", "may", "must"] = "may"
    categorical: bool = False


def _lead(unit: str, meaning: str, empty: Empty = "null", *, categorical: bool = False) -> MeasureFacts:
    return MeasureFacts("lead", unit, meaning, empty, "never", categorical)


MEASURES: Final[dict[Measure, MeasureFacts]] = {
    "count": MeasureFacts("activities", "activities", "How many selected activities there were."),
    "distinct_days": MeasureFacts("activities", "days", "On how many calendar days there was a selected activity."),
    "distinct_contents": MeasureFacts("activities", "contents", "How many different contents (null is none)."),
    "distinct_types": MeasureFacts("activities", "types", "How many different types of activity."),
    "value_sum": MeasureFacts("activities", "value", "The sum of the values (null adds nothing)."),
    "days_since_last": MeasureFacts("activities", "days", "How long ago the newest selected activity was.", "null"),
    "days_since_first": MeasureFacts("activities", "days", "How long ago the oldest selected activity was.", "null"),
    "decayed_count": MeasureFacts("activities", "activities", "Sum of 2 ** (-age / half_life_days) over activities."),
    "momentum": MeasureFacts(
        "activities",
        "doublings",
        "log2 of (activities in the window + 1) / (in the window before it + 1).",
        "zero",
        "must",
    ),
    "trend": MeasureFacts(
        "activities",
        "-1 to 1",
        "Where in the window the activities lie: mean of 1 - 2 x age / window; -1 all at its start, 1 all at its end.",
        "null",
        "must",
    ),
    "gap_mean": MeasureFacts(
        "activities", "days", "Mean time between consecutive activities; null with fewer than two.", "null"
    ),
    "gap_spread": MeasureFacts(
        "activities",
        "ratio",
        "Root mean square gap / mean gap, which is sqrt(1 + CV**2): 1 when perfectly regular; null with fewer than two "
        "activities or all of them at one instant.",
        "null",
    ),
    "sessions": MeasureFacts(
        "activities", "sessions", "Activities with none in the `gap_minutes` before them: visits, not clicks."
    ),
    "share": MeasureFacts(
        "activities", "0 to 1", "Share of the activities that lie in `hours` and on `weekdays`.", "null"
    ),
    "followed": MeasureFacts(
        "activities", "activities", "Activities after which a `then` activity came within `within_days`."
    ),
    "followed_share": MeasureFacts(
        "activities",
        "0 to 1",
        "Share of the activities after which a `then` activity came within `within_days`.",
        "null",
    ),
    "last_type": MeasureFacts("activities", "category", "Type of the k-th last activity.", "null", "never", True),
    "age_days": _lead("days", "Time since the lead was created."),
    "created_hour": _lead("hour of day", "Hour at which the lead was created."),
    "created_weekday": _lead("0 Monday to 6", "Weekday on which the lead was created."),
    "stage_entries": MeasureFacts("stages", "entries", "How often the stage was entered.", "zero", "never"),
    "days_since_stage": MeasureFacts("stages", "days", "How long ago the stage was last entered.", "null", "never"),
    "days_in_stage": MeasureFacts("stages", "days", "Time since the last entry into any stage.", "null", "never"),
    "colleagues": MeasureFacts("colleagues", "leads", "Other leads of the company, at most 50.", "zero", "never"),
    "colleagues_active": MeasureFacts("colleagues", "leads", "Colleagues with a selected activity."),
    "most_active_colleague": MeasureFacts("colleagues", "activities", "Most selected activities of one colleague."),
    "colleague_recency": MeasureFacts(
        "colleagues", "days", "How long ago the newest selected activity of any colleague was.", "null"
    ),
    "roles": MeasureFacts(
        "colleagues", "values", "Different values of an attribute among the lead and its colleagues.", "zero", "never"
    ),
    "number": _lead("as given", "A numeric attribute; a text that is none, and what lies beyond ±10^15, is null."),
    "category": _lead("category", "A categorical attribute.", categorical=True),
    "missing": _lead(
        "0 or 1", "1 where the attribute is null: nothing recorded, cleared, or no number where one belongs.", "zero"
    ),
    "days_since_date": _lead(
        "days", "Time since a date attribute (YYYY-MM-DD first, midnight); negative when it lies ahead."
    ),
    "changes": MeasureFacts("lead", "changes", "Recorded changes of an attribute.", "zero", "may"),
}
ATTRIBUTE_MEASURES: Final[frozenset[Measure]] = frozenset(
    {"number", "category", "missing", "days_since_date", "changes", "roles"}
)
# The newest of a company's leads count as colleagues; a service cannot read thousands of records in one request.
MOST_COLLEAGUES: Final = 50
