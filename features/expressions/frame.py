"""What the expressions share: frames, keys, windows, the choice of activities, and neighbours in the order of time.

A *meeting* is the join of snapshots with the activities that count at them: one row per (snapshot, activity), with
`ROW` (the snapshot's number), `age` (int64 µs before as_of) and the columns of the activity. Lazy frames have no order;
eager ones are sorted by ROW and `ORDER`, so a neighbour is a shift.
"""

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Final

import narwhals as nw

from leadlight.schema import DAY, HOUR, LARGEST_NUMBER
from leadlight.spec import FeatureSpec, glob_to_regex

Frame = nw.LazyFrame[Any]  # or an eager `nw.DataFrame`, which has every method that is used here

ROW: Final = "__row"  # number of a snapshot: a narrower key than (lead_id, as_of)
ORDER: Final = ("occurred_at", "activity_id")
NEVER: Final = 1 << 62  # µs: later than every instant, older than every age; a running minimum would skip a null
TEXT_FILTERS: Final = ("content", "detail")  # chosen by globs; type, actor and channel by equality


def columns_of(specs: Sequence[FeatureSpec]) -> list[str]:
    """Name the columns of activities, beside ids and instants, that specifications of activities look at."""
    measures = {spec.measure for spec in specs}
    needed = {
        "type": "last_type" in measures
        or "distinct_types" in measures
        or any(spec.types or spec.then_types for spec in specs),
        "actor": any(spec.actor is not None or spec.then_actor is not None for spec in specs),
        "channel": any(spec.channel is not None for spec in specs),
        "content": "distinct_contents" in measures or any(spec.content is not None for spec in specs),
        "detail": any(spec.detail is not None for spec in specs),
        "value": "value_sum" in measures,
    }
    return [name for name, wanted in needed.items() if wanted]


def width(days: float | None) -> int:
    """Give a length in days as whole µs."""
    return round((days or 0.0) * DAY)


def offset(spec: FeatureSpec) -> int:
    """Give how far a specification's local time is ahead of UTC, in µs."""
    return round(spec.utc_offset_hours * HOUR)


