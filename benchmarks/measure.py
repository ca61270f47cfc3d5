"""One question, answered: ingest, train, and compare every scorer and the plain reference on the same rows."""

import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.plain import Predictions
from benchmarks.sets import Question
from features.catalog import CatalogSettings
from leadlight.errors import InputError
from leadlight.ingest.pipeline import ingest
from leadlight.workspace import Workspace
from rules import parse
from training.comparison import Comparison
from training.evaluate import compare
from training.options import Options
from training.pipeline import Trained, train
from training.split import Split

Say = Callable[[str], None]
Progress = Callable[[int, int], None]

ROOT: Final = Path(__file__).parents[1]
KEY: Final = "LEADLIGHT_SIGNING_KEY"
RIVALS: Final = ("rules", "logistic", "odoo", "base_rate")


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to one question.

    Attributes:
        question: what was asked.
        kind: of the scorer that was shipped.
        why: why this kind.
        comparison: every scorer on the same rows; the reference is `model`, or `shipped` where no model was fitted.
        split: the instants used.
        train: rows, positives and leads that were learnt from.
        plain_train: rows and positives that the plain reference learnt from.
        facts: figures counted in the raw files.
        tables: rows per ingested table.
        settings: seed, trials and what tuning chose.
        reasons_max_error: largest |base + contributions - log-odds| over the test rows of the training.
        seconds: wall time.
    """

    question: Question
    kind: str
    why: str
    comparison: Comparison
    split: Split
    train: Mapping[str, int]
    plain_train: Mapping[str, int]
    facts: Mapping[str, int]
    tables: Mapping[str, int]
    settings: Mapping[str, Any]
    reasons_max_error: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "data_set": self.question.key,
            "target": self.question.target,
            "horizon_us": self.split.horizon_us,
            "test_from": self.question.test_from,
            "until": None if self.split.horizon_us is None else self.split.until,
            "ages_us": list(self.question.ages_us),
            "allowed": list(self.question.allow),
            "kind": self.kind,
            "why": self.why,
            "train": dict(self.train),
            "plain_train": dict(self.plain_train),
            "facts": dict(self.facts),
            "tables": dict(self.tables),
            "settings": dict(self.settings),
            "reasons_max_error": self.reasons_max_error,
            "seconds": self.seconds,
            "comparison": self.comparison.to_json(),
        }


@contextmanager
def throw_away_key() -> Iterator[None]:
    """Sign with a key that lives as long as the block, unless one is set: the user's config folder is not touched."""
    if KEY in os.environ:
        yield
        return
    os.environ[KEY] = secrets.token_hex(32)
    try:
        yield
    finally:
        del os.environ[KEY]


def measure(question: Question, data: Path, *, say: Say | None = None, progress: Progress | None = None) -> Measured:
    """Answer one question in a workspace that is thrown away.

    Args:
        question: what is asked.
        data: holds the folders of the data sets.
        say: told what begins, in one line.
        progress: called with (trials done, trials) while tuning.

    Raises:
        LeadlightError: the data do not fit the mapping, or the reference does not have the product's rows.
    """
    start = time.perf_counter()
    example, raw = ROOT / "examples" / question.folder, data / question.folder
    with tempfile.TemporaryDirectory() as scratch, throw_away_key():
        workspace = Workspace.at(Path(scratch) / "workspace")
        if say is not None:
            say("ingest")
        report = ingest(example / "mapping.yaml", raw, workspace)
        options = options_of(question, parse.read(example / "card.yaml"))
        trained = train(workspace, options, say=say, progress=progress)
        if say is not None:
            say("the plain reference on the same rows")
        reference = question.plain(raw, trained.split)
        return Measured(
            question=question,
            kind=trained.bundle.scorer.kind,
            why=trained.why,
            comparison=compared(question, trained, reference, options.seed),
            split=trained.split,
            train=trained.bundle.training["train"],
            plain_train={"rows": reference.train_rows, "positives": reference.train_positives},
            facts=question.facts(raw, trained.split) if question.facts else {},
            tables=report.tables,
            settings={"seed": options.seed, "trials": options.trials, **_chosen(trained)},
            reasons_max_error=trained.reasons_max_error,
            seconds=round(time.perf_counter() - start, 1),
        )


def options_of(question: Question, card: parse.Card) -> Options:
    """Give what training is asked for: the defaults, but for the question itself."""
    return Options(
        target=question.target,
        test_from=question.test_from,
        card=card,
        horizon_us=question.horizon_us,
        ages_us=question.ages_us,
        features=CatalogSettings(drop=question.drop),
        allow=dict.fromkeys(question.allow, "the benchmark asks what they would add"),
    )


def _chosen(trained: Trained) -> dict[str, Any]:
    """Give what tuning and calibration chose, from the training side only; empty where no model was fitted."""
    return {name: trained.bundle.training[name] for name in ("recipe", "calibrator") if name in trained.bundle.training}


def compared(question: Question, trained: Trained, reference: Predictions, seed: int) -> Comparison:
    """Compare every scorer of the training, and the plain reference, on the question's rows.

    Raises:
        InputError: the reference does not have the same rows with the same labels.
    """
    rows = trained.test
    if question.only_new:
        rows = rows.filter(pl.col("as_of") - pl.col("age") >= trained.split.cut)
    rows = with_reference(rows, reference, question.key)
    ours = "model" if trained.bundle.scorer.kind == "lightgbm" else "shipped"
    scores = {ours: rows["model"].to_numpy(), "plain": rows["plain"].to_numpy()}
    return compare(
        rows["label"].to_numpy(),
        {**scores, **{name: rows[name].to_numpy() for name in RIVALS}},
        rows["lead_id"].to_list(),
        seed,
        reference=ours,
        age=rows["age"].to_numpy() if question.ages_us else None,
    )


def with_reference(rows: pl.DataFrame, reference: Predictions, where: str) -> pl.DataFrame:
    """Put the reference's probabilities beside the product's test rows, as a column `plain`.

    Args:
        rows: lead_id, as_of (µs), label and more.
        reference: its rows, in any order.
        where: named in errors.

    Raises:
        InputError: the two do not have the same rows with the same labels.
    """
    theirs = pl.DataFrame(
        {"lead_id": reference.lead_id, "plain": reference.probability, "plain_label": reference.label}
    )
    keys = ["lead_id"]
    if reference.as_of is not None:
        keys.append("as_of")
        theirs = theirs.with_columns(as_of=pl.Series(reference.as_of.astype(np.int64)))
    joined = rows.join(theirs, on=keys, how="left", validate="1:1", maintain_order="left")
    missing = joined["plain"].null_count()
    if missing or theirs.height != rows.height:
        raise InputError(
            f"{where}: the product tests {rows.height:,} rows, the plain reference {theirs.height:,}, which lack "
            f"{missing:,} of the product's; both must test the same rows"
        )
    differing = joined.filter(pl.col("label") != pl.col("plain_label")).height
    if differing:
        raise InputError(f"{where}: product and plain reference give {differing:,} test rows different labels")
    return joined.drop("plain_label")
