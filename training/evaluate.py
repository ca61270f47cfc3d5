"""Several scorers on the same test rows: every metric with an interval, every difference with a verdict.

Intervals are 95 % percentile intervals over replicates that draw whole leads (`training.bootstrap`); differences are
paired. "better" and "worse" mean that the interval of the difference excludes zero, everything else is "not
distinguishable", and what does not exist for these rows (the AUC of one class) is None. Where all rows together have
one outcome only, nothing is drawn: there are values, and no intervals, bars or verdicts, and no differences, which are
nothing without them.

Calibration is judged at every age, and all have to pass. A perfect model would fail a test at 95 % at one of six ages
in every fourth test set; of k ages each is therefore tested at 1 - 0.05 / k, and all of them together err in about 5
of 100 test sets at most, however they depend on each other (Bonferroni; on the quantile: `leadlight.metrics.ece_bar`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight import metrics
from leadlight.errors import InputError
from training.bootstrap import ECE_BINS, TOP_SHARE, lead_codes, replicate_metrics
from training.comparison import (
    LARGER_IS_BETTER,
    LEVEL,
    METRICS,
    Comparison,
    Difference,
    Estimate,
    Metric,
    Verdict,
    verdict,
)
from training.predictions import write_predictions

__all__ = ["Comparison", "compare", "verdict", "write_predictions"]

Floats = NDArray[np.float64]

REPLICATES: Final = 1000
# An interval needs this share of the replicates to be defined; with fewer there are too few positives to speak of one.
DEFINED_SHARE: Final = 0.9
# Differences smaller than this are rounding: a draw.
ROUNDING: Final = 1e-12
# About what noise alone gives a perfect model on 5,000 leads: larger slices are held to this, smaller to their own bar.
ECE_LIMIT: Final = 0.02


def compare(
    y: ArrayLike,
    scores: Mapping[str, ArrayLike | None],
    lead_ids: Sequence[str] | NDArray[np.object_],
    seed: int,
    *,
    replicates: int = REPLICATES,
    reference: str = "model",
    age: ArrayLike | None = None,
    each_age: bool = True,
    ece_limit: float = ECE_LIMIT,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Measure every scorer on the same rows, and the reference against each other one.

    Every row counts 1 (a test row is never dropped or weighted). The order of rows changes nothing.

    Args:
        y: outcomes 0 or 1, shape (n,); leave censored rows out. n = 0 is allowed: everything is None.
        scores: scorer -> probabilities in [0, 1], shape (n,); None for a scorer that does not exist here (the oracle on
            real data), whose figures are None.
        lead_ids: lead of each row, shape (n,).
        seed: of replicates and calibration bars.
        replicates: how many.
        reference: name in `scores` that differences are taken for.
        age: scheduled age of each row in µs, shape (n,), to give everything per age too; None = one slice.
        each_age: False leaves out what is given per age: of mixed ages there are then no bars of calibration at all.
        ece_limit: ECE allowed on a slice that is large enough for its own bar to be lower.
        progress: called with (replicates done, all) while they are drawn, those of single ages by their rows.

    Raises:
        InputError: a shape, outcome or probability outside its domain (the scorer is named), or an unknown reference.
    """
    if reference not in scores:
        raise InputError.unknown_name("scorer", reference, scores)
    outcomes = np.asarray(y, dtype=np.float64)
    columns = {name: None if p is None else _checked(outcomes, p, name) for name, p in scores.items()}
    if len(lead_ids) != len(outcomes):
        raise InputError(f"lead_ids has {len(lead_ids)} rows, y has {len(outcomes)}; they must be the same rows")
    leads, ages = np.asarray(lead_ids, dtype=object), None if age is None else _checked_ages(age, len(outcomes))
    several = 1 if ages is None else len(np.unique(ages))
    apart = each_age and several > 1  # all rows together, and each at its age
    done, bar = _Done(progress, replicates, (2 if apart else 1) * len(outcomes)), _bar_level(several)
    task = _Task(columns, reference, seed, replicates, ece_limit, bar, done, told=both_outcomes(outcomes))
    if ages is None or not each_age:
        return task.compare(outcomes, np.arange(len(outcomes)), leads, None, barred=several < 2)
    return task.compare_by_age(outcomes, leads, ages)


