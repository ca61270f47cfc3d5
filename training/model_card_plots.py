"""The pictures of a model card: what is tested, how scorers compare, and whether probabilities hold. Drawn as SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight import metrics
from leadlight.instants import EPOCH
from leadlight.phrases import counted, measured
from leadlight.schema import DAY
from training.comparison import METRIC_NAMES, SCORER_NAMES, Comparison, Metric
from training.curves import gains_curve
from training.segments import Segmentation
from training.split import Split
from training.svg import LONGEST_LABEL, Axis, Chart, Margins, Markup, percent, rounded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Points of a curve: more would be thinner than the line.
CURVE_POINTS: Final = 101
MOST_BARS: Final = 60
MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)
MOST_DATES: Final = 9
# Lift of the very best few is chance.
LEAST_WORKED: Final = 0.02
# Of an axis of shares on the scale of log-odds.
SHARE_TICKS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.5, 0.8, 0.9, 0.97, 0.99)
LEAST_SHARE: Final = 0.0008
# A threshold is written beside the curve at most so often.
WRITTEN_THRESHOLDS: Final = 5
CLASSES: Final[dict[str, str]] = {"model": "model", "rules": "rules", "oracle": "truth"}


def timeline(known: tuple[Ints, Floats] | None, test: tuple[Ints, Floats], split: Split, name: str = "split") -> Markup:
    """Draw when the snapshots lie that were learnt from and tested on, and where outcomes were not known yet.

    Args:
        known: as_of (µs) and label of the training rows, shape (n,) each; None where they are not at hand.
        test: the same of the test rows.
        split: the cut, the horizon and the end.
        name: of the chart.
    """
    timed = split.horizon_us is not None
    begin = min([split.cut, *(int(part[0].min()) for part in (known, test) if part is not None and len(part[0]))])
    step = _bar_width(split.until - begin, timed=timed)
    begin = split.cut - -(-(split.cut - begin) // step) * step  # so that no bar stands on both sides of the cut
    sides = {"train": known or (np.empty(0, dtype=np.int64), np.empty(0)), "test": test}
    counted = {side: _binned(*rows, begin, step) for side, rows in sides.items()}
    top = max([1.0, *(float(total.max()) for _, total, _ in counted.values() if len(total))])
    x = Axis(begin, split.until, ticks=date_ticks(begin, split.until) if timed else (), write=_date)
    per = f"per {step // DAY} d" if timed else "per bar"
    chart = Chart(x, Axis(0, top * 1.04, f"snapshots {per}"), 960, 270, Margins(48, 34, 30, 66))
    _zones(chart, split)
    for side, (starts, totals, positives) in counted.items():
        gap = 0.08 * step
        for start, total, positive in zip(starts, totals, positives, strict=True):
            chart.box(start + gap, start + step - gap, 0, total, f"bar {side}")
            if positive:
                chart.box(start + gap, start + step - gap, 0, positive, "bar reached")
    chart.vertical(split.cut, "cut")
    chart.words((chart.across(begin) + chart.across(split.cut)) / 2, 16, "learnt from", "strong", "middle")
    chart.words((chart.across(split.cut) + chart.across(split.until)) / 2, 16, "tested on", "strong", "middle")
    chart.words(chart.across(split.cut), 34, "cut", "on", "middle")
    rows = [f"{side}: {int(totals.sum()):,} snapshots" for side, (_, totals, _) in counted.items()]
    return chart.svg(name, "The split on a line of time", f"Snapshots before and after the cut; {'; '.join(rows)}.")


def _zones(chart: Chart, split: Split) -> None:
    """Shade where outcomes were known only if they came quickly, and where they are not known at all."""
    if split.horizon_us is None:
        return
    chart.box(max(split.cut - split.horizon_us, chart.x.low), split.cut, 0, chart.y.high, "young")
    if split.until - split.horizon_us > split.cut:
        chart.box(split.until - split.horizon_us, split.until, 0, chart.y.high, "unknown")


def _bar_width(span: int, *, timed: bool) -> int:
    least = max(span / MOST_BARS, 1)
    if not timed:
        return math.ceil(least)
    return next((days * DAY for days in (1, 2, 7, 14, 28) if days * DAY >= least), math.ceil(least / DAY) * DAY)


def _binned(as_of: Ints, label: Floats, begin: int, step: int) -> tuple[Ints, Floats, Floats]:
    """Count rows and positives per bar: where bars begin, all, positives."""
    place = (as_of - begin) // step
    total = np.bincount(place).astype(np.float64) if len(place) else np.empty(0)
    positive = np.bincount(place, label).astype(np.float64) if len(place) else np.empty(0)
    kept = np.flatnonzero(total)
    starts: Ints = (begin + kept * step).astype(np.int64)
    return starts, total[kept], positive[kept]


def date_ticks(begin: int, end: int) -> tuple[float, ...]:
    """Give the beginnings of months between two instants, at most nine; of fewer than two, whole days at the ends.

    >>> [_date(tick) for tick in date_ticks(0, 70 * DAY)]
    ['1970-01', '1970-02', '1970-03']
    """
    first, last = (EPOCH + timedelta(microseconds=at) for at in (begin, end))
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    step = next((step for step in MONTHS if len(months) / step <= MOST_DATES), MONTHS[-1])
    starts = [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months if month % step == 0]
    ticks = [(start - EPOCH) // timedelta(microseconds=1) for start in starts]
    inside = tuple(float(tick) for tick in ticks if begin <= tick <= end)
    return inside if len(inside) > 1 else (float(begin - begin % DAY + DAY), float(end - end % DAY))


def _date(tick: float) -> str:
    at = EPOCH + timedelta(microseconds=int(tick))
    return f"{at:%Y-%m}" if at.day == 1 else f"{at:%Y-%m-%d}"


def reliability(y: Floats, scores: Mapping[str, Floats], name: str, title: str) -> Markup:
    """Draw observed against predicted rates in ten bins of equal mass, with 95 % Wilson intervals, both on log-odds.

    Args:
        y: outcomes, shape (n,), n >= 1, one row per lead.
        scores: scorer -> probabilities, shape (n,).
        name: of the chart.
        title: of the chart.
    """
    tables = {scorer: metrics.reliability(y, p) for scorer, p in scores.items()}
    ends = {
        scorer: np.array([metrics.wilson_interval(r * m, m) for r, m in zip(table.observed, table.mass, strict=True)])
        for scorer, table in tables.items()
    }
    seen = np.concatenate([[*table.predicted, *table.observed] for table in tables.values()])
    axis = _share_axis(seen, max(float(end.max()) for end in ends.values()))
    chart = Chart(replace(axis, label="predicted"), replace(axis, label="observed"), 330, 300, Margins(10, 20, 44, 60))
    chart.line((axis.low, axis.high), (axis.low, axis.high), "even")
    for scorer, table in reversed(tables.items()):
        css, across = CLASSES.get(scorer, ""), _odds(table.predicted)
        chart.whiskers(across, _odds(ends[scorer][:, 0]), _odds(ends[scorer][:, 1]), css)
        chart.dots(across, _odds(table.observed), css, 3.4)
    first = next(iter(tables.values()))
    told = ", ".join(
        f"{p:.3f} predicted, {o:.3f} observed in {m:.0f} rows"
        for p, o, m in zip(first.predicted, first.observed, first.mass, strict=True)
    )
    return chart.svg(name, title, f"{len(y):,} rows. {told}.")


def _odds(p: Floats) -> Floats:
    """Give log-odds; shares of 0 and 1 lie far outside of every axis."""
    kept = np.clip(p, 1e-9, 1 - 1e-9)
    found: Floats = np.log(kept) - np.log1p(-kept)
    return found


def _share_axis(seen: Floats, highest: float) -> Axis:
    """Give an axis of log-odds that shows all shares but 0 and 1, its ticks written as shares."""
    inside = seen[(seen > 0) & (seen < 1)]
    low = max(LEAST_SHARE, float(inside.min()) / 1.5) if len(inside) else LEAST_SHARE
    high = min(1 - LEAST_SHARE, max(highest * 1.1, 2 * low))
    ticks = [share for share in SHARE_TICKS if low <= share <= high] or [low]
    ends = _odds(np.array([low, high]))
    places = tuple(_odds(np.array(ticks)).tolist())
    return Axis(float(ends[0]), float(ends[1]), ticks=places, write=_share)


def _share(tick: float) -> str:
    """Write log-odds as a share.

    >>> _share(0.0), _share(-4.59512)
    ('50 %', '1 %')
    """
    return f"{100 / (1 + math.exp(-tick)):.3g} %"


def histogram(p: Floats, name: str, title: str) -> Markup:
    """Draw how many rows have which probability."""
    top = max(float(p.max()), 1e-6)
    counts, edges = np.histogram(p, bins=20, range=(0, top))
    x, y = Axis(0, top, ticks=()), Axis(0, float(counts.max()), ticks=(0.0, float(counts.max())))
    chart = Chart(x, y, 330, 62, Margins(6, 14, 6, 60))
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        if count:
            chart.box(float(low), float(high), 0, float(count), "bar count")
    return chart.svg(name, title, f"Probabilities of {len(p):,} rows between {p.min():.3f} and {p.max():.3f}.")


def gains(y: Floats, scores: Mapping[str, Floats], name: str = "gains") -> Markup:
    """Draw the share of positives found against the share of rows worked."""
    x = Axis(0, 1, "share of snapshots, best score first", write=percent)
    chart = Chart(x, Axis(0, 1, "share of positives found", write=percent), 460, 340, Margins(14, 22, 46, 56))
    chart.line((0, 1), (0, 1), "even")
    told = []
    at = np.linspace(0, 1, CURVE_POINTS)
    for scorer, p in reversed(list(scores.items())):
        worked, found = gains_curve(y, p)
        chart.line(at, np.interp(at, worked, found), CLASSES.get(scorer, ""))
        told.append(
            f"{scorer_name(scorer)}: {np.interp(0.2, worked, found):.0%} of positives in the best 20 % of snapshots"
        )
    return chart.svg(name, "Cumulative gains", f"{'; '.join(reversed(told))}.")


def lift(y: Floats, scores: Mapping[str, Floats], name: str = "lift") -> Markup:
    """Draw how many times the average rate the best-scored share of rows has."""
    at = np.linspace(LEAST_WORKED, 1, CURVE_POINTS)
    curves, told = {}, []
    for scorer, p in scores.items():
        worked, found = gains_curve(y, p)
        curves[scorer] = np.interp(at, worked, found) / at
        told.append(f"{scorer_name(scorer)}: {np.interp(0.1, worked, found) / 0.1:.2f} in the best tenth")
    top = max(1.2, *(float(curve.max()) for curve in curves.values()))
    x = Axis(0, 1, "share of snapshots, best score first", write=percent)
    chart = Chart(x, Axis(0, top * 1.05, "times the average rate"), 460, 340, Margins(14, 22, 46, 56))
    chart.line((0, 1), (1, 1), "even")
    for scorer, curve in reversed(curves.items()):
        chart.line(at, curve, CLASSES.get(scorer, ""))
    return chart.svg(name, "Lift", f"{'; '.join(told)}.")


def forest(comparison: Comparison, metric: Metric, who: str = "the model") -> Markup:
    """Draw a metric of every scorer with its interval, one line each; `who` is what the model is called."""
    found = [(scorer, estimate) for scorer, estimate in comparison.metrics[metric].items() if estimate is not None]
    lows = [estimate.value if estimate.low is None else estimate.low for _, estimate in found]
    highs = [estimate.value if estimate.high is None else estimate.high for _, estimate in found]
    room = 0.06 * (max(highs) - min(lows)) or 0.01
    names = [who.removeprefix("the ") if scorer == "model" else scorer_name(scorer) for scorer, _ in found]
    x = Axis(min(lows) - room, max(highs) + room, METRIC_NAMES[metric], write=rounded)
    chart = Chart(x, Axis.of_names(names), 340, 58 + 26 * len(found), Margins(6, 20, 42, 124))
    for place, ((scorer, estimate), low, high) in enumerate(zip(found, lows, highs, strict=True)):
        css = CLASSES.get(scorer, "")
        chart.spans([-place], [low], [high], css)
        chart.dots([estimate.value], [-place], css, 4)
    told = ", ".join(f"{scorer_name(scorer)} {measured(estimate.value)[0]}" for scorer, estimate in found)
    return chart.svg(f"forest-{metric.replace('_', '-')}", METRIC_NAMES[metric], f"{told}.")


def scorer_name(scorer: str) -> str:
    """Name a scorer without its article.

    >>> scorer_name("rules"), scorer_name("mine")
    ('rule score', 'mine')
    """
    return SCORER_NAMES.get(scorer, scorer).removeprefix("the ")


def tradeoff(curves: Mapping[str, Mapping[str, Any]], usual: tuple[float, float], name: str = "tradeoff") -> Markup:
    """Draw conversion against volume: one point per threshold whose crossings have known outcomes.

    Args:
        curves: `model` and `rules`, as `scoring.crossings.curve` gives them, each with a row that can be drawn.
        usual: the usual range of the conversion.
        name: of the chart.
    """
    rows = {basis: tradeoff_rows(curve) for basis, curve in curves.items()}
    most = max(row["mqls_per_week"] for own in rows.values() for row in own)
    top = min(1.0, 1.1 * max(row["high"] for own in rows.values() for row in own if row["mature"]))
    x = Axis(0, most * 1.02, "leads handed over a week")
    chart = Chart(x, Axis(0, top, "reach the target", write=percent), 960, 360, Margins(14, 20, 46, 66))
    chart.box(0, x.high, min(usual[0], top), min(usual[1], top), "usual")
    for basis, own in reversed(rows.items()):
        volume = [row["mqls_per_week"] for row in own]
        chart.band(volume, [row["low"] for row in own], [row["high"] for row in own], basis)
        chart.line(volume, [row["sql_rate"] for row in own], basis)
        written = _spread(own)
        chart.dots([row["mqls_per_week"] for row in written], [row["sql_rate"] for row in written], basis)
        for row in written:
            place = -9 if basis == "model" else 18
            at = chart.across(row["mqls_per_week"]), chart.up(row["sql_rate"]) + place
            chart.words(*at, f"{row['threshold']:g}", basis, "middle")
    told = [f"{basis}: {counted(len(own), 'threshold')}" for basis, own in rows.items()]
    return chart.svg(name, "Leads a week against conversion", f"{'; '.join(told)}. The table below has the figures.")


def tradeoff_rows(curve: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the rows of a curve with enough known outcomes, highest threshold first, as long as volume grows.

    Very low thresholds are crossed before the period begins: they hand fewer leads over, and nobody would choose them.
    """
    kept: list[Mapping[str, Any]] = []
    for row in sorted(curve["rows"], key=lambda row: -row["threshold"]):
        if row["mature"] >= curve["min_mature"] and (not kept or row["mqls_per_week"] > kept[-1]["mqls_per_week"]):
            kept.append(row)
    return kept


