"""Two bundles on the same newest slice: each with its own features and hygiene, their differences paired.

The slice are the open, mature snapshots that neither bundle has learnt from: as_of at or after the later of the two
cuts, the whole horizon inside the record. Hygiene may set other leads aside for one bundle than for the other: only
snapshots that both score are compared, and how many are left out is told. Labels are those of the first one's tables.

The rules of the comparison are the first bundle's card with the probability that was fitted beside it.
"""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from features import hygiene, hygiene_settings, labels, snapshots
from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.workspace import Workspace
from scoring import batch
from training import evaluate
from training.comparison import DECISIVE, METRIC_NAMES, Comparison

# Names of the scorers in the comparison.
FIRST: Final = "a"
SECOND: Final = "b"
RULES: Final = "rules"
KEYS: Final = ("lead_id", "as_of")


@dataclass(frozen=True, slots=True)
class Slice:
    """Which snapshots are compared, in µs (UTC): as_of in [start, end), horizon ended at `observed_until`."""

    start: int
    end: int
    ages_us: tuple[int, ...]
    observed_until: int


@dataclass(frozen=True, slots=True)
class Versus:
    """A bundle against another, or against the rules alone.

    Attributes:
        a: the first bundle, which differences are taken for.
        b: the other; None = against the rules only.
        chosen: the slice.
        comparison: scorers `a`, `b` (where there is one) and `rules` on the snapshots that both score.
        only_a: mature snapshots that only the first bundle scores.
        only_b: mature snapshots that only the other scores.
        notes: what must be known to read the figures, in sentences.
    """

    a: Bundle
    b: Bundle | None
    chosen: Slice
    comparison: Comparison
    only_a: int
    only_b: int
    notes: tuple[str, ...]

    @property
    def other(self) -> str:
        """Name of the scorer that the first bundle has to stand up to."""
        return RULES if self.b is None else SECOND

    def told(self) -> bool:
        """Whether the slice can tell anything: it holds both outcomes."""
        return 0 < self.comparison.positives < self.comparison.rows

    def measured(self) -> bool:
        """Whether there are enough rows for an interval of the difference in every decisive metric."""
        differences = [self.comparison.differences[metric][self.other] for metric in DECISIVE]
        return all(found is not None and found.low is not None for found in differences)

    def worse_in(self) -> tuple[str, ...]:
        """Name the decisive metrics in which the first bundle is worse than the other beyond noise."""
        return tuple(METRIC_NAMES[m] for m in DECISIVE if self.comparison.verdict(m, self.other) == "worse")

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts, lists and finite numbers."""
        scorer = self.a.scorer
        found = self.comparison.to_json()
        return {
            "a": self.a.version,
            "b": None if self.b is None else self.b.version,
            "target": scorer.target,
            "horizon_us": scorer.horizon_us,
            "from": iso(self.chosen.start),
            "to": iso(self.chosen.end),
            "ages": [durations.write(age) for age in self.chosen.ages_us] if scorer.horizon_us is not None else [],
            "rows": self.comparison.rows,
            "leads": self.comparison.leads,
            "positives": self.comparison.positives,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "notes": list(self.notes),
            "metrics": found["metrics"],
            "differences": found["differences"],
        }


def same_question(a: Bundle, b: Bundle) -> bool:
    """Whether two bundles predict the same target within the same time."""
    return (a.scorer.target, a.scorer.horizon_us) == (b.scorer.target, b.scorer.horizon_us)


def compare(
    workspace: Workspace,
    a: Bundle,
    b: Bundle | None,
    *,
    start: int | None = None,
    end: int | None = None,
    ages_us: tuple[int, ...] | None = None,
    scored: pl.DataFrame | None = None,
    seed: int = 0,
) -> Versus:
    """Score the same newest slice by two bundles, or by one and its rules, and compare.

    Args:
        workspace: holds the tables.
        a: a verified bundle.
        b: another one that answers the same question; None = the rules only.
        start: first as_of, µs UTC; None = the later of the two cuts.
        end: as_of lies before it, µs UTC; None = the end of the record.
        ages_us: ages of the snapshots; None = those that both were tested on, or where there is none those of `a`.
        scored: what `a` says of mature snapshots where that is known already, those of the slice among them: lead_id,
            as_of (µs), age (µs), label, a, rules (probabilities).
        seed: of intervals.

    Raises:
        InputError: the bundles answer different questions, or one does not say how it was trained.
    """
    if b is not None and not same_question(a, b):
        raise InputError(
            f"`{a.version}` predicts {question(a)} and `{b.version}` {question(b)}: their probabilities mean different "
            "things and cannot be compared; choose bundles of one target and horizon"
        )
    chosen = _slice(workspace, a, b, start=start, end=end, ages_us=ages_us)
    first = _scored(workspace, a, chosen, FIRST) if scored is None else _of_slice(scored, chosen)
    second = None if b is None else _scored(workspace, b, chosen, SECOND)
    both = first if second is None else _joined(first, second)
    return Versus(
        a=a,
        b=b,
        chosen=chosen,
        comparison=_compared(both, seed),
        only_a=first.height - both.height,
        only_b=0 if second is None else second.height - both.height,
        notes=_notes(workspace, a, b, chosen, both),
    )


def question(bundle: Bundle) -> str:
    """Tell what a bundle predicts.

    >>> from types import SimpleNamespace
    >>> question(SimpleNamespace(scorer=SimpleNamespace(target="sql", horizon_us=86_400_000_000)))
    '`sql` within 1d'
    """
    within = "ever" if bundle.scorer.horizon_us is None else f"within {durations.write(bundle.scorer.horizon_us)}"
    return f"`{bundle.scorer.target}` {within}"


def _slice(
    workspace: Workspace,
    a: Bundle,
    b: Bundle | None,
    *,
    start: int | None,
    end: int | None,
    ages_us: tuple[int, ...] | None,
) -> Slice:
    observed = workspace.tables_info().observed_until
    bundles = [a] if b is None else [a, b]
    for bundle in bundles:
        if not bundle.training.get("ages_us") or bundle.training.get("test_from") is None:
            raise InputError(f"bundle `{bundle.version}` does not say how it was trained; train again")
    shared = set.intersection(*(set(bundle.training["ages_us"]) for bundle in bundles))
    ages = ages_us or tuple(sorted(shared)) or tuple(a.training["ages_us"])
    first = max(bundle.training["test_from"] for bundle in bundles) if start is None else start
    last = observed + 1 if end is None else min(end, observed + 1)
    if first >= last:
        raise InputError(
            f"nothing was recorded from {iso(first)} (the later cut, or --from) to {iso(last)} (the end of the record "
            "or of the test side, or --to): ingest newer data, or choose another period"
        )
    return Slice(first, last, ages, observed)


def _scored(workspace: Workspace, bundle: Bundle, chosen: Slice, name: str) -> pl.DataFrame:
    """Give lead_id, as_of, age, label, `name` and `name`_rules of the mature snapshots as a bundle sees the tables."""
    scorer = bundle.scorer
    tables = hygiene.tables_for(workspace, hygiene_settings.recorded(bundle.training))
    mature = min(chosen.end, chosen.observed_until + 1 - (scorer.horizon_us or 0))
    rows = snapshots.scheduled(tables, chosen.ages_us, chosen.start, mature)
    rows = snapshots.open_for(rows, tables, scorer.target)
    rows = labels.attach(rows, tables, scorer.target, scorer.horizon_us, chosen.observed_until)
    rows = rows.filter(pl.col("label").is_not_null()).select(*KEYS, "age", "label")
    scores = batch.score_snapshots(tables, rows, bundle)
    return rows.with_columns(scores["probability"].alias(name), scores["rule_probability"].alias(f"{name}_{RULES}"))


def _of_slice(scored: pl.DataFrame, chosen: Slice) -> pl.DataFrame:
    """Give those of the known scores that lie on the slice, named as `_scored` names them."""
    inside = pl.col("as_of").is_between(chosen.start, chosen.end, closed="left")
    return scored.filter(inside).rename({RULES: f"{FIRST}_{RULES}"})


def _joined(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Put the scores beside each other where both have one, with the label that the second one's tables give."""
    other = second.select(*KEYS, SECOND, other_label="label")
    return first.join(other, on=list(KEYS), how="inner").sort(*KEYS)


