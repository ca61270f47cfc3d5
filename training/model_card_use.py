"""What a model card says of the use: thresholds, what moves scores, segments, disjoint leads, intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.describe import meaning
from leadlight import durations
from leadlight.phrases import counted, measured
from scoring.scale import probabilities, widened
from scoring.wish import USUAL_RATE
from training import influence as influences
from training import model_card_plots as plots
from training import model_card_swarm as swarms
from training.comparison import METRIC_NAMES, Comparison, Metric
from training.disjoint import Disjoint
from training.influence import Influence
from training.model_card_input import CardInput
from training.model_card_making import borrowed, unsettled
from training.model_card_parts import (
    DASH,
    Markup,
    absent,
    code,
    figure,
    joined,
    legend,
    paragraph,
    pill,
    section,
    table,
)
from training.segments import LEAST_ROWS, Segment, Segmentation, segmentations

Floats = NDArray[np.float64]
Curve = Mapping[str, Any]

NO_USUAL_RANGE: Final = (0.0, 0.0)
MOST_THRESHOLDS: Final = 12
STEP: Final = 5
# From this rank correlation on a feature is said to go one way.
ONE_WAY: Final = 0.3
FIFTHS: Final = 5
OF_TEST: Final = " among the test rows"
SIDE_METRICS: Final[tuple[Metric, ...]] = ("auc", "log_loss", "ece")


def thresholds(card: CardInput) -> Markup:
    """Show leads a week against conversion."""
    title = "How many leads a week, and how many of them convert?"
    curves = {basis: card.bundle.thresholds.get(basis) for basis in ("model", "rules")}
    drawn = {basis: curve for basis, curve in curves.items() if curve and plots.tradeoff_rows(curve)}
    if "model" not in drawn:
        note = card.bundle.thresholds.get("note")
        why = note or "no threshold has enough first crossings whose outcome is known"
        return section("thresholds", title, absent(f"There is no curve of thresholds: {why}."))
    usual = USUAL_RATE if card.split.target == "sql" else NO_USUAL_RANGE
    key = [("model", f"by the score of {card.who}"), ("rules", "by rule points")]
    key += [("usual", f"usual range, {usual[0]:.0%} to {usual[1]:.0%}")] if any(usual) else []
    curve = drawn["model"]
    told = (
        f"Each threshold hands a lead over when its score first reaches it. Measured from {curve['from']} to "
        f"{curve['to']} ({curve['weeks']:.1f} weeks, {curve['new_leads']:,} new leads), after everything that was "
        f"learnt from; the bands are 95 % intervals. Numbers beside the lines are thresholds."
    )
    return section(
        "thresholds",
        title,
        paragraph(
            "The same number of leads a week can be chosen by the score or by rule points; what lies higher converts "
            f"better. A lead converts if it {card.reached}."
        ),
        figure(told, [("", plots.tradeoff(drawn, usual))], legend(*key), one=True),
        threshold_table(curve, drawn.get("rules")),
    )


def threshold_table(curve: Curve, rules: Curve | None) -> Markup:
    """Give some thresholds of a curve, and what as many leads chosen by rule points would convert."""
    rows = []
    for row in _shown_thresholds(plots.tradeoff_rows(curve)):
        same = DASH if rules is None else _at_volume(rules, row["mqls_per_week"])
        rate = Markup(f"{row['sql_rate']:.1%}<small>{row['low']:.1%} to {row['high']:.1%}</small>")
        wins = DASH if row["wins_share"] is None else f"{row['wins_share']:.0%}"
        known = f"{row['mature']:,}"
        rows.append([f"{row['threshold']:g}", f"{row['mqls_per_week']:,.1f}", rate, known, wins, same])
    headings = ["score from", "leads a week", "convert", "outcome known", "successes caught", "rules, as many leads"]
    return table("Thresholds of the score, and what as many leads chosen by rule points would convert.", headings, rows)


def _shown_thresholds(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Choose every fifth (or tenth, twentieth) threshold, lowest first."""
    ascending = sorted(rows, key=lambda row: row["threshold"])
    for step in (STEP, 2 * STEP, 4 * STEP, 8 * STEP):
        kept = [row for row in ascending if row["threshold"] % step == 0]
        if len(kept) <= MOST_THRESHOLDS:
            return kept or ascending[:MOST_THRESHOLDS]
    return kept[:MOST_THRESHOLDS]


def _at_volume(curve: Curve, volume: float) -> str:
    """Give the conversion of another score at a volume; nothing outside of what it was measured at."""
    rows = plots.tradeoff_rows(curve)
    volumes = [row["mqls_per_week"] for row in rows]
    if not volumes[0] <= volume <= volumes[-1]:
        return DASH
    return f"{np.interp(volume, volumes, [row['sql_rate'] for row in rows]):.1%}"