def _spread(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choose thresholds about equally far apart in volume, round ones where there are some."""
    most = rows[-1]["mqls_per_week"]
    tens = [row for row in rows if row["threshold"] % 10 == 0] or list(rows)
    chosen: list[Mapping[str, Any]] = []
    for row in tens:
        if not chosen or row["mqls_per_week"] - chosen[-1]["mqls_per_week"] >= most / (2 * WRITTEN_THRESHOLDS):
            chosen.append(row)
    return chosen


def segment_dots(found: Segmentation, name: str) -> Markup:
    """Draw the observed share of every segment with its interval, and what was predicted."""
    parts = [segment.part for segment in found.segments]
    names = [segment.name for segment in found.segments]
    top = min(1.0, 1.08 * max(max(part.high, part.expected) for part in parts))
    longest = min(max(len(text) for text in names), LONGEST_LABEL)
    margins = Margins(6, 20, 42, 30 + 6.0 * longest)
    x = Axis(0, top, "reach the target", write=percent)
    chart = Chart(x, Axis.of_names(names), 340, 58 + 26 * len(names), margins)
    places = [-float(place) for place in range(len(names))]
    chart.spans(places, [part.low for part in parts], [part.high for part in parts], "")
    chart.dots([part.observed for part in parts], places, "", 3.4)
    chart.dots([part.expected for part in parts], places, "model", 4.2)
    told = ", ".join(f"{part.value}: {part.observed:.3f} observed, {part.expected:.3f} predicted" for part in parts)
    return chart.svg(name, f"Segments by {found.attribute}", f"{told}.")
