"""What a rule card can ask of a lead: conditions, and how they become tests on feature columns.

Every question that a card asks is in the end a range test on one column of `leadlight.spec`: "at least three visits
in 30 days" is `3 <= count`, "one of these industries" is `code <= number of them - 1`, "the attribute is known" is
"not NaN". A test on NaN (null) is false, and `not` turns false into true: `not: {attribute: x, one_of: [..]}` holds
where x is missing.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leadlight.errors import did_you_mean
from leadlight.schema import ACTORS, STAGES
from leadlight.spec import FeatureSpec

EVERY_TYPE: Final = "*"
UNITS: Final[dict[str, float]] = {"h": 1 / 24, "d": 1.0, "w": 7.0}
Columns = Mapping[str, NDArray[np.float64]]


class Frozen(BaseModel):
    """Base of everything in a card: immutable, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def days(window: str) -> float:
    """Give the length of a window in days.

    Args:
        window: a number and a unit: `12h`, `30d`, `4w`.

    Raises:
        ValueError: another form, or not above zero.

    >>> days("4w")
    28.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([hdw])", window)
    if found is None:
        raise ValueError(f"`{window}` is not a length of time; write a number and h, d or w, such as `30d`")
    if float(found[1]) <= 0:
        raise ValueError(f"`{window}` has no length; write at least `1h`")
    return float(found[1]) / 24 if found[2] == "h" else float(found[1]) * UNITS[found[2]]


def _checked_window(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError(f"`{value}` has no unit; write a number and h, d or w, such as `30d`")  # noqa: TRY004
    if isinstance(value, str):
        days(value)
    return value


def _texts(value: object) -> object:
    """Read one scalar as a list of one, and every scalar as text (YAML reads `true` and `10` as such)."""
    items = value if isinstance(value, list | tuple) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items if item is not None]


def _alone(types: tuple[str, ...]) -> tuple[str, ...]:
    if EVERY_TYPE in types and len(types) > 1:
        raise ValueError(f"`{EVERY_TYPE}` means every type; write it alone")
    return types


def _member(known: tuple[str, ...], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"{what} `{value}` does not exist{did_you_mean(value, known)}")
        return value

    return AfterValidator(check)


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_texts), Field(min_length=1)]
Types = Annotated[Texts, AfterValidator(_alone)]
Window = Annotated[str, BeforeValidator(_checked_window)]
ActorName = Annotated[str, _member(ACTORS, "actor")]
StageName = Annotated[str, _member(STAGES, "stage")]

# What else a condition may say, by the key that says what it is about.
COMPANIONS: Final[dict[str, frozenset[str]]] = {
    "all": frozenset(),
    "any": frozenset(),
    "not": frozenset(),
    "activity": frozenset({"actor", "channel", "content", "within", "at_least", "at_most"}),
    "stage": frozenset({"within"}),
    "attribute": frozenset({"at_least", "at_most", "one_of", "known"}),
    "older_than": frozenset(),
}


class Condition(Frozen):
    """A condition over the record of a lead before as_of.

    Attributes:
        all_: (`all`) every one of these holds.
        any_: (`any`) at least one of these holds.
        not_: (`not`) this does not hold.
        activity: activity types (`*` = every type); their number is compared with at_least (default 1) and at_most.
        actor: only activities of this actor.
        channel: only activities of this channel.
        content: glob that the content must match whole.
        within: window before as_of, for `activity` and `stage`.
        at_least: lower bound (inclusive) of a number of activities or of a numeric attribute.
        at_most: upper bound (inclusive) of the same.
        stage: the stage was entered before as_of (`within`: last entered at most so long ago).
        attribute: a column of `leads`; compared with at_least / at_most, one_of or known.
        one_of: values of a categorical attribute, compared as text.
        known: whether the attribute has a value.
        older_than: the lead was created longer ago than this.
    """

    all_: tuple[Self, ...] | None = Field(default=None, alias="all", min_length=1)
    any_: tuple[Self, ...] | None = Field(default=None, alias="any", min_length=1)
    not_: Self | None = Field(default=None, alias="not")
    activity: Types | None = None
    actor: ActorName | None = None
    channel: Text | None = None
    content: Text | None = None
    within: Window | None = None
    at_least: float | None = None
    at_most: float | None = None
    stage: StageName | None = None
    attribute: Text | None = None
    one_of: Texts | None = None
    known: bool | None = None
    older_than: Window | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        given = {
            info.alias or name for name, info in type(self).model_fields.items() if getattr(self, name) is not None
        }
        subjects = sorted(given & COMPANIONS.keys())
        if len(subjects) != 1:
            found = "none" if not subjects else " and ".join(f"`{name}`" for name in subjects)
            raise ValueError(f"a condition is about one of {', '.join(COMPANIONS)}; found {found}")
        for name in sorted(given - {subjects[0]} - COMPANIONS[subjects[0]]):
            raise ValueError(f"`{name}` has no meaning in a condition about `{subjects[0]}`; remove it")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}; nothing can fulfil it")
        if subjects[0] == "activity":
            self._check_number_of_activities()
        if subjects[0] == "attribute":
            self._check_one_comparison()
        return self

    def _check_number_of_activities(self) -> None:
        for name, value, least in (("at_least", self.at_least, 1), ("at_most", self.at_most, 0)):
            if value is not None and (value < least or value != int(value)):
                raise ValueError(f"{name} {value:g} is not a number of activities; write a whole number from {least}")

    def _check_one_comparison(self) -> None:
        ways = (self.at_least is not None or self.at_most is not None) + (self.one_of is not None)
        if ways + (self.known is not None) != 1:
            raise ValueError(
                f"`{self.attribute}` is compared either with at_least / at_most, with one_of or with known"
            )


def leaves(condition: Condition) -> Iterator[Condition]:
    """Yield the conditions inside a condition that are about one thing, in the order of the card."""
    parts = (*(condition.all_ or ()), *(condition.any_ or ()), *(() if condition.not_ is None else (condition.not_,)))
    if not parts:
        yield condition
    for part in parts:
        yield from leaves(part)


@dataclass(frozen=True, slots=True)
class Range:
    """The test `low <= column of spec <= high`; false on NaN."""

    spec: FeatureSpec
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    parts: tuple["Test", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these holds."""

    parts: tuple["Test", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """This does not hold."""

    part: "Test"


Test = Range | Every | Some | Negation


def compiled(condition: Condition) -> Test:
    """Translate a condition to tests on feature columns."""
    if condition.all_ is not None:
        return Every(tuple(compiled(part) for part in condition.all_))
    if condition.any_ is not None:
        return Some(tuple(compiled(part) for part in condition.any_))
    if condition.not_ is not None:
        return Negation(compiled(condition.not_))
    if condition.attribute is not None:
        return _attribute_test(condition, condition.attribute)
    if condition.stage is not None:
        return _stage_test(condition.stage, condition.within)
    if condition.older_than is not None:
        age = named(FeatureSpec(name="", family="rule", measure="age_days"))
        return Range(age, low=float(np.nextafter(days(condition.older_than), math.inf)))
    spec = activity_spec(condition)
    least = condition.at_least if condition.at_least is not None else (1.0 if condition.at_most is None else 0.0)
    return Range(spec, low=least, high=math.inf if condition.at_most is None else condition.at_most)


def activity_spec(chosen: Any, half_life: str | None = None) -> FeatureSpec:
    """Give the column that counts the activities of a rule or condition, decayed where a half-life is given.

    Args:
        chosen: anything with activity, actor, channel, content and within (a `Rule` or a `Condition`).
        half_life: for points that fade.
    """
    return named(
        FeatureSpec(
            name="",
            family="rule",
            measure="count" if half_life is None else "decayed_count",
            types=() if EVERY_TYPE in chosen.activity else tuple(sorted(set(chosen.activity))),
            actor=chosen.actor,
            channel=chosen.channel,
            content=chosen.content,
            window_days=None if chosen.within is None else days(chosen.within),
            half_life_days=None if half_life is None else days(half_life),
        )
    )


def named(spec: FeatureSpec) -> FeatureSpec:
    """Give the specification its name: readable, and different for every different meaning.

    The same meaning has the same name in every card, so equal questions share a column.
    """
    meaning = {key: value for key, value in spec.to_json().items() if key not in {"name", "family"}}
    code = hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:8]
    subject = "_".join(spec.types) or spec.attribute or spec.stage or "lead"
    readable = re.sub(r"[^a-z0-9]+", "_", subject.lower()).strip("_")[:40]
    return replace(spec, name=f"rule_{spec.measure}_{readable or 'x'}_{code}")


