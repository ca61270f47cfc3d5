"""Hot, warm or cold: the temperature of a lead, with hysteresis so that it does not flicker around a threshold."""

from dataclasses import dataclass
from typing import Literal

from leadlight.errors import InputError

Temperature = Literal["hot", "warm", "cold"]


@dataclass(frozen=True, slots=True)
class Levels:
    """The scores at which a lead becomes hot or warm; it stays so until it falls below the level minus the margin.

    The defaults are ours: hot from the score at which a lead is as likely as the bottom of the healthy range (50),
    warm from a quarter of those odds (30), and 3 points of margin.
    """

    hot: float = 50.0
    warm: float = 30.0
    margin: float = 3.0

    def __post_init__(self) -> None:
        """Refuse levels that have no meaning."""
        if not self.warm < self.hot:
            raise InputError(f"temperature: warm == {self.warm}, must be below hot == {self.hot}")
        if not self.margin >= 0:
            raise InputError(f"temperature: margin == {self.margin}, must be >= 0")


def temperature(
    score: float, levels: Levels, previous: Temperature | None = None, *, ready: bool = False
) -> Temperature:
    """Give the temperature of a score.

    Args:
        score: unclipped.
        levels: where hot and warm begin.
        previous: the lead's last temperature, None = never scored; what was entered is left only below the margin.
        ready: a condition under which the rule card calls a lead hot whatever its score.

    >>> temperature(48, Levels()), temperature(48, Levels(), "hot"), temperature(46, Levels(), "hot")
    ('warm', 'hot', 'warm')
    """
    if ready or score >= levels.hot - (levels.margin if previous == "hot" else 0.0):
        return "hot"
    if score >= levels.warm - (levels.margin if previous in {"hot", "warm"} else 0.0):
        return "warm"
    return "cold"
