"""A rule card: what a marketer writes, checked, and frozen. YAML in, JSON for the bundle in and out."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from leadlight.documents import Document, Loc
from leadlight.errors import CardError, did_you_mean
from rules.condition import ActorName, Condition, Frozen, Text, Types, Window, leaves

BUILTIN: Final[tuple[str, ...]] = ("standard", "simple")
Side = Literal["behaviour", "fit"]
SIDES: Final[tuple[Side, ...]] = ("behaviour", "fit")


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
        raise ValueError(f"`{value}` is not a name; write small letters, digits, `-` and `_`, such as `pricing-page`")
    return value


Slug = Annotated[str, AfterValidator(_slug)]


class Label(Frozen):
    """What people read, in both languages of the product."""

    en: Text
    ja: Text


class Group(Frozen):
    """Rules that share one upper limit.

    Attributes:
        label: what people read.
        cap: most points that the rules of the group give together.
    """

    label: Label
    cap: float = Field(gt=0)


class Named(Frozen):
    """A condition with a name: a reason to be hot, or to be left out.

    Attributes:
        name: unique in the card.
        label: what people read.
        when: the condition.
        ours: whether practice gave no rule here and we chose one.
    """

    name: Slug
    label: Label
    when: Condition
    ours: bool = False


class Rule(Frozen):
    """One line of the card: points for each activity, or for a condition while it holds.

    Attributes:
        name: unique in the card.
        label: what people read.
        points: for each matching activity, or while the condition holds; below zero to deduct.
        ours: whether practice gave no number here and we chose one.
        group: name of a group whose cap the rule shares.
        activity: activity types that give the points, `*` for every type (then not `when`).
        actor: only activities of this actor.
        channel: only activities of this channel.
        content: glob that the content must match whole.
        within: only activities in this window before as_of.
        cap: the rule's points never go beyond this (below minus this, where it deducts).
        half_life: an activity's points halve in this time.
        once: the first matching activity gives the points, later ones none.
        when: the condition (then not `activity`).
    """

    name: Slug
    label: Label
    points: float
    ours: bool = False
    group: Slug | None = None
    activity: Types | None = None
    actor: ActorName | None = None
    channel: Text | None = None
    content: Text | None = None
    within: Window | None = None
    cap: float | None = Field(default=None, gt=0)
    half_life: Window | None = None
    once: bool = False
    when: Condition | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.activity is None) == (self.when is None):
            raise ValueError(f"rule `{self.name}` needs either `activity` or `when`, and not both")
        if self.points == 0:
            raise ValueError(f"rule `{self.name}` gives 0 points; give it points or remove it")
        if self.when is not None:
            for key in ("actor", "channel", "content", "within", "cap", "half_life", "once"):
                if getattr(self, key):
                    raise ValueError(f"rule `{self.name}`: `{key}` goes with `activity`, not with `when`")
        if self.once and (self.cap is not None or self.half_life is not None):
            raise ValueError(f"rule `{self.name}`: `once` goes without `cap` and `half_life`")
        if self.cap is not None and self.cap < abs(self.points):
            raise ValueError(
                f"rule `{self.name}`: cap {self.cap:g} is below its points {abs(self.points):g}; raise the cap"
            )
        return self


class Temperature(Frozen):
    """Cut-offs of total points: hot and warm are entered at these, and left below these minus the margin."""

    hot: float
    warm: float
    margin: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warm >= self.hot:
            raise ValueError(f"warm {self.warm:g} must be below hot {self.hot:g}")
        if self.margin >= self.hot - self.warm:
            raise ValueError(f"margin {self.margin:g} must be below hot - warm = {self.hot - self.warm:g}")
        return self


class FitGrades(Frozen):
    """Fit points from which a lead has grade A, B or C; below C it is D."""

    A: float
    B: float
    C: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.A > self.B > self.C:
            raise ValueError(f"grades must fall from A to C, but A, B, C are {self.A:g}, {self.B:g}, {self.C:g}")
        return self


class EngagementLevels(Frozen):
    """Behaviour points from which a lead has level 2, 3 or 4; below level 2 it has level 1."""

    two: float = Field(alias="2", gt=0)
    three: float = Field(alias="3")
    four: float = Field(alias="4")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.two < self.three < self.four:
            found = f"{self.two:g}, {self.three:g}, {self.four:g}"
            raise ValueError(f"levels must rise from 2 to 4, but 2, 3, 4 are {found}")
        return self


class RulePrior(Frozen):
    """What points mean as long as no outcome is known.

    Attributes:
        probability: of the target, at the card's threshold.
        doubling: so many more points double the odds.
    """

    probability: float = Field(gt=0, lt=1)
    doubling: float = Field(gt=0)


class Card(Frozen):
    """A rule card.

    Attributes:
        name: of the card.
        label: what people read.
        about: where the numbers come from.
        threshold: total points from which a lead is handed over (the MQL threshold in force).
        temperature: cut-offs of the total.
        fit_grades: cut-offs of the fit points.
        engagement_levels: cut-offs of the behaviour points.
        rule_prior: what points mean as long as no outcome is known; None = nothing.
        behaviour: rules about what the lead does; together never below 0.
        fit: rules about who the lead is.
        groups: caps that rules share, by name.
        hot_when: conditions that make a lead hot whatever its points.
        exclude: conditions under which a lead has no points at all.
    """

    name: Slug
    label: Label
    about: str = ""
    threshold: float = Field(default=50.0, gt=0)
    temperature: Temperature
    fit_grades: FitGrades
    engagement_levels: EngagementLevels
    rule_prior: RulePrior | None = None
    behaviour: tuple[Rule, ...] = ()
    fit: tuple[Rule, ...] = ()
    groups: dict[Slug, Group] = Field(default_factory=dict)
    hot_when: tuple[Named, ...] = ()
    exclude: tuple[Named, ...] = ()

    def __hash__(self) -> int:
        """Hash cheaply: a card is looked up by identity in the hot path."""
        return hash((self.name, len(self.behaviour), len(self.fit)))

    def side(self, side: Side) -> tuple[Rule, ...]:
        """Give the rules of one side."""
        return self.behaviour if side == "behaviour" else self.fit


def read(path: Path) -> Card:
    """Read a rule card.

    Raises:
        CardError: located at the first problem.
    """
    return _from_document(Document.read(path, CardError))


@lru_cache(maxsize=len(BUILTIN))
def builtin(name: str) -> Card:
    """Give a card of the package: `standard` or `simple`.

    Raises:
        CardError: no such card.
    """
    if name not in BUILTIN:
        raise CardError.unknown_name("rule card", name, BUILTIN)
    return _from_document(Document(Path(f"{name}.yaml"), _builtin_text(name), CardError))


def resolve(card: str | Path) -> Card:
    """Give the card that a command line names: the name of a card of the package, or a file.

    Raises:
        CardError: neither, or the file is wrong.
    """
    return builtin(str(card)) if _is_builtin(card) else read(_checked_path(card))


def chosen(name: str | Path | None, own: Path) -> Card:
    """Give the card that a command line names; where it names none the workspace's own, else `standard`.

    Args:
        name: see `resolve`; None = nothing was named.
        own: file of the workspace's own card, which may not exist.

    Raises:
        CardError: the card is wrong, or there is none of that name.
    """
    if name is not None:
        return resolve(name)
    return read(own) if own.exists() else builtin("standard")


def source(card: str | Path) -> str:
    """Give the YAML text of the card that a command line names, as it was written.

    Raises:
        CardError: there is no such card, or it is wrong.
    """
    resolve(card)
    return _builtin_text(str(card)) if _is_builtin(card) else Path(card).read_text(encoding="utf-8-sig")


def to_json(card: Card) -> dict[str, Any]:
    """Give the card as JSON, defaults left out."""
    data: dict[str, Any] = card.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return data


def from_json(data: dict[str, Any]) -> Card:
    """Read what `to_json` wrote; needs no YAML.

    Unlike a card that people write, one in a bundle may have no rules: the leak audit may have left none of them.

    Raises:
        CardError: it is not a card.
    """
    try:
        card = Card.model_validate_json(json.dumps(data))
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        raise CardError(f"rule card: `{_dotted(first['loc'])}`: {first['msg']}") from invalid
    for loc, message in _problems(card):
        raise CardError(f"rule card `{card.name}`: `{_dotted(loc)}`: {message}")
    return card


def _builtin_text(name: str) -> str:
    return (files("rules") / "cards" / f"{name}.yaml").read_text(encoding="utf-8")


def _is_builtin(card: str | Path) -> bool:
    return str(card) in BUILTIN and not Path(card).exists()


def _checked_path(card: str | Path) -> Path:
    path = Path(card)
    if not path.exists() and not path.suffix:
        hint = did_you_mean(str(card), BUILTIN)
        raise CardError(f"rule card `{card}` is neither a file nor a card of the package{hint}")
    return path


def _from_document(document: Document) -> Card:
    if document.data is None:
        raise document.problem((), "the card is empty; start from `leadlight rules show standard --yaml`")
    card = document.validate(Card)
    if not card.behaviour and not card.fit:
        raise document.problem((), "the card has no rules; write some under `behaviour` or `fit`")
    for loc, message in _problems(card):
        raise document.problem(loc, message)
    return card


def _dotted(loc: Loc) -> str:
    return ".".join(str(part) for part in loc)


def _problems(card: Card) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong between the parts of a card, with its place."""
    yield from _repeated_names(card)
    yield from _fit_problems(card)
    yield from _group_problems(card)