def moving(card: CardInput) -> Markup:
    """Show what moves scores."""
    title = "What moves scores"
    if card.comparison.rows == 0:
        return section("influence", title, absent("There is no test row to take scores apart."))
    scorer = card.bundle.scorer
    X = influences.columns_of(scorer, card.specs, card.X)
    found = influences.influence(scorer, X, card.points, card.seed)
    if not found.strongest(1):
        return section("influence", title, absent("Nothing moves scores: every lead has the same one."))
    sampled = "all" if len(found.points) == found.rows else f"{len(found.points):,} seeded ones of the"
    return section(
        "influence",
        title,
        paragraph(
            f"Taken from {sampled} {found.rows:,} test snapshots. The parts of a score add up to it exactly; ten "
            "points double the odds. What a part does is no proof of cause: it says what the score looks at."
        ),
        figure(
            "Each dot is a snapshot. To the right the part raised its score, to the left it lowered it, against the "
            "average lead. Where several parts measure nearly the same, they share one effect.",
            [("", swarms.swarm(found, card.seed))],
            legend(("low", "low value"), ("high", "high value"), ("qn", "not known, or a category")),
            one=True,
        ),
        figure(
            "By how many points a family as a whole moves a score on average. Families are steadier than features.",
            [("By family", swarms.family_bars(found))],
        ),
        _part_table(card, found),
    )


def _part_table(card: CardInput, found: Influence) -> Markup:
    meanings = {spec.name: meaning(spec) for spec in card.bundle.scorer.specs}
    meanings[influences.RULES] = "Points of the rule card."
    meanings[influences.CALIBRATION] = "A step behind all parts, which makes probabilities true."
    rows = []
    for place in found.strongest(swarms.MOST_PARTS):
        name = found.names[place]
        shown = name if name in {influences.RULES, influences.CALIBRATION} else code(name)
        rows.append([shown, meanings.get(name, ""), f"{found.mean[place]:.2f}", _way(found.direction(place))])
    most = f"The {len(rows)} strongest of {counted(len(found.names), 'part')}"
    caption = f"{most if len(rows) > 1 else 'The only part that moves scores'}, by mean absolute points."
    return table(caption, ["part", "what it is", "points", "more of it"], rows, texts=(1, 3))


def _way(direction: float | None) -> str:
    if direction is None:
        return DASH
    if abs(direction) < ONE_WAY:
        return "depends"
    return "raises" if direction > 0 else "lowers"


def segments(card: CardInput) -> Markup:
    """Show whether the model holds in every segment."""
    title = "Segments"
    found = segmentations(card.test, card.X, card.specs, card.seed) if card.comparison.rows else []
    if not found:
        told = absent("No stage or categorical attribute splits the test rows.")
        return section("segments", title, told, *borrowed(card.training))
    first = found[0]
    where = "" if first.age_us is None else f" at age {durations.write(first.age_us)}, where a lead counts once"
    key = legend(("model", "predicted"), ("", "observed, with its 95 % interval"))
    charts = [
        (joined("By ", code(one.attribute)), plots.segment_dots(one, f"segment-{k}")) for k, one in enumerate(found)
    ]
    return section(
        "segments",
        title,
        paragraph(f"Test rows{where}. {_judged(found)}"),
        figure("Observed share of each segment against its mean probability.", charts, key),
        *(part for one in found for part in (_segment_table(card, one), *unsettled(one.unsettled, OF_TEST))),
        *borrowed(card.training),
    )


def _judged(found: Sequence[Segmentation]) -> str:
    """Say how many segments are not as predicted, and how many would not be by chance."""
    judged = [segment for one in found for segment in one.segments if segment.judged]
    if not judged:
        return f"None of these segments is judged: none has {LEAST_ROWS} rows."
    off = sum(not segment.as_predicted for segment in judged)
    return (
        f"Of {counted(len(judged), 'segment')} with enough rows, {off} {'lies' if off == 1 else 'lie'} outside of "
        f"{'its' if off == 1 else 'their'} interval; about {0.05 * len(judged):.1f} would by chance alone."
    )


def _segment_table(card: CardInput, found: Segmentation) -> Markup:
    headings = [
        "segment",
        "leads",
        card.reached,
        "95 % interval",
        "predicted",
        "verdict",
        "ECE",
        "its bar",
        "AUC",
        "AUC of rules",
    ]
    return table(joined("By ", code(found.attribute), "."), headings, [_segment_row(part) for part in found.segments])


