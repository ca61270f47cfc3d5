"""What a model card says of the results: the headline, the comparison, the probabilities, the ranking."""

from typing import Final

import numpy as np
import polars as pl

from leadlight.phrases import counted, measured
from training import model_card_plots as plots
from training.comparison import DECISIVE, METRIC_NAMES, METRICS, Comparison, Difference, Estimate, Metric, verdict
from training.curves import gains_curve
from training.model_card_input import CardInput, Standing
from training.model_card_parts import (
    DASH,
    Markup,
    Tone,
    absent,
    bullets,
    capital,
    figure,
    legend,
    note,
    paragraph,
    pill,
    section,
    table,
    tiles,
)
from training.split import age_named, at_age

TONES: Final[dict[Standing, Tone]] = {"better": "good", "worse": "bad", "partly": "unsure", "same": "unsure"}
VERDICTS: Final[dict[str, Tone]] = {"better": "good", "worse": "bad", "not distinguishable": ""}
FORESTS: Final[tuple[Metric, ...]] = ("auc", "log_loss", "lift10")
TILES: Final[tuple[tuple[Metric, str, int], ...]] = (
    ("auc", "AUC", 3),
    ("lift10", "Times the average in the best tenth", 1),
)
SHARES: Final = (0.05, 0.1, 0.2, 0.3, 0.5)
# Below so many positives a figure is told, with the remark that it may move.
FEW_POSITIVES: Final = 100
MOST_AGES: Final = 6


def headline(card: CardInput) -> Markup:
    """Say in words what can be relied on."""
    comparison = card.comparison
    parts = [*_ground(card)]
    if not card.one_class:
        parts += [bullets(_findings(card)), tiles(_boxes(card))]
        if comparison.positives < FEW_POSITIVES:
            told = f"Only {_won(card)} {card.reached}: the intervals are wide for it."
            parts.append(note("warn", told))
    if card.unresolved:
        names = ", ".join(f"`{name}`" for name in card.unresolved)
        parts.append(note("bad", f"Do not promote it: the audit found a leak that is not resolved ({names})."))
    if not card.timed:
        parts.append(note("warn", "Not point in time: the data has an order of rows and no clock."))
    return section("verdict", _title(card), *parts, css=f"verdict {TONES.get(card.standing, '')}")


def _title(card: CardInput) -> str:
    who = capital(card.who)
    comparison = card.comparison
    good = [METRIC_NAMES[m] for m in DECISIVE if comparison.verdict(m, "rules") == "better"]
    titles: dict[Standing, str] = {
        "better": f"{who} tells leads apart better than the rule card, and by more than chance explains.",
        "partly": f"{who} is better than the rule card in {' and '.join(good)} only: not shown to beat it.",
        "same": f"{who} cannot be told apart from the rule card: do not rely on it more than on the rules.",
        "worse": f"{who} is worse than the rule card: rely on the rules.",
        "no model": f"There is no model: the {_answering(card)} answers.",
        "nothing": "Nothing can be said of this training yet.",
    }
    return titles[card.standing]


def _answering(card: CardInput) -> str:
    return "rule card" if card.bundle.scorer.kind == "rules" else "base rate"


def _ground(card: CardInput) -> list[Markup]:
    comparison = card.comparison
    if comparison.rows == 0:
        return [paragraph("No snapshot after the cut has a known outcome, so there is nothing to test on.")]
    tested = (
        f"Tested on {comparison.rows:,} snapshots of {comparison.leads:,} leads that came after everything it learnt "
        f"from; {_won(card)} {card.reached}."
    )
    if card.one_class:
        return [paragraph(tested, " A comparison needs both outcomes.")]
    return [paragraph(tested)]


def _won(card: CardInput) -> str:
    """Count the successes: snapshots, and the leads that they are of."""
    return f"{counted(card.comparison.positives, 'snapshot')} of {counted(card.won_leads, 'lead')}"