def _bar_level(ages: int) -> float:
    """Give the quantile of a perfect model's ECE that is the bar of each of some ages, all of which have to pass.

    >>> _bar_level(1), round(_bar_level(5), 3)
    (0.95, 0.99)
    """
    return LEVEL if ages < 2 else 1 - (1 - LEVEL) / ages


def both_outcomes(y: Floats) -> bool:
    """Whether rows have both outcomes, without which scorers cannot be compared."""
    return bool(0 < y.sum() < len(y))


class _Done:
    """Adds up how much was drawn, by rows, and tells it as replicates."""

    def __init__(self, progress: Callable[[int, int], None] | None, replicates: int, rows: int) -> None:
        self._progress, self._replicates, self._rows, self._cells = progress, replicates, rows, 0

    def add(self, replicates: int, rows: int) -> None:
        self._cells += replicates * rows
        if self._progress is not None:
            self._progress(self._cells // self._rows, self._replicates)


@dataclass(frozen=True, slots=True)
class _Task:
    """What stays the same for every slice of the rows."""

    columns: Mapping[str, Floats | None]
    reference: str
    seed: int
    replicates: int
    ece_limit: float
    bar_level: float
    done: _Done
    told: bool

    def compare_by_age(self, y: Floats, leads: NDArray[np.object_], ages: NDArray[np.int64]) -> Comparison:
        parts = tuple(self.compare(y, np.flatnonzero(ages == age), leads, int(age)) for age in np.unique(ages))
        if len(parts) == 1:
            return replace(parts[0], age_us=None, by_age=parts)
        whole = self.compare(y, np.arange(len(y)), leads, None, barred=not parts)
        if not parts:
            return whole
        verdicts = {name: _all_true([part.ece_ok[name] for part in parts]) for name in self.columns}
        return replace(whole, ece_ok=verdicts, by_age=parts)

    def compare(
        self,
        y: Floats,
        rows: NDArray[np.intp],
        leads: NDArray[np.object_],
        age_us: int | None,
        *,
        barred: bool = True,
    ) -> Comparison:
        """Compare on some rows, with bars of calibration where they are of one age."""
        outcomes = y[rows]
        known = {name: p[rows] for name, p in self.columns.items() if p is not None and len(rows)}
        codes, n_leads = lead_codes(leads[rows])
        drawn = self._drawn(outcomes, known, codes, n_leads) if known and self.told else {}
        values = {name: _values(outcomes, p) for name, p in known.items()}
        bars = self._bars(known) if barred and self.told else {}
        return Comparison(
            age_us=age_us,
            rows=len(rows),
            leads=n_leads,
            positives=int(outcomes.sum()),
            reference=self.reference,
            metrics={m: {name: _estimate(m, name, values, drawn) for name in self.columns} for m in METRICS},
            differences={m: self._differences(m, values, drawn) for m in METRICS},
            ece_bar={name: bars.get(name) for name in self.columns},
            ece_limit=self.ece_limit,
            ece_ok={name: self._calibrated(name, values, bars) for name in self.columns},
        )

    def _drawn(self, y: Floats, known: Mapping[str, Floats], codes: NDArray[np.intp], n_leads: int) -> "_Drawn":
        return replicate_metrics(
            y,
            known,
            codes,
            n_leads,
            replicates=self.replicates,
            seed=self.seed,
            done=lambda replicates: self.done.add(replicates, len(y)),
        )

    def _differences(self, metric: Metric, values: "_Values", drawn: "_Drawn") -> dict[str, Difference | None]:
        others = [name for name in self.columns if name != self.reference]
        return {other: _difference(metric, self.reference, other, values, drawn) for other in others}

    def _bars(self, known: Mapping[str, Floats]) -> dict[str, float]:
        bars = metrics.ece_bars(list(known.values()), self.seed, self.bar_level, bins=ECE_BINS)
        return dict(zip(known, bars, strict=True))

    def _calibrated(self, name: str, values: "_Values", bars: Mapping[str, float]) -> bool | None:
        error = values[name]["ece"] if name in bars else None
        return None if error is None else error <= max(bars[name], self.ece_limit)


_Values = Mapping[str, Mapping[Metric, float | None]]
_Drawn = Mapping[str, Mapping[str, Floats]]


def _values(y: Floats, p: Floats) -> dict[Metric, float | None]:
    return {
        "auc": metrics.auc(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier(y, p),
        "ece": metrics.ece(y, p, ECE_BINS),
        "lift10": metrics.top_decile_lift(y, p, share=TOP_SHARE),
    }


def _replicates(metric: Metric, name: str, value: float, drawn: _Drawn) -> Floats:
    """Give a metric's replicates, none where nothing was drawn; those of ECE moved so that their mean is the value.

    ECE is a distance and grows under resampling: unmoved, its interval could lie wholly above the value.
    """
    if not drawn:
        return np.empty(0)
    replicates = drawn[metric][name]
    return replicates - replicates.mean() + value if metric == "ece" else replicates


def _interval(replicates: Floats) -> tuple[float, float] | None:
    """Give the ends of the percentile interval over the defined replicates; None where too few are."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined) or len(defined) < DEFINED_SHARE * len(replicates):
        return None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _estimate(metric: Metric, name: str, values: _Values, drawn: _Drawn) -> Estimate | None:
    value = values[name][metric] if name in values else None
    if value is None:
        return None
    ends = _interval(_replicates(metric, name, value, drawn))
    if ends is None:
        return Estimate(value, None, None)
    return Estimate(value, max(0.0, ends[0]), ends[1])


def _difference(metric: Metric, reference: str, other: str, values: _Values, drawn: _Drawn) -> Difference | None:
    if not drawn or reference not in values or other not in values:
        return None
    ours, theirs = values[reference][metric], values[other][metric]
    if ours is None or theirs is None:
        return None
    replicates = _replicates(metric, reference, ours, drawn) - _replicates(metric, other, theirs, drawn)
    replicates[np.abs(replicates) < ROUNDING] = 0
    ends = _interval(replicates)
    if ends is None:
        return Difference(ours - theirs, None, None, None, None, "not distinguishable")
    defined = replicates[~np.isnan(replicates)]
    gains = defined if metric in LARGER_IS_BETTER else -defined
    return Difference(
        value=ours - theirs,
        low=ends[0],
        high=ends[1],
        standard_error=float(np.std(defined, ddof=1)) if len(defined) > 1 else None,
        probability_better=float(np.mean(gains > 0) + np.mean(gains == 0) / 2),
        verdict=_verdict(metric, *ends),
    )


def _verdict(metric: Metric, low: float, high: float) -> Verdict:
    if low <= 0 <= high:
        return "not distinguishable"
    return "better" if (low > 0) == (metric in LARGER_IS_BETTER) else "worse"


def _all_true(answers: Sequence[bool | None]) -> bool | None:
    """Join answers: False if any is, None if none is known."""
    known = [answer for answer in answers if answer is not None]
    return all(known) if known else None


def _checked(y: Floats, p: ArrayLike, name: str) -> Floats:
    column = np.asarray(p, dtype=np.float64)
    if column.shape != y.shape:
        raise InputError(f"scorer `{name}` has shape {column.shape}, y has {y.shape}; they must be the same rows")
    if len(y):
        try:
            metrics.brier(y, column)
        except InputError as problem:
            raise InputError(f"scorer `{name}`: {problem}") from problem
    return column


def _checked_ages(age: ArrayLike, n: int) -> NDArray[np.int64]:
    ages = np.asarray(age)
    if ages.shape != (n,) or (n and ages.dtype.kind not in "iu"):
        raise InputError(f"age has shape {ages.shape} of {ages.dtype}, must be ({n},) of integer µs without nulls")
    return ages.astype(np.int64)
