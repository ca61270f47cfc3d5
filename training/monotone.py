"""Monotone constraints: features whose effect may go one way only, because people know that it does."""

from collections.abc import Mapping, Sequence
from typing import Final

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec

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
            raise InputError(f"--monotone `{text}`: write FEATURE=+1 (more never lowers the score) or FEATURE=-1")
        sign = DIRECTIONS[direction.strip()]
        if wanted.setdefault(name.strip(), sign) != sign:
            raise InputError(f"--monotone: feature `{name.strip()}` is given both directions; choose one")
    return wanted


def constraints(specs: Sequence[FeatureSpec], wanted: Mapping[str, int]) -> tuple[int, ...]:
    """Give LightGBM's constraints: 1, -1 or 0 (free) per feature; empty where nothing is wanted.

    The constraint holds for the booster's log-odds; where a value is null it says nothing.

    Args:
        specs: one per column.
        wanted: feature name -> 1 (more never lowers the score) or -1 (more never raises it).

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
