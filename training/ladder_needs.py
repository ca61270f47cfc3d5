"""How many outcomes the next rung of the ladder needs: by the course of the origins, else as many as was simulated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from leadlight.phrases import counted

RungName = Literal["prior", "rules", "scorecard", "model"]
RUNGS: Final[tuple[RungName, ...]] = ("prior", "rules", "scorecard", "model")

# Leads with a success from which on a rung is expected to be chosen, where the origins do not say: the sizes that
# `python -m benchmarks.training.learning_curve` looks at. Provisional for the model: above 100 too few seeds were run.
SIMULATED: Final[dict[RungName, int]] = {"prior": 0, "rules": 5, "scorecard": 25, "model": 400}
# An extrapolation needs so many origins, whose numbers of wins span this factor, and reaches this far at most.
LEAST_ORIGINS: Final = 3
LEAST_SPAN: Final = 1.5
FARTHEST: Final = 10.0


class Seen(NamedTuple):
    """The next rung against the chosen one at an origin.

    Attributes:
        wins: leads with a success that both learnt from.
        difference: log loss of the next rung minus that of the chosen one.
        error: its standard error.
    """

    wins: int
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What the next rung needs.

    Attributes:
        rung: the next one.
        wins: leads with a success at which it is expected to be as good as the chosen one; None where nothing tells.
        source: `origins` (the course of the differences), `simulated` or `unknown`.
        told: one sentence.
    """

    rung: RungName
    wins: int | None
    source: Literal["origins", "simulated", "unknown"]
    told: str

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"rung": self.rung, "wins": self.wins, "source": self.source, "told": self.told}


def needs_of(chosen: RungName, wins: int, seen: Sequence[Seen]) -> Needs | None:
    """Estimate how many leads with a success the next rung needs; None above the highest.

    What a rung loses by fitting its parameters falls like 1 / wins, what it gains by them stays: difference(n) =
    c / n - g, fitted by weighted least squares to the origins. Where both are positive it is 0 at n = c / g. The size
    on the simulated market is told only where too few origins show a course: never against one that was seen here.

    Args:
        chosen: the rung that was chosen.
        wins: leads with a success known now.
        seen: how the next rung compared at the origins; may be empty.
    """
    above = _above(chosen)
    if above is None:
        return None
    line = _line(seen)
    crossing = None if line is None or min(line) <= 0 else line[0] / line[1]
    won = f"leads with a success ({wins:,} now)"
    if crossing is not None and wins < crossing <= FARTHEST * max(wins, 1):
        needed = _rounded(crossing)
        told = f"`{above}` needs about {needed:,} {won}, by the course of {_course(seen)}"
        return Needs(above, needed, "origins", told)
    if line is None and SIMULATED[above] > wins:  # a course that is shown here counts more than another market
        needed = SIMULATED[above]
        return Needs(above, needed, "simulated", f"`{above}` needs about {needed:,} {won}, as on the simulated market")
    return _unknown(above, _untold(above, wins, line, seen))


def needs_failures(chosen: RungName) -> Needs | None:
    """Say that nothing can be estimated where only successes are known; None above the highest."""
    above = _above(chosen)
    return None if above is None else _unknown(above, "only successes are known")


def _above(chosen: RungName) -> RungName | None:
    place = RUNGS.index(chosen) + 1
    return None if place == len(RUNGS) else RUNGS[place]


def _unknown(above: RungName, why: str) -> Needs:
    return Needs(above, None, "unknown", f"nothing tells how many outcomes `{above}` needs here: {why}")


def _untold(above: RungName, wins: int, line: tuple[float, float] | None, seen: Sequence[Seen]) -> str:
    """Say why nothing can be told of the next rung: only what was seen."""
    if line is None:
        return (
            f"{counted(wins, 'lead')} with a success are as many as it needs on the simulated market "
            f"({SIMULATED[above]:,}), and too few origins show how it comes closer"
        )
    loss, gain = line
    course = f"by the course of {_course(seen)}"
    if loss <= 0:
        return f"{course} it does not come closer as their number grows"
    if gain <= 0:
        return f"{course} it comes closer as their number grows, but does not get there"
    if loss / gain > wins:
        return f"{course} it needs more than {FARTHEST:g} times the {wins:,} leads with a success of now"
    return f"{course} it should be as good already, with {counted(wins, 'lead')} with a success, and it is not better"


def _course(seen: Sequence[Seen]) -> str:
    return ", ".join(f"{point.difference:+.4f} at {point.wins}" for point in seen)


def _line(seen: Sequence[Seen]) -> tuple[float, float] | None:
    """Give c and g of difference(n) = c / n - g; None where too few origins, or too similar ones, show a course."""
    points = [point for point in seen if point.wins > 0 and point.error > 0]
    counts = [point.wins for point in points]
    if len(points) < LEAST_ORIGINS or max(counts) < LEAST_SPAN * min(counts):
        return None
    design = np.array([[1 / point.wins, -1.0] for point in points])
    scale = np.array([1 / point.error for point in points])
    target = np.array([point.difference for point in points])
    (loss, gain), *_ = np.linalg.lstsq(design * scale[:, None], target * scale, rcond=None)
    return float(loss), float(gain)


def _rounded(number: float) -> int:
    """Round up to two digits: more would pretend.

    >>> _rounded(1234.0)
    1300
    """
    unit = int(10 ** max(0, math.floor(math.log10(max(number, 1))) - 1))
    return math.ceil(number / unit) * unit
