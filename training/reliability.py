"""Reliability by slice: does a probability mean what it says at every age, and in every segment?

A slice is one scheduled age, or one value of a segment column at one age: ages are never pooled, for a lead stands at
several of them. Every slice has its own bar: the ECE that a perfect model with the same predictions stays below in 95
of 100 test sets (`leadlight.metrics.ece_bar`). Of many slices some lie above their bar by chance; how many is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight import metrics
from leadlight.errors import InputError
from training.bootstrap import ECE_BINS
from training.comparison import LEVEL
from training.evaluate import ECE_LIMIT

Floats = NDArray[np.float64]
Values = Sequence[str | None]

# Of a segment column the values with the most rows are told one by one.
MOST_VALUES: Final = 12
OTHERS: Final = "(others)"
MISSING: Final = "(missing)"


@dataclass(frozen=True, slots=True)
class Bin:
    """One of ten bins of equal mass: how many rows, their mean probability and their share of positives."""

    rows: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Slice:
    """Reliability of some test rows.

    Attributes:
        segment: column of the segment; None = all rows of the age.
        value: its value, `(others)` or `(missing)`; None with no segment.
        age_us: scheduled age, µs; None where ages were not given.
        rows: number of rows.
        positives: of them.
        expected: mean probability.
        observed: share of positives.
        low: lower end of the 95 % Wilson interval of `observed`.
        high: upper end.
        ece: expected calibration error over ten bins of equal mass.
        bar: ECE of a perfect model in the worst of 20 test sets like this one.
        within_noise: whether `ece` is at most `bar`.
        ok: whether `ece` is at most the larger of `bar` and 0.02, the product's bar.
        bins: what was predicted and what happened, from the lowest probabilities to the highest.
    """

    segment: str | None
    value: str | None
    age_us: int | None
    rows: int
    positives: int
    expected: float
    observed: float
    low: float
    high: float
    ece: float
    bar: float
    within_noise: bool
    ok: bool
    bins: tuple[Bin, ...]


def slices(
    y: ArrayLike,
    p: ArrayLike,
    seed: int,
    *,
    age: ArrayLike | None = None,
    segments: Mapping[str, Values] | None = None,
) -> tuple[Slice, ...]:
    """Measure every age, then every value of every segment at every age; slices without a row are left out.

    Args:
        y: outcomes 0 or 1, shape (n,); leave censored rows out. n = 0 gives no slice.
        p: probabilities, shape (n,).
        seed: of the bars.
        age: scheduled age of each row in µs, shape (n,); None = one age.
        segments: column -> value of each row (None = null), n values each. The 12 most frequent values are told one by
            one, the rest as `(others)`.

    Raises:
        InputError: shapes that differ, or outcomes or probabilities outside their domain.
    """
    outcomes, probabilities = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    ages = None if age is None else np.asarray(age)
    lengths = {"p": probabilities.shape, **{name: (len(values),) for name, values in (segments or {}).items()}}
    lengths |= {} if ages is None else {"age": ages.shape}
    for name, shape in lengths.items():
        if shape != outcomes.shape:
            raise InputError(f"`{name}` has shape {shape}, y has {outcomes.shape}; they must be the same rows")
    found = []
    for segment, value, chosen in _parts(len(outcomes), segments or {}):
        for at, rows in _by_age(chosen, ages):
            found.append(_measure(outcomes[rows], probabilities[rows], seed, segment=segment, value=value, age_us=at))
    return tuple(found)


def to_json(found: Sequence[Slice]) -> dict[str, Any]:
    """Give slices as JSON, with how many lie above their bar and how many would by chance."""
    return {
        "slices": [asdict(part) | {"bins": [asdict(one) for one in part.bins]} for part in found],
        "above_bar": sum(not part.within_noise for part in found),
        "above_bar_by_chance": (1 - LEVEL) * len(found),
        "not_ok": sum(not part.ok for part in found),
    }


def _parts(n: int, segments: Mapping[str, Values]) -> Iterator[tuple[str | None, str | None, NDArray[np.intp]]]:
    yield None, None, np.arange(n)
    for name, values in segments.items():
        named = np.array([MISSING if value is None else value for value in values], dtype=object)
        known, counts = np.unique(named, return_counts=True)
        told = known[np.lexsort((known, -counts))][:MOST_VALUES]
        for value in told:
            yield name, str(value), np.flatnonzero(named == value)
        yield name, OTHERS, np.flatnonzero(~np.isin(named, told))


def _by_age(chosen: NDArray[np.intp], ages: NDArray[Any] | None) -> Iterator[tuple[int | None, NDArray[np.intp]]]:
    if ages is None:
        if len(chosen):
            yield None, chosen
        return
    for age in np.unique(ages[chosen]):
        yield int(age), chosen[ages[chosen] == age]


def _measure(y: Floats, p: Floats, seed: int, *, segment: str | None, value: str | None, age_us: int | None) -> Slice:
    error = metrics.ece(y, p, ECE_BINS)
    bar = metrics.ece_bar(p, seed, LEVEL, bins=ECE_BINS)
    low, high = metrics.wilson_interval(int(y.sum()), len(y), LEVEL)
    table = metrics.reliability(y, p, ECE_BINS)
    columns = zip(table.mass.tolist(), table.predicted.tolist(), table.observed.tolist(), strict=True)
    return Slice(
        segment=segment,
        value=value,
        age_us=age_us,
        rows=len(y),
        positives=int(y.sum()),
        expected=float(p.mean()),
        observed=float(y.mean()),
        low=low,
        high=high,
        ece=error,
        bar=bar,
        within_noise=bool(error <= bar),
        ok=bool(error <= max(bar, ECE_LIMIT)),
        bins=tuple(Bin(int(mass), predicted, observed) for mass, predicted, observed in columns),
    )
