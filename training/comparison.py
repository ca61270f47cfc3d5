"""What comparing scorers on the same rows gives: estimates, paired differences, and the plain sentence about them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

Metric = Literal["auc", "log_loss", "brier", "ece", "lift10"]
Verdict = Literal["better", "worse", "not distinguishable"]

METRICS: Final[tuple[Metric, ...]] = ("auc", "log_loss", "brier", "ece", "lift10")
LARGER_IS_BETTER: Final[frozenset[Metric]] = frozenset({"auc", "lift10"})
# What "the model beats the rules" is decided on.
DECISIVE: Final[tuple[Metric, ...]] = ("log_loss", "auc")
# What depends on the order of leads alone, and the AUC of none.
ORDER: Final[tuple[Metric, ...]] = ("auc", "lift10")
NO_ORDER: Final = 0.5
# Of every interval.
LEVEL: Final = 0.95

METRIC_NAMES: Final[dict[Metric, str]] = {
    "auc": "AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "ECE",
    "lift10": "top-decile lift",
}
SCORER_NAMES: Final[dict[str, str]] = {
    "model": "the model",
    "rules": "the rule score",
    "logistic": "logistic regression",
    "odoo": "Odoo's naive Bayes",
    "base_rate": "the base rate",
    "oracle": "the true probability",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric with its interval.

    Attributes:
        value: on the rows themselves.
        low: lower end of the interval; None where too few replicates define the metric.
        high: upper end; None likewise.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of the reference scorer minus that of another, on the same rows.

    Attributes:
        value: on the rows themselves.
        low: lower end of the paired interval; None where too few replicates define it.
        high: upper end; None likewise.
        standard_error: standard deviation over the replicates; None likewise.
        probability_better: share of replicates in which the reference is better, a draw counting one half, or None.
        verdict: for the reference; `not distinguishable` unless the interval excludes zero.
    """

    value: float
    low: float | None
    high: float | None
    standard_error: float | None
    probability_better: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scorers on the same rows. Metric and scorer names are keys; None stands for "not defined on these rows".

    Attributes:
        age_us: the scheduled age of all rows in µs; None where ages are mixed or unknown.
        rows: number of rows.
        leads: number of different leads.
        positives: number of rows with outcome 1.
        reference: the scorer that differences are taken for.
        metrics: metric -> scorer -> estimate.
        differences: metric -> other scorer -> reference minus other; None of all where the rows have one outcome only.
        ece_bar: scorer -> ECE that a perfect model with these predictions stays below in 95 of 100 test sets, at all
            ages together where there are several (see `training.evaluate`); None for mixed ages, where rows of one lead
            depend on each other.
        ece_limit: the bar of a large slice.
        ece_ok: scorer -> whether its ECE is at most the larger of bar and limit; with ages, at every single age.
        by_age: the same per scheduled age, youngest first; empty where no ages were given.
    """

    age_us: int | None
    rows: int
    leads: int
    positives: int
    reference: str
    metrics: Mapping[Metric, Mapping[str, Estimate | None]]
    differences: Mapping[Metric, Mapping[str, Difference | None]]
    ece_bar: Mapping[str, float | None]
    ece_limit: float
    ece_ok: Mapping[str, bool | None]
    by_age: tuple["Comparison", ...] = ()

    def verdict(self, metric: Metric, other: str) -> Verdict | None:
        """Say how the reference compares with another scorer; None where the metric is not defined."""
        difference = self.differences[metric].get(other)
        return None if difference is None else difference.verdict

    def better_than(self, other: str, by: Sequence[Metric] = DECISIVE) -> bool:
        """Whether the reference is better than another scorer in every one of the metrics."""
        return all(self.verdict(metric, other) == "better" for metric in by)

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts, lists and finite numbers."""
        data = asdict(replace(self, by_age=()))
        data["by_age"] = [part.to_json() for part in self.by_age]
        return data


