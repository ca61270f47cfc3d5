"""Every measure the slow, obvious way, in plain Python over lists of rows."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise

from leadlight.measures import MOST_COLLEAGUES
from leadlight.schema import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOMETHING_LIKE_A_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
SOMETHING_LIKE_A_DATE = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


def reference(record, lead_id, as_of, spec):
    """Compute one feature of one lead as of an instant; None = null.

    `record` is (leads, activities, stages, changes), lists of rows with the columns of the tables.
    """
    leads, activities, stages, changes = record
    lead = next(row for row in leads if row["lead_id"] == lead_id)
    source = spec.facts.source
    if source == "activities":
        return _of_activities(known(activities, lead_id, as_of), as_of, spec)
    if source == "stages":
        return _of_stages([row for row in stages if row["lead_id"] == lead_id], as_of, spec)
    if source == "colleagues":
        return _of_colleagues(record, lead, as_of, spec)
    return _of_lead(lead, [row for row in changes if row["lead_id"] == lead_id], as_of, spec)


def known(activities, lead_id, as_of):
    """Give the activities of a lead that are known at as_of, in order."""
    rows = [
        row
        for row in activities
        if row["lead_id"] == lead_id
        and row["occurred_at"] < as_of
        and (row["received_at"] is None or row["received_at"] < as_of)
    ]
    return sorted(rows, key=lambda row: (row["occurred_at"], row["activity_id"]))


def selected(rows, as_of, spec):
    """Keep the rows that pass the filters of a specification and lie in its window."""
    return [row for row in rows if _passes(row, spec) and _inside(row, as_of, spec.window_days)]


def colleagues_of(leads, lead, as_of):
    """Give the rows of a lead's colleagues at as_of: the newest of its account."""
    if lead.get("account_id") is None:
        return []
    others = [
        row
        for row in leads
        if row["account_id"] == lead["account_id"] and row["lead_id"] != lead["lead_id"] and row["created_at"] < as_of
    ]
    return sorted(others, key=lambda row: (row["created_at"], row["lead_id"]))[-MOST_COLLEAGUES:]


def attribute(lead, changes, as_of, name):
    """Give an attribute's value at as_of; `changes` are those of the lead."""
    own = recorded(changes, name)
    past = [row for row in own if row["changed_at"] < as_of]
    if past:
        return past[-1]["value"]
    return own[0]["old_value"] if own else lead.get(name)


def recorded(changes, name):
    """Give the changes of an attribute in order; of several at one instant the one with the least value, null first."""
    instants = {}
    for row in changes:
        if row["field"] == name:
            instants.setdefault(row["changed_at"], []).append(row)
    return [min(rows, key=_by_value) for _, rows in sorted(instants.items())]


def _by_value(change):
    return tuple((change[column] is not None, change[column] or "") for column in ("value", "old_value"))


def local(instant, spec):
    """Give an instant (µs) as local clock time."""
    return EPOCH + timedelta(microseconds=instant + round(spec.utc_offset_hours * DAY / 24))


def _passes(row, spec):
    return (
        (not spec.types or row["type"] in spec.types)
        and spec.actor in {None, row["actor"]}
        and spec.channel in {None, row["channel"]}
        and _matches(row["content"], spec.content)
        and _matches(row["detail"], spec.detail)
    )


def _matches(text, glob):
    return glob is None or (text is not None and fnmatchcase(text, glob))


def _inside(row, as_of, window_days):
    return window_days is None or as_of - row["occurred_at"] <= round(window_days * DAY)


def _of_activities(everything, as_of, spec):
    if spec.measure == "momentum":
        recent = len(selected(everything, as_of, spec))
        width = round(spec.window_days * DAY)
        two = [row for row in everything if _passes(row, spec) and as_of - row["occurred_at"] <= 2 * width]
        return math.log2((recent + 1) / (len(two) - recent + 1))
    rows = selected(everything, as_of, spec)
    if spec.measure in {"followed", "followed_share"}:
        return _followed(everything, rows, spec)
    if spec.measure == "share":
        return sum(_on_the_clock(row, spec) for row in rows) / len(rows) if rows else None
    if spec.measure in {"gap_mean", "gap_spread", "sessions"}:
        return _rhythm(rows, spec)
    return _simple(rows, as_of, spec)


def _simple(rows, as_of, spec):  # noqa: C901  (one case per measure)
    ages = [(as_of - row["occurred_at"]) / DAY for row in rows]
    match spec.measure:
        case "count":
            return len(rows)
        case "distinct_days":
            return len({local(row["occurred_at"], spec).date() for row in rows})
        case "distinct_contents":
            return len({row["content"] for row in rows} - {None})
        case "distinct_types":
            return len({row["type"] for row in rows})
        case "value_sum":
            return sum(row["value"] for row in rows if row["value"] is not None and abs(row["value"]) <= 10**15)
        case "decayed_count":
            return sum(0.5 ** (age / spec.half_life_days) for age in ages)
        case "trend":
            return sum(1 - 2 * age / spec.window_days for age in ages) / len(ages) if ages else None
        case "days_since_last":
            return min(ages) if ages else None
        case "days_since_first":
            return max(ages) if ages else None
        case "last_type":
            return spec.code(rows[-spec.k]["type"]) if len(rows) >= spec.k else None
    raise AssertionError(spec.measure)


