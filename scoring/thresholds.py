"""Which threshold to draw: of those whose SQL rate and volume are right, the one that catches most wins.

`recommend` is a pure function of the JSON that `scoring.crossings.curve` gave, so the service answers with it too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from leadlight.errors import InputError
from leadlight.vocabulary import Lang
from scoring import advice
from scoring.wish import USUAL_RATE, Wish

Row = Mapping[str, Any]
Binding = Literal["capacity", "rate", "none"]

CURRENT: Final = 50.0


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A threshold and what it will yield; JSON by `to_json`.

    Attributes:
        value: the threshold; None where none fulfils the wish (see `nearest`).
        mqls_per_week: first crossings a week.
        sql_rate: share of them that reaches the target within the horizon.
        low: lower end of its 95 % interval.
        high: upper end.
        wins_share: share of the wins that it catches.
        lead_to_mql: first crossings / new leads.
        binding: what keeps the threshold from being lower: `capacity`, `rate`, or `none` of the two. Where no
            threshold is recommended: what no threshold fulfils; `none` where too few crossings are mature to tell.
        reason: why, in one sentence.
        advice: what changes against the current threshold, and notes, one sentence each.
        change: the current threshold, what it yields, and the differences.
        nearest: where none is recommended, the row of the curve that comes nearest; None without enough data.
        reached: whether the wish is fulfilled.
    """

    value: float | None
    mqls_per_week: float | None
    sql_rate: float | None
    low: float | None
    high: float | None
    wins_share: float | None
    lead_to_mql: float | None
    binding: Binding
    reason: str
    advice: tuple[str, ...]
    change: Mapping[str, Any]
    nearest: Mapping[str, Any] | None
    reached: bool

    def to_json(self) -> dict[str, Any]:
        """Give it as a JSON object."""
        return asdict(self) | {"advice": list(self.advice)}


def recommend(
    curve: Mapping[str, Any],
    low: float = USUAL_RATE[0],
    high: float = USUAL_RATE[1],
    capacity_per_week: float | None = None,
    current: float = CURRENT,
    *,
    lang: Lang = "en",
) -> Recommendation:
    """Recommend a threshold.

    Of all thresholds whose SQL rate (point estimate, from at least `min_mature` mature crossings) reaches `low` and
    whose volume is within the capacity: the one that catches most wins (where the period has none: with the largest
    volume); of equals the highest, which gets the same wins from fewer hand-overs.

    Args:
        curve: what `scoring.crossings.curve` gave.
        low: bottom of the target range of the SQL rate.
        high: top of it.
        capacity_per_week: most leads that sales can take in a week; None = no limit.
        current: the threshold in force.
        lang: of the sentences.

    Raises:
        InputError: a range or capacity that cannot be meant, or a curve that is none.
    """
    wish = Wish(low, high, capacity_per_week)
    if not math.isfinite(current):
        raise InputError(f"current threshold == {current}, must be a number, such as 50")
    rows, least = _rows(curve)
    target = str(curve.get("target", "sql"))
    chosen = _best([row for row in rows if wish.rate_holds(row, least) and wish.volume_holds(row)])
    if chosen is None:
        return _none_reaches(curve, wish, current, lang)
    binding = _binding(rows, least, wish, chosen)
    change = _change(rows, chosen, current)
    return Recommendation(
        value=chosen["threshold"],
        **_figures(chosen),
        binding=binding,
        reason=advice.chosen(chosen, binding, wish, target, lang),
        advice=advice.notes(curve, chosen, change, wish, lang, binding=binding),
        change=change,
        nearest=None,
        reached=True,
    )


def at(curve: Mapping[str, Any], threshold: float) -> dict[str, Any]:
    """Give what a threshold yields: the row of the first integer at or above it (nothing above the highest score)."""
    return dict(_row_at(_rows(curve)[0], threshold))


def _rows(curve: Mapping[str, Any]) -> tuple[Sequence[Row], int]:
    try:
        return curve["rows"], int(curve["min_mature"])
    except (KeyError, TypeError) as broken:
        raise InputError(
            "this is no curve of thresholds (`rows` and `min_mature` are missing); run `leadlight thresholds recommend`"
        ) from broken


def _gain(row: Row) -> float:
    """Give what a threshold is chosen for: the wins it catches; where the period has no wins, its volume."""
    return float(row["mqls_per_week"] if row["wins_share"] is None else row["wins_share"])


def _best(rows: Sequence[Row]) -> Row | None:
    """Give the row that catches most wins; of equals the highest threshold (the same wins from fewer hand-overs)."""
    return max(rows, key=lambda row: (_gain(row), row["threshold"]), default=None)


def _binding(rows: Sequence[Row], least: int, wish: Wish, chosen: Row) -> Binding:
    """Find the constraint that, dropped alone, would let a threshold catch more wins."""

    def more(kept: Sequence[Row]) -> bool:
        return any(_gain(row) > _gain(chosen) for row in kept)

    if more([row for row in rows if wish.rate_holds(row, least)]):
        return "capacity"
    if more([row for row in rows if row["mature"] >= least]):
        return "rate"
    return "none"


def _none_reaches(curve: Mapping[str, Any], wish: Wish, current: float, lang: Lang) -> Recommendation:
    rows, least = _rows(curve)
    known = [row for row in rows if row["mature"] >= least]
    good = [row for row in known if wish.rate_holds(row, least)]
    binding: Binding
    nearest: Row | None
    if not known:
        binding, nearest = "none", None
    elif good:
        binding, nearest = "capacity", min(good, key=lambda row: (row["mqls_per_week"], -row["threshold"]))
    else:
        affordable = [row for row in known if wish.volume_holds(row)] or known
        binding, nearest = "rate", max(affordable, key=lambda row: (row["sql_rate"], row["threshold"]))
    return Recommendation(
        value=None,
        **dict.fromkeys(FIGURES),
        binding=binding,
        reason=advice.nothing(curve, nearest, binding, wish, lang),
        advice=(),
        change=_change(rows, None, current),
        nearest=None if nearest is None else dict(nearest),
        reached=False,
    )


FIGURES: Final = ("mqls_per_week", "sql_rate", "low", "high", "wins_share", "lead_to_mql")


def _figures(row: Row) -> dict[str, float | None]:
    return {name: row[name] for name in FIGURES}


def _row_at(rows: Sequence[Row], threshold: float) -> Row:
    for row in rows:
        if row["threshold"] >= threshold:
            return row
    nobody = dict.fromkeys(FIGURES) | {"mqls_per_week": 0.0, "crossings": 0, "mature": 0, "reached": 0}
    return {"threshold": threshold, **nobody}


def _change(rows: Sequence[Row], chosen: Row | None, current: float) -> dict[str, Any]:
    """Compare the chosen threshold with the current one."""
    now = _row_at(rows, current)
    change: dict[str, Any] = {"current": current, "yields": _figures(now)}
    for name in ("mqls_per_week", "sql_rate", "wins_share"):
        before, after = now[name], None if chosen is None else chosen[name]
        change[name] = None if before is None or after is None else after - before
    return change