def verdict(comparison: Comparison, *, who: str | None = None) -> str:
    """Say in plain sentences whether the reference beats the rules and each other scorer, and whether it is calibrated.

    The oracle is a yardstick, not a rival: only the distance to it is told.

    Args:
        comparison: what was measured.
        who: what the reference is called, such as "the scorecard"; None = by its place, which is "the model".
    """
    who = _name(comparison.reference) if who is None else who
    if comparison.positives in {0, comparison.rows}:
        return (
            f"Nothing can be said: {comparison.rows:,} test rows of {comparison.leads:,} leads with "
            f"{comparison.positives:,} positive; a comparison needs both outcomes."
        )
    ground = (
        f"On {comparison.rows:,} test rows of {comparison.leads:,} leads ({comparison.positives:,} positive) "
        f"with paired {LEVEL:.0%} intervals over leads:"
    )
    rivals = [name for name in comparison.differences["log_loss"] if name != "oracle"]
    told = [_against(comparison, who, other) for other in rivals]
    return " ".join([ground, *told, _oracle(comparison, who), _calibration(comparison, who)]).replace("  ", " ").strip()


def _name(scorer: str) -> str:
    return SCORER_NAMES.get(scorer, f"`{scorer}`")


def _against(comparison: Comparison, who: str, other: str) -> str:
    """Tell one rival in one sentence, with every metric in exactly one of three lists.

    What tells leads apart exactly as a rival does, as a base rate beside another one, can neither beat it nor fail to:
    only their probabilities are compared.
    """
    lists = _lists(comparison, other)
    if not any(lists.values()):
        return f"{_name(other)[:1].upper()}{_name(other)[1:]} could not be compared."
    begins, ends = f"{who[:1].upper()}{who[1:]}", "" if who.endswith("s") else "s"
    if _same(comparison, other, METRICS):
        return f"{begins} and {_name(other)} do not differ in any figure."
    if _same(comparison, other, ORDER):
        told = _told({word: [name for name in names if name not in ORDER] for word, names in lists.items()})
        if _flat(comparison, comparison.reference) and _flat(comparison, other):
            return f"{begins} give{ends} every lead one probability, as {_name(other)} does: {told}."
        return f"{begins} tell{ends} leads apart just as {_name(other)} does; of the probabilities: {told}."
    beats = f"beat{ends}" if comparison.better_than(other) else f"do{'es' if ends else ''} not beat"
    return f"{begins} {beats} {_name(other)} ({_told(lists)})."


def _lists(comparison: Comparison, other: str) -> dict[Verdict, list[Metric]]:
    """Put every metric but ECE, which is told by its bar, under its verdict."""
    lists: dict[Verdict, list[Metric]] = {"better": [], "worse": [], "not distinguishable": []}
    for metric in METRICS:
        found = comparison.verdict(metric, other)
        if found is not None and metric != "ece":
            lists[found].append(metric)
    return lists


def _told(lists: Mapping[Verdict, Sequence[Metric]]) -> str:
    return "; ".join(
        f"{word} in {_listed([METRIC_NAMES[one] for one in names])}" for word, names in lists.items() if names
    )


def _same(comparison: Comparison, other: str, by: Sequence[Metric]) -> bool:
    """Whether no replicate differs in these metrics."""
    found = [comparison.differences[metric].get(other) for metric in by]
    return all(one is not None and one.value == one.low == one.high == 0 for one in found)


def _flat(comparison: Comparison, scorer: str) -> bool:
    """Whether a scorer has the AUC of one probability for every lead, in every replicate."""
    found = comparison.metrics["auc"].get(scorer)
    return found is not None and found.value == found.low == found.high == NO_ORDER


def _oracle(comparison: Comparison, who: str) -> str:
    difference = comparison.differences["auc"].get("oracle")
    if difference is None:
        return ""
    side = "below" if difference.value < 0 else "above"
    return f"The AUC of {who} is {abs(difference.value):.3f} {side} that of {_name('oracle')}."


def _calibration(comparison: Comparison, who: str) -> str:
    fine = comparison.ece_ok[comparison.reference]
    if fine is None:
        return ""
    where = " at every age" if comparison.by_age else ""
    if fine:
        return f"The calibration error of {who} is within its bar{where}."
    return f"The calibration error of {who} is NOT within its bar{where}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