def _findings(card: CardInput) -> list[str]:
    """Say how the reference stands against the rules, what the best tenth yields, and whether probabilities hold."""
    said = [_against_rules(card, metric) for metric in DECISIVE]
    return [*(text for text in said if text), *_best_tenth(card), _calibrated(card)]


def _against_rules(card: CardInput, metric: Metric) -> str | None:
    mine, rules = (card.comparison.metrics[metric].get(name) for name in ("model", "rules"))
    difference = card.comparison.differences[metric].get("rules")
    if mine is None or rules is None or difference is None:
        return None
    meaning = {
        "auc": "how often a snapshot that succeeds is ranked before one that does not",
        "log_loss": "what its probabilities cost, smaller is better",
    }[metric]
    own, other = measured(mine.value, rules.value)
    return (
        f"{capital(METRIC_NAMES[metric])} ({meaning}): {own} against {other} of the rules, a difference of "
        f"{_with_ends(difference)}: {difference.verdict}."
    )


def _with_ends(found: Difference) -> str:
    if found.low is None or found.high is None:
        return f"{measured(found.value, sign='+')[0]} (too few outcomes for an interval)"
    value, low, high = measured(found.value, found.low, found.high, sign="+")
    return f"{value} (95 % interval {low} to {high})"


def _best_tenth(card: CardInput) -> list[str]:
    comparison = card.comparison
    rate = comparison.positives / comparison.rows
    lifts = {name: comparison.metrics["lift10"].get(name) for name in ("model", "rules")}
    mine, rules = lifts["model"], lifts["rules"]
    if mine is None or rules is None:
        return []
    of_rules = f"of the tenth that the rules put first {rules.value * rate:.0%}; of all {rate:.1%}"
    return [f"Of the tenth of snapshots with the best scores {mine.value * rate:.0%} {card.reached}; {of_rules}."]


def _calibrated(card: CardInput) -> str:
    fine = card.comparison.ece_ok["model"]
    if fine is None:
        return "Whether its probabilities mean what they say could not be measured."
    if fine:
        return _within(card)
    ages = [age_named(part.age_us) for part in _ages(card.comparison) if part.ece_ok["model"] is False]
    where = f" at age {', '.join(ages)}" if card.timed else ""
    return f"Do not read its probabilities as shares: their error{where} is larger than chance gives. The order counts."


def _within(card: CardInput) -> str:
    """Say which bar the error keeps to: what chance gives, or what is small enough whatever chance gives."""
    parts = _ages(card.comparison)
    by_chance = all(
        error.value <= bar
        for part in parts
        if (error := part.metrics["ece"]["model"]) is not None and (bar := part.ece_bar["model"]) is not None
    )
    where = f"at every age that was tested (up to {card.oldest}) its error is" if card.timed else "its error is"
    if by_chance:
        return f"A probability means what it says: {where} within what chance alone gives."
    return (
        f"A probability means nearly what it says: {where} at most {card.comparison.ece_limit:g} (ECE) or within what "
        "chance alone gives, and not everywhere the latter."
    )


def _boxes(card: CardInput) -> list[tuple[str, str, str]]:
    comparison = card.comparison
    boxes = []
    for metric, name, digits in TILES:
        mine, rules = (comparison.metrics[metric].get(scorer) for scorer in ("model", "rules"))
        if mine is not None and rules is not None:
            boxes.append((name, f"{mine.value:.{digits}f}", f"rules {rules.value:.{digits}f}"))
    ages = [part for part in _ages(comparison) if part.ece_ok["model"] is not None]
    fine = sum(bool(part.ece_ok["model"]) for part in ages)
    boxes.append(("Ages with honest probabilities", f"{fine} of {len(ages)}", "calibration error within its bar"))
    boxes.append(("Tested on", f"{comparison.leads:,}", f"leads, {comparison.rows:,} snapshots"))
    return boxes


def _ages(comparison: Comparison) -> tuple[Comparison, ...]:
    return comparison.by_age or (comparison,)


