"""What a feature is: the one definition on which rules, features, bundle and service agree.

A `FeatureSpec` says *what* is measured over the record of one lead strictly before an instant `as_of`; the engines
(`features.batch`, `features.online`) say how. An activity counts if `occurred_at < as_of`, and `received_at < as_of`
where a `received_at` is known. A window of w days keeps activities with `as_of - w days <= occurred_at`.
"""

import re
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Final, Literal, Self, get_args

from leadlight.errors import SpecError
from leadlight.schema import ACTORS, STAGES

Measure = Literal[
    "count",  # activities; 0 when none
    "distinct_days",  # UTC days with an activity; 0 when none
    "distinct_contents",  # different non-null contents; 0 when none
    "distinct_types",  # breadth: different types; 0 when none
    "value_sum",  # sum of non-null values; 0 when none
    "days_since_last",  # null when none
    "days_since_first",  # null when none
    "decayed_count",  # sum of 2 ** (-age / half_life); 0 when none
    "momentum",  # count in the window / count in the window before it, each + 1, as log2; 0 when none
    "last_type",  # k-th last type as a category; null when fewer than k
    "age_days",  # as_of - created_at
    "created_hour",  # hour of day (UTC) of created_at
    "created_weekday",  # 0 = Monday, of created_at (UTC)
    "stage_entries",  # times the stage was entered; 0 when never
    "days_since_stage",  # since the stage was last entered; null when never
    "number",  # a numeric attribute; null when missing
    "category",  # a categorical attribute as its code; null when missing
]
ACTIVITY_MEASURES: Final[frozenset[str]] = frozenset(
    {
        "count",
        "distinct_days",
        "distinct_contents",
        "distinct_types",
        "value_sum",
        "days_since_last",
        "days_since_first",
        "decayed_count",
        "momentum",
        "last_type",
    }
)
CATEGORICAL_MEASURES: Final[frozenset[str]] = frozenset({"last_type", "category"})
WINDOWED_MEASURES: Final[frozenset[str]] = ACTIVITY_MEASURES - {"last_type"}
Family = Literal[
    "frequency",
    "recency",
    "momentum",
    "decay",
    "breadth",
    "sequence",
    "age",
    "touches",
    "stage",
    "fit",
    "rule",
]


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One feature of one lead as of an instant.

    Attributes:
        name: column name, unique in a catalog.
        family: which family file owns it.
        measure: what is computed (see `Measure` for unit and null meaning).
        types: activity types it looks at; empty = all.
        actor: only activities of this actor; None = all.
        channel: only activities of this channel; None = all.
        content: glob (`*`, `?`) that `content` must match whole; None = all; a null content never matches.
        window_days: length of the window before as_of in days; None = the whole record.
        half_life_days: for `decayed_count`.
        k: for `last_type`: 1 is the newest.
        stage: for `stage_entries` and `days_since_stage`.
        attribute: column of `leads` for `number` and `category`.
        categories: codes of a categorical measure: the code is the position; any other value has code
            `len(categories)` (the `other` bucket); missing is null.
    """

    name: str
    family: Family
    measure: Measure
    types: tuple[str, ...] = ()
    actor: str | None = None
    channel: str | None = None
    content: str | None = None
    window_days: float | None = None
    half_life_days: float | None = None
    k: int = 1
    stage: str | None = None
    attribute: str | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a specification that has no meaning."""
        self._check_names()
        if self.window_days is not None and not 0 < self.window_days < float("inf"):
            raise SpecError(f"feature `{self.name}`: window_days == {self.window_days}, must be > 0")
        if self.window_days is not None and self.measure not in WINDOWED_MEASURES:
            raise SpecError(f"feature `{self.name}`: measure `{self.measure}` takes no window_days")
        if self.measure == "momentum" and self.window_days is None:
            raise SpecError(f"feature `{self.name}`: measure `momentum` needs window_days")
        if (self.measure == "decayed_count") != (self.half_life_days is not None):
            raise SpecError(f"feature `{self.name}`: half_life_days goes with measure `decayed_count`, and only there")
        if self.half_life_days is not None and not 0 < self.half_life_days < float("inf"):
            raise SpecError(f"feature `{self.name}`: half_life_days == {self.half_life_days}, must be > 0")
        if (self.measure in {"number", "category"}) != (self.attribute is not None):
            raise SpecError(
                f"feature `{self.name}`: attribute goes with measure `number` or `category`, and only there"
            )
        if self.k < 1:
            raise SpecError(f"feature `{self.name}`: k == {self.k}, must be >= 1")

    def _check_names(self) -> None:
        if self.measure not in get_args(Measure):
            raise SpecError.unknown_name(f"feature `{self.name}`: measure", str(self.measure), get_args(Measure))
        if self.family not in get_args(Family):
            raise SpecError.unknown_name(f"feature `{self.name}`: family", str(self.family), get_args(Family))
        if self.measure in {"stage_entries", "days_since_stage"} and self.stage not in STAGES:
            raise SpecError.unknown_name(f"feature `{self.name}`: stage", str(self.stage), STAGES)
        if self.actor is not None and self.actor not in ACTORS:
            raise SpecError.unknown_name(f"feature `{self.name}`: actor", self.actor, ACTORS)

    @property
    def categorical(self) -> bool:
        """Whether the column holds codes of `categories` instead of a quantity."""
        return self.measure in CATEGORICAL_MEASURES

    @property
    def filter_key(self) -> tuple[tuple[str, ...], str | None, str | None, str | None]:
        """The part of the specification that chooses activities (not the window)."""
        return self.types, self.actor, self.channel, self.content

    def code(self, value: str | None) -> float:
        """Give the code of a category, NaN for None."""
        if value is None:
            return float("nan")
        try:
            return float(self.categories.index(value))
        except ValueError:
            return float(len(self.categories))

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
        arguments: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        try:
            return cls(**arguments)
        except TypeError as wrong:
            raise SpecError(f"feature `{name}`: a value has the wrong type ({wrong})") from wrong


def glob_to_regex(glob: str) -> str:
    """Translate a glob (`*` any text, `?` one character) to an anchored regex that every engine reads alike.

    In Python use it with `fullmatch`: there `$` would also stand before a last line break.

    >>> glob_to_regex("/blog/*")
    '(?s)^/blog/.*$'
    """
    parts = {"*": ".*", "?": "."}
    return "(?s)^" + "".join(parts.get(char, re.escape(char)) for char in glob) + "$"