def local_day(instant: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    """Number the local calendar day of an instant, counted from 1970-01-01."""
    return (instant + offset(spec)) // DAY


def plain(text: str) -> str:
    """Make a column name of small letters, digits and `_` only, different for different texts.

    SQL reads a dot as a path, and takes `Count` and `count` for one name.
    """
    return re.sub(r"[^a-z0-9]", lambda match: f"_{ord(match[0]):x}_", text)


def glob_name(column: str, glob: str) -> str:
    """Name the column that says whether a text matches a glob."""
    return f"__{column}_{plain(glob)}"


def glob_columns(specs: Iterable[FeatureSpec]) -> dict[str, nw.Expr]:
    """Give one boolean column per glob that the specifications use."""
    wanted = {(column, getattr(spec, column)) for spec in specs for column in TEXT_FILTERS}
    return {
        glob_name(column, glob): nw.col(column).str.contains(_whole(glob)).fill_null(value=False)
        for column, glob in sorted(pair for pair in wanted if pair[1] is not None)
    }


def _whole(glob: str) -> str:
    r"""Give the regex of a glob; `\z` ends a text everywhere, while `$` would stand before a line break in Java."""
    return glob_to_regex(glob).removesuffix("$") + r"\z"


def clock_name(spec: FeatureSpec) -> str:
    """Name the column that says whether an activity's local hour and weekday are those of a share."""
    return f"__clock_{plain(f'{spec.hours}{spec.weekdays}{spec.utc_offset_hours!r}')}"


def midnight_name(spec: FeatureSpec) -> str:
    """Name the column of the time since local midnight (µs) for distinct days."""
    return f"__midnight_{plain(repr(spec.utc_offset_hours))}"


def _clock(spec: FeatureSpec) -> dict[str, nw.Expr]:
    """Test the local hour and weekday of an activity, or tell how far from midnight it is."""
    day = local_day(nw.col("occurred_at"), spec)
    since_midnight = nw.col("occurred_at") + offset(spec) - day * DAY
    if spec.measure == "distinct_days":
        return {midnight_name(spec): since_midnight}
    tests: list[nw.Expr] = []
    if spec.hours:
        low, high = (round(hour * HOUR) for hour in spec.hours)
        tests += [since_midnight >= low, since_midnight < high]
    if spec.weekdays:
        weekday = day + 3 - (day + 3) // 7 * 7  # 1970-01-01 was a Thursday
        tests.append(weekday.is_in(list(spec.weekdays)))
    test = all_of(tests)
    return {clock_name(spec): nw.lit(value=True) if test is None else test}


def looked_at(specs: Sequence[FeatureSpec]) -> list[str]:
    """Name the columns of a meeting, beside snapshot and ages, that specifications look at."""
    searched = set(TEXT_FILTERS)  # texts are told apart, but not searched again
    if any(spec.measure == "distinct_contents" for spec in specs):
        searched.remove("content")
    return [*(name for name in columns_of(specs) if name not in searched), *_marks(specs)]


def marked(activities: Frame, specs: Sequence[FeatureSpec], *others: str) -> Frame:
    """Prepare activities to be met: what does not depend on as_of is computed once, not at every snapshot.

    Returns:
        lead_id, occurred_at, received_at, others, and `looked_at`.
    """
    computed = _marks(specs)
    columns = [name for name in looked_at(specs) if name not in computed]
    if "value" in columns:
        columns.remove("value")
        computed["value"] = bounded(nw.col("value").cast(nw.Float64))
    return activities.select("lead_id", "occurred_at", "received_at", *others, *columns, **computed)


def bounded(number: nw.Expr) -> nw.Expr:
    """Give Float64 with null for what is not finite or lies beyond ±`LARGEST_NUMBER`."""
    return nw.when(number.abs() <= LARGEST_NUMBER).then(number)


def _marks(specs: Sequence[FeatureSpec]) -> dict[str, nw.Expr]:
    """Give the columns that say what specifications ask of texts and of the clock."""
    clocks = [_clock(spec) for spec in specs if spec.measure in {"share", "distinct_days"}]
    return glob_columns(specs) | {name: value for clock in clocks for name, value in clock.items()}


def conditions(spec: FeatureSpec) -> list[nw.Expr]:
    """Give the tests of a specification's filters; the glob columns must be there."""
    tests: list[nw.Expr] = []
    if spec.types:
        one = len(spec.types) == 1
        tests.append(nw.col("type") == spec.types[0] if one else nw.col("type").is_in(list(spec.types)))
    if spec.actor is not None:
        tests.append(nw.col("actor") == spec.actor)
    if spec.channel is not None:
        tests.append((nw.col("channel") == spec.channel).fill_null(value=False))
    tests += [nw.col(glob_name(column, glob)) for column in TEXT_FILTERS if (glob := getattr(spec, column)) is not None]
    return tests


def all_of(tests: Sequence[nw.Expr]) -> nw.Expr | None:
    """Join tests by `and`; None where there is none."""
    return reduce(lambda one, other: one & other, tests) if tests else None


def chosen(met: Frame, spec: FeatureSpec) -> Frame:
    """Keep what passes a specification's filters; order is kept."""
    tests = conditions(spec)
    return met.filter(*tests) if tests else met


def chosen_of_log(log: Frame, spec: FeatureSpec) -> Frame:
    """Keep the activities of a log that pass a specification's filters; order is kept."""
    globs = glob_columns([spec])
    return chosen(log.with_columns(**globs) if globs else log, spec)


def in_order(frame: object) -> bool:
    """Whether a frame is eager: then it is in the order of snapshots and time."""
    return isinstance(frame, nw.DataFrame)


def neighbour(frame: Frame, column: str, distance: int) -> nw.Expr:
    """Give a column's value `distance` activities earlier in the same snapshot (later where negative), null if none."""
    if in_order(frame):
        same = nw.col(ROW) == nw.col(ROW).shift(distance)
        return nw.when(same).then(nw.col(column).shift(distance))
    return nw.col(column).shift(distance).over(ROW, order_by=list(ORDER))


def with_next(frame: Frame, flag: str) -> Frame:
    """Add `__then`: the age of the first later activity of the same snapshot whose flag is set, or null."""
    age, flagged = nw.col("age"), nw.col(flag)
    if in_order(frame):
        marked = frame.with_columns(__then=nw.when(flagged).then(age), __there=nw.when(flagged).then(nw.col(ROW)))
        filled = marked.with_columns(nw.col("__then", "__there").fill_null(strategy="backward").shift(-1))
        same = nw.col("__there") == nw.col(ROW)
        return filled.with_columns(__then=nw.when(same).then(nw.col("__then"))).drop("__there")
    none = nw.lit(0)  # no age is; a running maximum would skip a null
    late = frame.with_columns(__then=nw.when(flagged).then(age).otherwise(none))
    running = nw.col("__then").cum_max(reverse=True).over(ROW, order_by=list(ORDER))
    late = late.with_columns(__then=running)
    late = late.with_columns(__then=neighbour(late, "__then", -1))
    return late.with_columns(__then=nw.when(nw.col("__then") > none).then(nw.col("__then")))


def lazy(frame: Frame) -> Frame:
    """Make an eager frame lazy, where its library can be: what follows needs no order and is planned as a whole."""
    return frame.lazy()


def coded(value: nw.Expr, spec: FeatureSpec) -> nw.Expr:
    """Code a text by its place in the categories; others share the next code; null stays null."""
    others = float(len(spec.categories))
    if not spec.categories:
        return nw.when(~value.is_null()).then(nw.lit(others))
    codes = [float(place) for place in range(len(spec.categories))]
    code = value.replace_strict(list(spec.categories), codes, default=others, return_dtype=nw.Float64)
    return nw.when(~value.is_null()).then(code)


def by_filter(specs: Iterable[FeatureSpec]) -> list[list[FeatureSpec]]:
    """Put together the specifications that look at the same activities."""
    return alike(specs, "filter_key")


def alike(specs: Iterable[FeatureSpec], *names: str) -> list[list[FeatureSpec]]:
    """Put together the specifications whose attributes of these names are equal."""
    groups: dict[tuple[object, ...], list[FeatureSpec]] = {}
    for spec in specs:
        groups.setdefault(tuple(getattr(spec, name) for name in names), []).append(spec)
    return list(groups.values())
