"""How many outcomes the next rung of the ladder needs: an extrapolation where there is one, else what was simulated."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

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
    c / n - g, fitted by weighted least squares to the origins. Where both are positive it is 0 at n = c / g.

    Args:
        chosen: the rung that was chosen.
        wins: leads with a success known now.
        seen: how the next rung compared at the origins; may be empty.
    """
    place = RUNGS.index(chosen) + 1
    if place == len(RUNGS):
        return None
    above = RUNGS[place]
    crossing = _crossing(seen)
    if crossing is not None and crossing <= FARTHEST * max(wins, 1):
        needed = max(_rounded(crossing), wins + 1)
        course = ", ".join(f"{point.difference:+.4f} at {point.wins}" for point in seen)
        told = f"`{above}` needs about {needed:,} leads with a success ({wins:,} now), by the course of {course}"
        return Needs(above, needed, "origins", told)
    if SIMULATED[above] > wins:
        needed = SIMULATED[above]
        told = f"`{above}` needs about {needed:,} leads with a success ({wins:,} now), as on the simulated market"
        return Needs(above, needed, "simulated", told)
    told = f"nothing tells how many outcomes `{above}` needs here: it does not come closer as their number grows"
    return Needs(above, None, "unknown", told)


def _crossing(seen: Sequence[Seen]) -> float | None:
    """Give the number of wins at which the fitted difference is 0; None where the origins do not show one."""
    points = [point for point in seen if point.wins > 0 and point.error > 0]
    counts = [point.wins for point in points]
    if len(points) < LEAST_ORIGINS or max(counts) < LEAST_SPAN * min(counts):
        return None
    design = np.array([[1 / point.wins, -1.0] for point in points])
    scale = np.array([1 / point.error for point in points])
    target = np.array([point.difference for point in points])
    (loss, gain), *_ = np.linalg.lstsq(design * scale[:, None], target * scale, rcond=None)
    return float(loss / gain) if loss > 0 and gain > 0 else None


def _rounded(number: float) -> int:
    """Round up to two digits: more would pretend.

    >>> _rounded(1234.0)
    1300
    """
    unit = int(10 ** max(0, math.floor(math.log10(max(number, 1))) - 1))
    return math.ceil(number / unit) * unit
