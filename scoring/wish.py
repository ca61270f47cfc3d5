"""What marketing and sales agreed on for a threshold: the target range of the SQL rate and the capacity of sales."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadlight.errors import InputError

USUAL_RATE: Final = (0.30, 0.50)
DAYS_PER: Final = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}


@dataclass(frozen=True, slots=True)
class Wish:
    """The target range and the capacity.

    Attributes:
        low: bottom of the target range of the SQL rate; a threshold must reach it (by its point estimate).
        high: top of it; above it the threshold may be lowered.
        capacity_per_week: most leads that sales can take in a week; None = no limit.
    """

    low: float = USUAL_RATE[0]
    high: float = USUAL_RATE[1]
    capacity_per_week: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 <= self.low <= self.high <= 1:
            raise InputError(
                f"target range {self.low}:{self.high}: must be two rates from 0 to 1, lower first, such as 0.30:0.50"
            )
        if self.capacity_per_week is not None and not 0 < self.capacity_per_week < math.inf:
            raise InputError(f"capacity == {self.capacity_per_week} a week, must be above 0, such as 40/week")

    def rate_holds(self, row: Mapping[str, Any], min_mature: int) -> bool:
        """Whether enough mature crossings show a rate at or above the bottom of the range."""
        return row["mature"] >= min_mature and row["sql_rate"] is not None and row["sql_rate"] >= self.low

    def volume_holds(self, row: Mapping[str, Any]) -> bool:
        """Whether sales can take the volume (a threshold that nobody crosses helps nobody)."""
        if row["crossings"] <= 0:
            return False
        return self.capacity_per_week is None or row["mqls_per_week"] <= self.capacity_per_week


def parse(target_rate: str, capacity: str | None) -> Wish:
    """Read a wish as the command line writes it.

    Args:
        target_rate: `LOW:HIGH`, as shares or per cents: `0.30:0.50`, `30%:50%`.
        capacity: `N/week`, `N/day` or `N/month`; None = no limit.

    Raises:
        InputError: another form.

    >>> parse("0.30:0.50", "40/week")
    Wish(low=0.3, high=0.5, capacity_per_week=40.0)
    """
    low, colon, high = target_rate.partition(":")
    bounds = [_share(text) for text in (low, high)]
    if not colon or bounds[0] is None or bounds[1] is None:
        raise InputError(f"--target-rate `{target_rate}`: write two rates, the lower first, such as 0.30:0.50")
    return Wish(bounds[0], bounds[1], None if capacity is None else _per_week(capacity))


def _share(text: str) -> float | None:
    number = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", number):
        return None
    return float(number) / 100 if text.strip().endswith("%") else float(number)


def _per_week(text: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*/\s*(day|week|month)\s*", text)
    if found is None:
        raise InputError(f"--capacity `{text}`: write a number of leads and a period, such as 40/week")
    return float(found[1]) * 7.0 / DAYS_PER[found[2]]