def compared(card: CardInput) -> Markup:
    """Compare every scorer with intervals."""
    comparison = card.comparison
    if comparison.rows == 0:
        return section("comparison", "Against the rules and others", absent("There is no test row to compare on."))
    charts = [
        ("", plots.forest(comparison, metric, card.who))
        for metric in FORESTS
        if any(comparison.metrics[metric].values())
    ]
    told = (
        "A dot is the value on the test rows, the line its 95 % interval over replicates that draw whole leads. AUC "
        "and lift: to the right is better; log loss: to the left."
    )
    if card.one_class:
        told = "A dot is the value on the test rows. With one outcome only there are no intervals and no differences."
    return section(
        "comparison",
        "Against the rules and others",
        paragraph(_verdict(card)),
        figure(told, charts, legend(("model", card.who), ("rules", "the rule score"), ("", "others"))),
        _metric_table(card),
        *([] if card.one_class else [_difference_table(card)]),
        *(note("", f"{capital(told)}.") for told in card.training.get("simplified", ())),
    )


def _verdict(card: CardInput) -> str:
    return verdict(card.comparison, who=card.who)


def _metric_table(card: CardInput) -> Markup:
    metrics = card.comparison.metrics
    scorers = [name for name in metrics["auc"] if any(metrics[metric].get(name) for metric in METRICS)]
    rows = [[_named(card, name), *(_estimate(metrics[m].get(name)) for m in METRICS)] for name in scorers]
    ends = "" if card.one_class else ", with 95 % intervals"
    caption = f"All scorers on the same {card.comparison.rows:,} rows{ends}."
    place = scorers.index("model") if "model" in scorers else None
    return table(caption, ["scorer", *(METRIC_NAMES[m] for m in METRICS)], rows, ours=place)


def _named(card: CardInput, scorer: str) -> str:
    return card.who.removeprefix("the ") if scorer == "model" else plots.scorer_name(scorer)


def _estimate(found: Estimate | None) -> str:
    if found is None:
        return DASH
    if found.low is None or found.high is None:
        return measured(found.value)[0]
    value, low, high = measured(found.value, found.low, found.high)
    return Markup(f"{value}<small>{low} to {high}</small>")


def _difference_table(card: CardInput) -> Markup:
    differences = card.comparison.differences
    others = [name for name in differences["auc"] if any(differences[metric].get(name) for metric in METRICS)]
    rows = [
        [_named(card, other), *(_difference(differences[metric].get(other)) for metric in METRICS)] for other in others
    ]
    caption = (
        f"{capital(card.who)} minus each other one, paired. Negative is good for log loss, Brier score and ECE, "
        "positive for AUC and lift."
    )
    return table(caption, ["against", *(METRIC_NAMES[m] for m in METRICS)], rows)


def _difference(found: Difference | None) -> str:
    if found is None:
        return DASH
    if found.low is None or found.high is None:
        value, ends = measured(found.value, sign="+")[0], ""
    else:
        value, low, high = measured(found.value, found.low, found.high, sign="+")
        ends = f"<small>{low} to {high}</small>"
    return Markup(f"{value}{ends}{pill(found.verdict, VERDICTS[found.verdict])}")


def probabilities(card: CardInput) -> Markup:
    """Show whether probabilities mean what they say, per age."""
    title = "Do the probabilities hold?"
    if card.comparison.rows == 0:
        return section("probabilities", title, absent("There is no test row to hold probabilities against."))
    pictures = _reliability(card)
    told = (
        "Each dot is a tenth of the rows: what was predicted, and the share that did reach the target, with a 95 % "
        "interval. On the dashed line both are the same; both axes stretch small shares. The bars below count the "
        "rows by predicted probability."
    )
    more = f" Drawn are the {MOST_AGES} ages with the most rows." if len(_ages(card.comparison)) > MOST_AGES else ""
    return section(
        "probabilities",
        title,
        paragraph(
            "Calibration is judged at every age by itself: errors of opposite sign would cancel in a pool. The bar is "
            "the error that a perfect model stays below in 95 of 100 test sets of this size, at all ages together."
        ),
        figure(told + more, pictures, legend(("model", card.who), ("rules", "the rule score"))),
        _calibration_table(card),
    )


