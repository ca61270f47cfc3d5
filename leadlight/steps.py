"""Step functions of the log-odds as plain numbers: isotonic calibration, and the interval of a probability.

k knots cut the line into k + 1 steps: step i holds from knot i - 1 (included) up to knot i (excluded). Without a knot
one step holds everywhere.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError

Floats = NDArray[np.float64]


def is_number(value: object) -> bool:
    """Tell whether a value is a finite number, and neither a text that looks like one nor a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def check_finite(what: str, values: Sequence[float]) -> None:
    """Refuse what is no finite number.

    Raises:
        InputError: names the place of the first one.
    """
    for place, value in enumerate(values):
        if not is_number(value):
            raise InputError(f"{what}[{place}] == {value!r}, must be a finite number")


def _check_knots(what: str, knots: Sequence[float]) -> None:
    check_finite(f"{what}.knots", knots)
    if any(before >= after for before, after in pairwise(knots)):
        raise InputError(f"{what}.knots must rise from each to the next")


def _check_steps(what: str, steps: Sequence[float], knots: Sequence[float]) -> None:
    check_finite(what, steps)
    if len(steps) != len(knots) + 1:
        raise InputError(f"{what} has {len(steps)} values, must have {len(knots) + 1} (one more than knots)")


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Isotonic calibration: log-odds in, log-odds out, never falling.

    Its effect is a contribution of its own name, for no feature can be said to cause a step (docs/adr/0004).
    Source: B. Zadrozny, C. Elkan (2002), Transforming classifier scores into accurate multiclass probability estimates.

    Attributes:
        knots: k log-odds, rising.
        values: k + 1 log-odds, never falling; `values[i]` holds for knots[i - 1] <= z < knots[i].
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    _knots: Floats = field(init=False, repr=False, compare=False)
    _values: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse steps without meaning."""
        _check_knots("isotonic", self.knots)
        _check_steps("isotonic.values", self.values, self.knots)
        if any(before > after for before, after in pairwise(self.values)):
            raise InputError("isotonic.values must never fall")
        object.__setattr__(self, "_knots", np.array(self.knots, dtype=np.float64))
        object.__setattr__(self, "_values", np.array(self.values, dtype=np.float64))

    def of(self, log_odds: Floats) -> Floats:
        """Give the calibrated log-odds, shape (n,)."""
        return np.asarray(self._values[self._knots.searchsorted(log_odds, side="right")])

    def to_json(self) -> dict[str, Any]:
        """Give the numbers as JSON."""
        return {"knots": list(self.knots), "values": list(self.values)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{name: tuple(values) for name, values in data.items()})


@dataclass(frozen=True, slots=True)
class VennAbers:
    """The two probabilities of Venn-ABERS for every log-odds, as steps: no confidence interval.

    They are the rates at this score if one more lead with it were known, and had failed or succeeded.

    Source: V. Vovk, I. Petej, V. Fedorova (2015), Large-scale probabilistic predictors with and without guarantees of
    validity; how the numbers are fitted is the matter of training.

    Attributes:
        knots: k log-odds as served, but before the shift of a changed base rate; rising.
        lower: k + 1 probabilities; `lower[i]` holds for knots[i - 1] <= log-odds < knots[i].
        upper: k + 1 probabilities, nowhere below `lower`.
    """

    knots: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    _knots: Floats = field(init=False, repr=False, compare=False)
    _ends: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse steps without meaning."""
        _check_knots("interval", self.knots)
        _check_steps("interval.lower", self.lower, self.knots)
        _check_steps("interval.upper", self.upper, self.knots)
        for low, high in zip(self.lower, self.upper, strict=True):
            if not 0.0 <= low <= high <= 1.0:
                raise InputError(f"interval: lower {low}, upper {high}; must be 0 <= lower <= upper <= 1")
        object.__setattr__(self, "_knots", np.array(self.knots, dtype=np.float64))
        object.__setattr__(self, "_ends", np.array([self.lower, self.upper], dtype=np.float64))

    def of(self, log_odds: Floats, shift: float = 0.0) -> tuple[Floats, Floats]:
        """Give the lower and the upper probability.

        Args:
            log_odds: as served, shape (n,).
            shift: log-odds that are in them because the base rate changed. It multiplies the odds of both ends alike.

        Returns:
            Two arrays of shape (n,).
        """
        ends = self._ends[:, self._knots.searchsorted(log_odds - shift, side="right")]
        if shift:
            odds = ends * math.exp(shift)
            ends = odds / (1.0 - ends + odds)
        return ends[0], ends[1]

    def to_json(self) -> dict[str, Any]:
        """Give the numbers as JSON."""
        return {"knots": list(self.knots), "lower": list(self.lower), "upper": list(self.upper)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{name: tuple(values) for name, values in data.items()})