def specs_of(test: Test) -> tuple[FeatureSpec, ...]:
    """List the columns that a test reads, in the order of the card."""
    return tuple(part.spec for part in ranges(test))


def ranges(test: Test) -> tuple[Range, ...]:
    """List the range tests inside a test."""
    if isinstance(test, Range):
        return (test,)
    parts = (test.part,) if isinstance(test, Negation) else test.parts
    return tuple(found for part in parts for found in ranges(part))


def holds(test: Test, columns: Columns, n: int) -> NDArray[np.bool_]:
    """Evaluate a test.

    Args:
        test: what `compiled` gave.
        columns: shape (n,) each, keyed by the name of the specification; an attribute that is absent is null.
        n: number of rows.

    Returns:
        Shape (n,).
    """
    if isinstance(test, Range):
        column = columns.get(test.spec.name)
        if column is None:
            return np.zeros(n, dtype=np.bool_)
        return (column >= test.low) & (column <= test.high)
    if isinstance(test, Negation):
        return ~holds(test.part, columns, n)
    results = [holds(part, columns, n) for part in test.parts]
    combine = np.logical_and if isinstance(test, Every) else np.logical_or
    combined: NDArray[np.bool_] = combine.reduce(results)
    return combined


def _attribute_test(condition: Condition, attribute: str) -> Test:
    if condition.known is not None or condition.one_of is not None:
        values = tuple(dict.fromkeys(condition.one_of or ()))
        spec = named(FeatureSpec(name="", family="rule", measure="category", attribute=attribute, categories=values))
        if condition.one_of is not None:
            return Range(spec, low=0, high=len(values) - 1)
        return Range(spec) if condition.known else Negation(Range(spec))
    spec = named(FeatureSpec(name="", family="rule", measure="number", attribute=attribute))
    return Range(
        spec,
        low=-math.inf if condition.at_least is None else condition.at_least,
        high=math.inf if condition.at_most is None else condition.at_most,
    )


def _stage_test(stage: str, within: str | None) -> Range:
    if within is None:
        return Range(named(FeatureSpec(name="", family="rule", measure="stage_entries", stage=stage)), low=1)
    spec = named(FeatureSpec(name="", family="rule", measure="days_since_stage", stage=stage))
    return Range(spec, high=days(within))
