"""Monotone constraints: features whose effect in the trees may go one way only, because people know that it does.

They bind the trees of a model and nothing else. Rule points are added to what the trees say, and a rule of the card may
go the other way; `against` names such rules.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from leadlight.errors import InputError
from leadlight.measures import Measure
from leadlight.spec import ACTIVITY_MEASURES, FeatureSpec
from rules.condition import Negation, Range, Test, activity_spec, compiled
from rules.parse import SIDES, Card, Rule

# Where a bundle's training tells of rules that go the other way.
KEY: Final = "against_monotone"
# 1: grows with what it measures (more activities, a larger number); -1: shrinks. Of all others neither can be said.
_GROWS: Final[dict[Measure, int]] = {
    **dict.fromkeys(("count", "distinct_days", "distinct_contents", "distinct_types", "decayed_count"), 1),
    **dict.fromkeys(("sessions", "followed", "stage_entries", "age_days", "number"), 1),
    **dict.fromkeys(("days_since_last", "days_since_stage"), -1),
}

DIRECTIONS: Final[dict[str, int]] = {"+1": 1, "1": 1, "+": 1, "up": 1, "-1": -1, "-": -1, "down": -1}


def parse(texts: Sequence[str]) -> dict[str, int]:
    """Read constraints as they are written on a command line.

    Raises:
        InputError: a text without direction, or a feature with two.

    >>> parse(["views=+1", "age=down"])
    {'views': 1, 'age': -1}
    """
    wanted: dict[str, int] = {}
    for text in texts:
        name, _, direction = text.rpartition("=")
        if not name or direction.strip() not in DIRECTIONS:
            raise InputError(f"--monotone `{text}`: write FEATURE=+1 (more never lowers what trees say) or FEATURE=-1")
        sign = DIRECTIONS[direction.strip()]
        if wanted.setdefault(name.strip(), sign) != sign:
            raise InputError(f"--monotone: feature `{name.strip()}` is given both directions; choose one")
    return wanted


def constraints(specs: Sequence[FeatureSpec], wanted: Mapping[str, int]) -> tuple[int, ...]:
    """Give LightGBM's constraints: 1, -1 or 0 (free) per feature; empty where nothing is wanted.

    The constraint holds for the booster's log-odds, not for the rule points that are added to them; where a value is
    null it says nothing.

    Args:
        specs: one per column.
        wanted: feature name -> 1 (more never lowers the booster's log-odds) or -1 (more never raises them).

    Raises:
        InputError: no such feature, a category, or another direction.
    """
    if not wanted:
        return ()
    places = {spec.name: place for place, spec in enumerate(specs)}
    signs = [0] * len(specs)
    for name, direction in wanted.items():
        if name not in places:
            raise InputError.unknown_name("monotone: feature", name, places)
        if direction not in {1, -1}:
            raise InputError(f"monotone: feature `{name}` has direction {direction}, must be 1 or -1")
        if specs[places[name]].categorical:
            raise InputError(f"monotone: feature `{name}` is a category, which has no order; constrain numbers only")
        signs[places[name]] = direction
    return tuple(signs)


def against(specs: Sequence[FeatureSpec], wanted: Mapping[str, int], card: Card) -> tuple[str, ...]:
    """Say in a sentence each for which features rules of the card go the other way.

    A rule goes the other way if it reads the same activities, attribute or stage, and its points fall where the feature
    may only raise the score, or the other way round. Measures that neither grow nor shrink with what they read, such as
    shares, are passed over.

    Args:
        specs: one per column.
        wanted: as in `constraints`.
        card: whose points lie under the trees.
    """
    known = {spec.name: spec for spec in specs}
    rules = [rule for side in SIDES for rule in getattr(card, side)]
    sentences = []
    for name, direction in wanted.items():
        names = [rule.name for rule in rules if any(way == -direction for way in _ways(rule, known[name]))]
        if names:
            does = "lowers" if direction > 0 else "raises"
            by = f"rule{'s' if len(names) > 1 else ''} {', '.join(f'`{one}`' for one in names)} of the card"
            sentences.append(
                f"--monotone {name}={direction:+d} binds the trees only: by {by}, more of it {does} the rule points, "
                "which are added"
            )
    return tuple(sentences)


def _ways(rule: Rule, spec: FeatureSpec) -> Iterator[int]:
    """Yield 1 (more of the feature means more points) or -1 for each part of a rule that reads the same thing."""
    points = 1 if rule.points > 0 else -1
    parts = [(activity_spec(rule), 1)] if rule.when is None else _directed(compiled(rule.when), 1)
    for read, direction in parts:
        if direction and _same_thing(read, spec):
            yield points * direction * _GROWS[read.measure] * _GROWS[spec.measure]


def _directed(test: Test, sign: int) -> Iterator[tuple[FeatureSpec, int]]:
    """Yield what a test reads, with 1 where it holds from some value on, -1 up to some value, 0 between two."""
    if isinstance(test, Range):
        low = test.low > (-math.inf if test.spec.measure == "number" else 0)
        yield test.spec, sign * (int(low) - int(test.high < math.inf))
    elif isinstance(test, Negation):
        yield from _directed(test.part, -sign)
    else:
        for part in test.parts:
            yield from _directed(part, sign)


def _same_thing(read: FeatureSpec, spec: FeatureSpec) -> bool:
    """Whether a rule and a feature look at the same activities, attribute or stage, in ways that grow or shrink."""
    if read.measure not in _GROWS or spec.measure not in _GROWS:
        return False
    if read.measure not in ACTIVITY_MEASURES or spec.measure not in ACTIVITY_MEASURES:
        return (_subject(read), read.attribute, read.stage) == (_subject(spec), spec.attribute, spec.stage)
    types = not read.types or not spec.types or bool(set(read.types) & set(spec.types))
    return types and all(
        mine is None or other is None or mine == other
        for mine, other in ((read.actor, spec.actor), (read.channel, spec.channel))
    )


def _subject(spec: FeatureSpec) -> str:
    return "stage" if spec.stage is not None else spec.measure
