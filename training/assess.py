"""Assessment: a finished bundle against the rules and the base rate in a period of one's own choosing."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from features import hygiene, hygiene_settings, labels, snapshots
from leadlight import durations
from leadlight.bundle import Bundle
from leadlight.errors import InputError
from leadlight.instants import iso
from leadlight.workspace import TablesInfo, Workspace
from scoring import batch
from training import evaluate, record
from training.comparison import Comparison


@dataclass(frozen=True, slots=True)
class Assessed:
    """A bundle in a period.

    Attributes:
        bundle: what was assessed.
        comparison: model (what the bundle serves), rules and base rate on the mature snapshots; the base rate is that
            which was known at the bundle's cut, where one was.
        predictions: every open snapshot of the period with the columns of `training.predictions` and `age` (int64 µs);
            label null where censored. A success is a label 1 even where its horizon has not ended yet.
        start: µs UTC.
        end: µs UTC; the end of the record where that comes first.
        mature_until: snapshots at or before it enter the comparison: their whole horizon was observed, µs UTC.
        notes: what must be known to read the figures, in sentences.
    """

    bundle: Bundle
    comparison: Comparison
    predictions: pl.DataFrame
    start: int
    end: int
    mature_until: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Give what `reports/evaluation.json` holds."""
        scorer = self.bundle.scorer
        return {
            "bundle": self.bundle.version,
            "kind": scorer.kind,
            "target": scorer.target,
            "horizon_us": scorer.horizon_us,
            "from": iso(self.start),
            "to": iso(self.end),
            "mature_until": iso(self.mature_until),
            "snapshots": self.predictions.height,
            "censored": self.predictions["label"].null_count(),
            "immature": self.predictions.filter(pl.col("as_of") > self.mature_until).height,
            "n_test": self.comparison.rows,
            "positives": self.comparison.positives,
            "verdict": evaluate.verdict(self.comparison, who=record.called(self.bundle)),
            "notes": list(self.notes),
            "comparison": self.comparison.to_json(),
        }


def assess(
    workspace: Workspace, bundle: Bundle, start: int, end: int, *, ages_us: tuple[int, ...] | None = None, seed: int = 0
) -> Assessed:
    """Score every open snapshot of a period and compare on the mature ones.

    Args:
        workspace: holds the tables.
        bundle: a verified bundle.
        start: first as_of, µs UTC.
        end: as_of lies before it, µs UTC.
        ages_us: ages of the snapshots; None = those that the bundle was tested on.
        seed: of intervals and calibration bars.

    Raises:
        InputError: the period is empty or begins after the record, or the bundle does not say how it was trained.
    """
    info = workspace.tables_info()
    ends = min(end, info.observed_until + 1)  # a snapshot at the last instant of the record sees all of it
    if start >= ends:
        told = f"the record ends {iso(info.observed_until)}"
        raise InputError(f"--from {iso(start)} --to {iso(end)} is no period of the record ({told}); choose another")
    scorer, known = bundle.scorer, bundle.training
    ages = ages_us or tuple(known.get("ages_us", ()))
    base_rate = known.get("base_rate")
    if not ages:
        raise InputError(f"bundle `{bundle.version}` does not say how it was trained; train again")
    frame = scored(workspace, bundle, start, ends, ages)
    mature_until = info.observed_until - (scorer.horizon_us or 0)
    mature = frame.filter(pl.col("as_of") <= mature_until, pl.col("label").is_not_null())
    comparison = evaluate.compare(
        mature["label"].to_numpy(),
        {
            "model": mature["probability"].to_numpy(),
            "rules": mature["rule_probability"].to_numpy(),
            "base_rate": None if base_rate is None else [base_rate] * mature.height,
        },
        mature["lead_id"].to_numpy().astype(object),
        seed,
        age=mature["age"].to_numpy() if mature.height else None,
    )
    notes = _notes(bundle, info, start=start, end=end, immature=frame.height - mature.height)
    return Assessed(bundle, comparison, frame, start, ends, mature_until, notes)


def scored(workspace: Workspace, bundle: Bundle, start: int, end: int, ages_us: tuple[int, ...]) -> pl.DataFrame:
    """Score every open snapshot at some ages with as_of in [start, end), µs UTC; see `Assessed.predictions`."""
    scorer, observed_until = bundle.scorer, workspace.tables_info().observed_until
    tables = hygiene.tables_for(workspace, hygiene_settings.recorded(bundle.training))
    rows = snapshots.open_for(snapshots.scheduled(tables, ages_us, start, end), tables, scorer.target)
    rows = labels.attach(rows, tables, scorer.target, scorer.horizon_us, observed_until).drop("outcome_us")
    scores = batch.score_snapshots(tables, rows, bundle).drop("lead_id", "as_of")
    return pl.concat([rows.with_columns(target=pl.lit(scorer.target)), scores], how="horizontal")


def _notes(bundle: Bundle, info: TablesInfo, *, start: int, end: int, immature: int) -> tuple[str, ...]:
    notes = []
    cut = bundle.training.get("test_from")
    if cut is None or start < cut:
        told = (
            "does not say at which cut it was trained" if cut is None else f"was trained on what lies before {iso(cut)}"
        )
        notes.append(f"NOT out of time: bundle `{bundle.version}` {told}, so these figures flatter it")
    if info.clock == "order":
        notes.append("not point in time: this data has an order but no clock")
    if end > info.observed_until + 1:
        notes.append(f"the record ends {iso(info.observed_until)}: no snapshot after that is scored")
    if immature:
        notes.append(
            f"{immature:,} snapshots are scored but not measured: their horizon "
            f"({durations.write(bundle.scorer.horizon_us or 0)}) ends after the record"
        )
    return tuple(notes)
