"""What a valid card may still have wrong: points nobody can reach, names that the data does not know."""

import math
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from leadlight.errors import did_you_mean
from leadlight.schema import ACTIVITY_TYPES, AttributeKind
from rules.engine import plan, unmet
from rules.parse import SIDES, Card, Rule, Side


def most_points(card: Card, side: Side) -> float:
    """Give the most points that a lead can have on one side; infinite where a rule has no limit."""
    alone = math.fsum(_most(rule) for rule in card.side(side) if rule.group is None)
    grouped = 0.0
    for name, group in card.groups.items():
        members = [_most(rule) for rule in card.side(side) if rule.group == name]
        grouped += min(group.cap, math.fsum(members))
    return alone + grouped


def activity_types(card: Card) -> tuple[str, ...]:
    """List the activity types that a card names."""
    return tuple(sorted({name for spec in plan(card).specs for name in spec.types}))


def problems(
    card: Card,
    attributes: Mapping[str, AttributeKind] | None = None,
    types: Collection[str] | None = None,
) -> Iterator[str]:
    """Yield what keeps a valid card from doing what its author means, one sentence each.

    Args:
        card: the card.
        attributes: attributes of the data with their kind; None = no data to compare with.
        types: activity types of the data; None = no data to compare with, then only near misses of the product's own
            types are told.
    """
    most = sum(most_points(card, side) for side in SIDES)
    if most < card.threshold:
        yield f"no lead can reach the threshold {card.threshold:g}: the rules give at most {most:g} points"
    for name in activity_types(card):
        if types is not None and name not in types:
            yield f"activity type `{name}` is not in the data{did_you_mean(name, types)}"
        elif types is None and name not in ACTIVITY_TYPES and get_close_matches(name, ACTIVITY_TYPES, cutoff=0.8):
            yield f"activity type `{name}` is not one of the product's own{did_you_mean(name, ACTIVITY_TYPES)}"
    for name in () if attributes is None else unmet(card, attributes):
        kind = attributes.get(name) if attributes is not None else None
        if kind is None:
            yield f"attribute `{name}` is not in the data, so it gives no points{did_you_mean(name, attributes or ())}"
        else:
            yield f"attribute `{name}` is a {kind} in the data, and the card compares it otherwise: it gives no points"


def _most(rule: Rule) -> float:
    if rule.points < 0:
        return 0.0
    if rule.when is not None or rule.once:
        return rule.points
    return math.inf if rule.cap is None else rule.cap