def _reliability(card: CardInput) -> list[tuple[str, Markup]]:
    ages = sorted(sorted(_ages(card.comparison), key=lambda part: -part.rows)[:MOST_AGES], key=lambda p: p.age_us or 0)
    found: list[tuple[str, Markup]] = []
    for place, part in enumerate(ages):
        rows = card.test if part.age_us is None else card.test.filter(pl.col("age") == part.age_us)
        scores = {name: rows[name].to_numpy() for name in card.scores("model", "rules")}
        error = part.metrics["ece"]["model"]
        shown = DASH if error is None else f"{error.value:.3f}"
        at = at_age(part.age_us)
        title = f"Reliability {at}"
        drawn = plots.reliability(rows["label"].to_numpy(), scores, f"reliability-{place}", title)
        below = plots.histogram(scores["model"], f"histogram-{place}", f"Probabilities {at}")
        heading = Markup(f"{capital(at)} <span>ECE {shown}, bar {_bar(part):.3f}</span>")
        found.append((heading, Markup(drawn + below)))
    return found


def _bar(part: Comparison) -> float:
    return max(part.ece_bar["model"] or 0.0, part.ece_limit)


def _calibration_table(card: CardInput) -> Markup:
    rows = []
    for part in _ages(card.comparison):
        error, fine = part.metrics["ece"]["model"], part.ece_ok["model"]
        own = part.ece_bar["model"]
        told = DASH if fine is None else pill("within" if fine else "too large", "good" if fine else "bad")
        figures = [f"{part.rows:,}", f"{part.positives:,}", DASH if error is None else f"{error.value:.4f}"]
        rows.append(
            [age_named(part.age_us), *figures, DASH if own is None else f"{own:.4f}", f"{part.ece_limit:.2f}", told]
        )
    headings = ["age", "rows", "positives", "ECE", "bar of a perfect model", "bar of large slices", "verdict"]
    return table("Calibration error against its bar; the larger of the two bars counts.", headings, rows)


def ranking(card: CardInput) -> Markup:
    """Show gains and lift against the rules."""
    title = "Who comes first: lift and gains"
    if card.one_class:
        return section("ranking", title, absent("Lift and gains need test rows of both outcomes."))
    scores = card.scores("model", "rules", "oracle")
    told = (
        "Left: take the snapshots from the best score down; how many of all that succeed have been met? Right: how "
        "many times the average rate those taken so far have. A lead has a snapshot at every age it was tested at."
    )
    key = [("model", card.who), ("rules", "the rule score")]
    if "oracle" in scores:
        key.append(("", "the true probability, known because the market is simulated (dashed)"))
    charts = [("Cumulative gains", plots.gains(card.y, scores)), ("Lift", plots.lift(card.y, scores))]
    return section("ranking", title, figure(told, charts, legend(*key)), _share_table(card))


def _share_table(card: CardInput) -> Markup:
    rate = card.comparison.positives / card.comparison.rows
    curves = {name: gains_curve(card.y, p) for name, p in card.scores("model", "rules").items()}
    rows = []
    for share in SHARES:
        found = {name: float(np.interp(share, *curve)) for name, curve in curves.items()}
        cells = [f"{found[name]:.1%}" for name in curves]
        cells += [f"{found[name] * rate / share:.1%}" for name in curves]
        rows.append([f"best {share:.0%}", *cells])
    names = [_named(card, name) for name in curves]
    headings = ["snapshots taken", *(f"successes met, {name}" for name in names), *(f"rate, {name}" for name in names)]
    return table(f"What the best part of the snapshots yields (rate of all: {rate:.1%}).", headings, rows)