def _compared(both: pl.DataFrame, seed: int) -> Comparison:
    """Compare the scorers that there are, the first one against each other, over all ages together."""
    columns = {FIRST: FIRST, SECOND: SECOND, RULES: f"{FIRST}_{RULES}"}
    return evaluate.compare(
        both["label"].to_numpy(),
        {name: both[column].to_numpy() for name, column in columns.items() if column in both.columns},
        both["lead_id"].to_numpy().astype(object),
        seed,
        reference=FIRST,
        age=both["age"].to_numpy(),
        each_age=False,
    )


def _notes(workspace: Workspace, a: Bundle, b: Bundle | None, chosen: Slice, both: pl.DataFrame) -> tuple[str, ...]:
    found = [
        f"NOT out of time: bundle `{bundle.version}` was trained on what lies before "
        f"{iso(bundle.training['test_from'])}, so these figures flatter it"
        for bundle in (a, b)
        if bundle is not None and chosen.start < bundle.training["test_from"]
    ]
    if workspace.tables_info().clock == "order":
        found.append("not point in time: this data has an order but no clock")
    if "other_label" in both.columns:
        differing = both.filter(pl.col("label") != pl.col("other_label")).height
        if differing:
            found.append(f"{differing:,} outcomes differ by the hygiene of the two; those of `{a.version}` are used")
    return tuple(found)