def _segment_row(found: Segment) -> list[str]:
    part = found.part
    observed = [f"{part.observed:.1%}", f"{part.low:.1%} to {part.high:.1%}"]
    if not found.judged:
        said: str = pill("too few to judge")
    elif found.as_predicted:
        said = pill("as predicted", "good")
    else:
        said = pill("less than predicted" if part.observed < part.expected else "more than predicted", "warn")
    errors = [f"{part.ece:.3f}", f"{max(part.bar, 0.0):.3f}"] if found.judged else [DASH, DASH]
    areas = [DASH if area is None or not found.judged else f"{area:.3f}" for area in (found.auc, found.auc_rules)]
    return [found.name, f"{part.rows:,}", *observed, f"{part.expected:.1%}", said, *errors, *areas]


def apart(card: CardInput) -> Markup:
    """Show whether the model holds on leads of which nothing was learnt."""
    title = "Leads it never saw"
    if not card.disjoint:
        return section("disjoint", title, absent("How it does on leads without a training snapshot was not measured."))
    parts: list[str] = [
        paragraph(
            "A lead may stand on both sides of the cut with outcome windows that do not overlap, as in use. If the "
            "model recognised leads instead of understanding them, it would be worse on the others."
        )
    ]
    parts.extend(_apart_told(found) for found in card.disjoint)
    told = [found for found in card.disjoint if found.apart.rows and found.shared]
    if not told:
        return section("disjoint", title, *parts)
    rows = [_apart_row("all test rows", card.comparison)]
    rows += [_apart_row("no shared lead", found.apart) for found in told]
    headings = ["rows", "snapshots", "leads", *(METRIC_NAMES[m] for m in SIDE_METRICS), "AUC against rules"]
    return section(
        "disjoint",
        title,
        *parts,
        table("The same scorer on all test rows, and without those that share something.", headings, rows),
    )


def _apart_told(found: Disjoint) -> Markup:
    if found.apart.rows == 0:
        return absent("Every test row shares a lead with the training side.")
    if not found.shared:
        return paragraph("No test row shares a lead with the training side: the figures above are those of new ones.")
    return paragraph(f"{found.shared:,} of {found.rows:,} test rows share a lead with the training side.")


def _apart_row(name: str, comparison: Comparison) -> list[str]:
    cells = [name, f"{comparison.rows:,}", f"{comparison.leads:,}"]
    for metric in SIDE_METRICS:
        found = comparison.metrics[metric].get("model")
        if found is None:
            cells.append(DASH)
        elif found.low is None or found.high is None:
            cells.append(measured(found.value)[0])
        else:
            value, low, high = measured(found.value, found.low, found.high)
            cells.append(Markup(f"{value}<small>{low} to {high}</small>"))
    difference = comparison.differences["auc"].get("rules")
    return [*cells, DASH if difference is None else f"{difference.value:+.3f}, {difference.verdict}"]


def intervals(card: CardInput) -> Markup:
    """Show how far one more known outcome would move a probability."""
    title = "How much does a probability hang on single outcomes?"
    if card.comparison.rows == 0 or card.bundle.scorer.interval is None:
        return section("intervals", title, absent("This bundle gives probabilities without an interval."))
    scorer = card.bundle.scorer
    chosen = influences.sample(len(card.points), influences.SAMPLE, card.seed)
    X = influences.columns_of(scorer, card.specs, card.X)[chosen]
    log_odds = scorer.log_odds(X, card.points[chosen])
    ends = scorer.interval_of(log_odds)
    if ends is None:
        return section("intervals", title, absent("This bundle gives probabilities without an interval."))
    likely = probabilities(log_odds)
    low, high = widened(*ends, likely)
    width = high - low
    told = (
        f"The interval (Venn-ABERS) of a probability is {np.median(width):.3f} wide in the median of test snapshots "
        f"and {np.quantile(width, 0.9):.3f} or more in a tenth of them."
    )
    meant = (
        " Its ends are the rates at this score if one more lead were known and had failed, or succeeded. Wide means "
        "that hardly any such lead is known; narrow does not mean that the true probability lies inside. As in every "
        "score, an interval is widened where needed to hold the probability itself."
    )
    return section("intervals", title, paragraph(told, meant), _width_table(likely, low, high))


def _width_table(likely: Floats, low: Floats, high: Floats) -> Markup:
    order = np.argsort(likely, kind="stable")
    rows = []
    for place, part in enumerate(np.array_split(order, FIFTHS)):
        if len(part):
            ends = [f"{likely[part].mean():.1%}", f"{low[part].mean():.1%}", f"{high[part].mean():.1%}"]
            rows.append([f"fifth {place + 1}", *ends, f"{(high - low)[part].mean():.3f}"])
    headings = ["by probability, lowest first", "mean probability", "lower end", "upper end", "mean width"]
    return table("Intervals by fifths of the test snapshots.", headings, rows)