def _rhythm(rows, spec):
    gaps = [later["occurred_at"] - earlier["occurred_at"] for earlier, later in pairwise(rows)]
    if spec.measure == "sessions":
        return bool(rows) + sum(gap > round(spec.gap_minutes * 60_000_000) for gap in gaps)
    if not gaps or (spec.measure == "gap_spread" and not any(gaps)):
        return None
    mean = sum(gaps) / len(gaps)
    if spec.measure == "gap_mean":
        return mean / DAY
    return math.sqrt(sum(gap**2 for gap in gaps) / len(gaps)) / mean


def _on_the_clock(row, spec):
    at = local(row["occurred_at"], spec)
    hour = (at - at.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(hours=1)
    in_hours = not spec.hours or spec.hours[0] <= hour < spec.hours[1]
    return in_hours and (not spec.weekdays or at.weekday() in spec.weekdays)


def _followed(everything, rows, spec):
    answered = 0
    for row in rows:
        later = everything[everything.index(row) + 1 :]
        then = [
            other
            for other in later
            if (not spec.then_types or other["type"] in spec.then_types)
            and spec.then_actor in {None, other["actor"]}
            and other["occurred_at"] - row["occurred_at"] <= round(spec.within_days * DAY)
        ]
        answered += bool(then)
    if spec.measure == "followed":
        return answered
    return answered / len(rows) if rows else None


def _of_stages(stages, as_of, spec):
    entered = [row["entered_at"] for row in stages if row["entered_at"] < as_of and spec.stage in {None, row["stage"]}]
    if spec.measure == "stage_entries":
        return len(entered)
    return (as_of - max(entered)) / DAY if entered else None  # days_since_stage, and days_in_stage of any


def _of_colleagues(record, lead, as_of, spec):
    leads, activities, _, changes = record
    others = colleagues_of(leads, lead, as_of)
    if spec.measure == "colleagues":
        return len(others)
    if spec.measure == "roles":
        values = {
            attribute(one, [row for row in changes if row["lead_id"] == one["lead_id"]], as_of, spec.attribute)
            for one in [lead, *others]
        }
        return len({text(value) for value in values} - {None})
    theirs = [selected(known(activities, one["lead_id"], as_of), as_of, spec) for one in others]
    if spec.measure == "colleagues_active":
        return sum(bool(rows) for rows in theirs)
    if spec.measure == "most_active_colleague":
        return max((len(rows) for rows in theirs), default=0)
    ages = [(as_of - row["occurred_at"]) / DAY for rows in theirs for row in rows]
    return min(ages) if ages else None


def _of_lead(lead, changes, as_of, spec):
    if spec.measure == "age_days":
        return (as_of - lead["created_at"]) / DAY
    if spec.measure == "created_hour":
        return local(lead["created_at"], spec).hour
    if spec.measure == "created_weekday":
        return local(lead["created_at"], spec).weekday()
    if spec.measure == "changes":
        past = [row for row in recorded(changes, spec.attribute) if row["changed_at"] < as_of]
        return sum(
            spec.window_days is None or as_of - row["changed_at"] <= round(spec.window_days * DAY) for row in past
        )
    value = attribute(lead, changes, as_of, spec.attribute)
    absent = value is None or (isinstance(value, float) and math.isnan(value))
    if spec.measure == "missing":
        return float(absent)
    if absent:
        return None
    if spec.measure == "category":
        return spec.categories.index(text(value)) if text(value) in spec.categories else len(spec.categories)
    return _since_date(value, as_of, spec) if spec.measure == "days_since_date" else _number(value)


def _since_date(value, as_of, spec):
    found = SOMETHING_LIKE_A_DATE.match(str(value))
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    # Python's dates begin with the year 1: count from the same year of another 400 years, each 146,097 days long.
    same = date(2000 + year % 400, month, 1) + timedelta(days=day - 1)
    days = (same - date(1970, 1, 1)).days + (year // 400 - 5) * 146_097
    midnight = days * DAY - round(spec.utc_offset_hours * DAY / 24)
    return (as_of - midnight) / DAY


def text(value):
    """Give the text of an attribute's value, by the rule of `leadlight.measures`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("false", "true")[value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if math.isfinite(value) and int(value) == value and -(2**63) <= value < 2**63:
        return str(int(value))
    return repr(value)


def _number(value):
    if isinstance(value, bool) or (isinstance(value, str) and SOMETHING_LIKE_A_NUMBER.fullmatch(value) is None):
        return None
    return float(value) if abs(float(value)) <= 10**15 else None