def _repeated_names(card: Card) -> Iterator[tuple[Loc, str]]:
    seen: dict[str, str] = {}
    for part in ("behaviour", "fit", "hot_when", "exclude"):
        for index, entry in enumerate(getattr(card, part)):
            if entry.name in seen:
                yield (part, index, "name"), f"the name `{entry.name}` is taken by {seen[entry.name]}; choose another"
            seen[entry.name] = f"`{part}` number {index + 1}"


def _fit_problems(card: Card) -> Iterator[tuple[Loc, str]]:
    """Who a lead is and what it does are two axes: fit looks at attributes only."""
    for index, rule in enumerate(card.fit):
        if rule.activity is not None:
            yield ("fit", index, "activity"), f"rule `{rule.name}` is about activities; move it to `behaviour`"
        elif rule.when is not None and _asks_history(rule.when):
            yield ("fit", index, "when"), f"rule `{rule.name}` is about history; move it to `behaviour`"


def _asks_history(condition: Condition) -> bool:
    return any(
        leaf.activity is not None or leaf.stage is not None or leaf.older_than is not None for leaf in leaves(condition)
    )


def _group_problems(card: Card) -> Iterator[tuple[Loc, str]]:
    side_of: dict[str, Side] = {}
    for side in SIDES:
        for index, rule in enumerate(card.side(side)):
            if rule.group is None:
                continue
            place: Loc = (side, index, "group")
            if rule.group not in card.groups:
                yield place, f"group `{rule.group}` is not under `groups`{did_you_mean(rule.group, card.groups)}"
            elif side_of.setdefault(rule.group, side) != side:
                yield place, f"group `{rule.group}` has rules of behaviour and of fit; make two groups"
            elif card.groups[rule.group].cap < rule.points:
                cap = card.groups[rule.group].cap
                yield ("groups", rule.group, "cap"), f"cap {cap:g} is below the {rule.points:g} points of `{rule.name}`"
    for name in card.groups.keys() - side_of.keys():
        yield ("groups", name), f"no rule is in group `{name}`; remove it, or name it in a rule"
