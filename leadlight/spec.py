"""What a feature is: the one definition on which rules, features, bundle and service agree.

A `FeatureSpec` says *what* is measured over the record of one lead strictly before an instant `as_of`; the engines
(`features.batch`, `features.online`) say how. An activity counts if `occurred_at < as_of`, and `received_at < as_of`
where a `received_at` is known. A window of w days keeps activities with `as_of - w days <= occurred_at`.

**Colleagues** of a lead at as_of are the other leads of its account created before as_of; of more than 50 the 50
created last (at one instant, those with the greater lead_id). A lead without account has none.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final, Literal, Self, get_args

from leadlight.errors import SpecError
from leadlight.measures import ATTRIBUTE_MEASURES, MEASURES, Measure, MeasureFacts
from leadlight.schema import ACTORS, DAY, MINUTE, STAGES

ACTIVITY_MEASURES: Final[frozenset[Measure]] = frozenset(
    m for m, facts in MEASURES.items() if facts.source == "activities"
)
CATEGORICAL_MEASURES: Final[frozenset[Measure]] = frozenset(m for m, facts in MEASURES.items() if facts.categorical)
FilterKey = tuple[tuple[str, ...], str | None, str | None, str | None, str | None]
Family = Literal[
    "frequency",
    "recency",
    "momentum",
    "decay",
    "breadth",
    "rhythm",
    "sequence",
    "age",
    "touches",
    "stage",
    "company",
    "fit",
    "rule",
]
KEYS: Final = ("lead_id", "as_of")  # columns of every table of features
LONGEST: Final = 36_500 * DAY  # of windows and the like, in µs: a hundred years
_FOLLOWED: Final[frozenset[Measure]] = frozenset({"followed", "followed_share"})
# A field of the left goes with the measures of the right, and they with it.
_GOES_WITH: Final[dict[str, frozenset[Measure]]] = {
    "half_life_days": frozenset({"decayed_count"}),
    "gap_minutes": frozenset({"sessions"}),
    "within_days": _FOLLOWED,
    "stage": frozenset({"stage_entries", "days_since_stage"}),
    "attribute": ATTRIBUTE_MEASURES,
}


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One feature of one lead as of an instant.

    Attributes:
        name: column name, unique in a catalog.
        family: which family file owns it.
        measure: what is computed (see `leadlight.measures` for unit and null meaning).
        types: activity types it looks at; empty = all.
        actor: only activities of this actor; None = all.
        channel: only activities of this channel; None = all.
        content: glob (`*`, `?`) that `content` must match whole; None = all; a null content never matches.
        detail: the same for `detail`.
        window_days: length of the window before as_of in days; None = the whole record.
        half_life_days: for `decayed_count`.
        gap_minutes: for `sessions`: a longer pause starts a new one.
        hours: for `share`: from (inclusive) and to (exclusive) hour of the local day.
        weekdays: for `share`: 0 = Monday to 6; empty = all.
        then_types: for `followed` and `followed_share`: types of the later activity; empty = all.
        then_actor: the same for its actor.
        within_days: how much later the `then` activity may come.
        k: for `last_type`: 1 is the newest.
        stage: for `stage_entries` and `days_since_stage`.
        attribute: column of `leads` for the measures of attributes.
        categories: codes of a categorical measure: the code is the position; any other value has code
            `len(categories)` (the `other` bucket); missing is null. There may be thousands.
        utc_offset_hours: local time ahead of UTC, for hours, weekdays and calendar days.
    """

    name: str
    family: Family
    measure: Measure
    types: tuple[str, ...] = ()
    actor: str | None = None
    channel: str | None = None
    content: str | None = None
    window_days: float | None = None
    detail: str | None = None
    half_life_days: float | None = None
    gap_minutes: float | None = None
    hours: tuple[float, ...] = ()
    weekdays: tuple[int, ...] = ()
    then_types: tuple[str, ...] = ()
    then_actor: str | None = None
    within_days: float | None = None
    k: int = 1
    stage: str | None = None
    attribute: str | None = None
    categories: tuple[str, ...] = ()
    utc_offset_hours: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a specification that has no meaning."""
        self._check_names()
        self._check_window()
        for key, measures in _GOES_WITH.items():
            given = getattr(self, key) not in {None, ()}
            if given != (self.measure in measures):
                names = " or ".join(f"`{measure}`" for measure in sorted(measures))
                raise self._wrong(f"{key} goes with measure {names}, and only there")
        for key in ("half_life_days", "gap_minutes", "within_days"):
            value = getattr(self, key)
            if value is not None:
                self._check_length(key, value, MINUTE if key == "gap_minutes" else DAY)
        if self.k < 1:
            raise self._wrong(f"k == {self.k}, must be >= 1")
        if self.facts.source not in {"activities", "colleagues"} and any(self.filter_key):
            raise self._wrong(
                f"measure `{self.measure}` looks at no activities; leave types, actor, channel, content, detail out"
            )
        self._check_clock()

    def _wrong(self, what: str) -> SpecError:
        return SpecError(f"feature `{self.name}`: {what}")

    def _check_window(self) -> None:
        rule = MEASURES[self.measure].window
        if self.window_days is None:
            if rule == "must":
                raise self._wrong(f"measure `{self.measure}` needs window_days")
            return
        self._check_length("window_days", self.window_days, DAY)
        if rule == "never":
            raise self._wrong(f"measure `{self.measure}` takes no window_days")

    def _check_length(self, key: str, length: float, unit: int) -> None:
        """Refuse a length that is no whole µs at least, or longer than any record."""
        if not length > 0:
            raise self._wrong(f"{key} == {length}, must be > 0")
        if round(min(length * unit, 2.0 * LONGEST)) not in range(1, LONGEST + 1):
            raise self._wrong(f"{key} == {length}, must be from one microsecond to {LONGEST // DAY:,} days")

    def _check_clock(self) -> None:
        if not -14 <= self.utc_offset_hours <= 14:
            raise self._wrong(f"utc_offset_hours == {self.utc_offset_hours}, must be between -14 and 14")
        if self.measure == "share":
            if not self.hours and not self.weekdays:
                raise self._wrong("measure `share` needs hours or weekdays")
            if self.hours and not (len(self.hours) == 2 and 0 <= self.hours[0] < self.hours[1] <= 24):
                raise self._wrong(f"hours == {list(self.hours)}, must be [from, to] with 0 <= from < to <= 24")
            if not set(self.weekdays) <= set(range(7)):
                raise self._wrong(f"weekdays == {list(self.weekdays)}, must lie between 0 (Monday) and 6")
        elif self.hours or self.weekdays:
            raise self._wrong("hours and weekdays go with measure `share`, and only there")
        if self.measure not in _FOLLOWED and (self.then_types or self.then_actor):
            raise self._wrong(
                "then_types and then_actor go with measure `followed` or `followed_share`, and only there"
            )

    def _check_names(self) -> None:
        if self.name in KEYS:
            raise self._wrong(f"{' and '.join(KEYS)} are columns of every table of features; choose another name")
        if len(set(self.categories)) < len(self.categories):
            twice = next(value for place, value in enumerate(self.categories) if value in self.categories[:place])
            raise self._wrong(f"category `{twice}` is listed twice; list each once")
        if self.measure not in MEASURES:
            raise SpecError.unknown_name(f"feature `{self.name}`: measure", str(self.measure), MEASURES)
        if self.family not in get_args(Family):
            raise SpecError.unknown_name(f"feature `{self.name}`: family", str(self.family), get_args(Family))
        if self.stage is not None and self.stage not in STAGES:
            raise SpecError.unknown_name(f"feature `{self.name}`: stage", str(self.stage), STAGES)
        for actor in (self.actor, self.then_actor):
            if actor is not None and actor not in ACTORS:
                raise SpecError.unknown_name(f"feature `{self.name}`: actor", actor, ACTORS)

    @property
    def facts(self) -> MeasureFacts:
        """What holds for every feature of its measure."""
        return MEASURES[self.measure]

    @property
    def categorical(self) -> bool:
        """Whether the column holds codes of `categories` instead of a quantity."""
        return self.measure in CATEGORICAL_MEASURES

    @property
    def filter_key(self) -> FilterKey:
        """The part of the specification that chooses activities (not the window)."""
        return self.types, self.actor, self.channel, self.content, self.detail

    def code(self, value: str | None) -> float:
        """Give the code of a category, NaN for None; for many values take `codes` once."""
        if value is None:
            return float("nan")
        try:
            return float(self.categories.index(value))
        except ValueError:
            return float(len(self.categories))

    def codes(self) -> dict[str | None, float]:
        """Give the code of every category, and NaN for None; any other value has code `len(categories)`."""
        return {None: float("nan")} | {value: float(place) for place, value in enumerate(self.categories)}

    def to_json(self) -> dict[str, Any]:
        """Give the specification as JSON, defaults left out."""
        defaults = {f.name: f.default for f in fields(self)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if value != defaults[key]
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            SpecError: an unknown or missing key, a value of the wrong type, or a specification without meaning.
        """
        known = {f.name for f in fields(cls)}
        name = data.get("name", "?")
        for f in fields(cls):
            if f.default is MISSING and f.name not in data:
                raise SpecError(f"feature `{name}`: `{f.name}` is missing")
        for key in data:
            if key not in known:
                raise SpecError.unknown_name("feature specification key", key, known)
        refuse_single(data)
        arguments: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        try:
            return cls(**arguments)
        except TypeError as wrong:
            raise SpecError(f"feature `{name}`: a value has the wrong type ({wrong})") from wrong


def refuse_single(data: Mapping[str, Any]) -> None:
    """Refuse one value where a list belongs: a text is a sequence too, of its letters.

    Raises:
        SpecError: naming the feature and the key.
    """
    for f in fields(FeatureSpec):
        if f.default == () and not isinstance(value := data.get(f.name, ()), list | tuple):
            mend = f"{f.name}: [{'' if value is None else value}]"
            raise SpecError(f"feature `{data.get('name', '?')}`: `{f.name}` must be a list; write `{mend}`")


def glob_to_regex(glob: str) -> str:
    """Translate a glob (`*` any text, `?` one character) to an anchored regex that every engine reads alike.

    In Python use it with `fullmatch`: there `$` would also stand before a last line break.

    >>> glob_to_regex("/blog/*")
    '(?s)^/blog/.*$'
    """
    parts = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(parts.get(char, re.escape(char)) for char in glob) + "$"
