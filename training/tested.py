"""Every scorer on the test rows of a training: its probabilities, how they compare, and whether reasons add up."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.schema import Target
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from scoring.scale import probabilities
from training import baselines, evaluate, odoo
from training.comparison import Comparison
from training.fitting import Progress
from training.ground import Ground
from training.rows import Rows, pieces
from training.split import Split
from training.tune import tuning_rows

Floats = NDArray[np.float64]
Oracle = Callable[[Sequence[str], NDArray[np.int64], Target, int], Floats]

# Logistic regression, whose rows are expanded into a column per category, is fitted on about so many.
REFERENCE_ROWS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Tested:
    """How every scorer does on the test rows.

    Attributes:
        frame: the rows with a column of probabilities per scorer.
        comparison: of them all.
        simplified: where one that the model is compared with is less than it could be, in sentences.
    """

    frame: pl.DataFrame
    comparison: Comparison
    simplified: tuple[str, ...]

    @property
    def model(self) -> Floats:
        """Probabilities of what was trained, shape (n,)."""
        return self.frame["model"].to_numpy()


def make(
    ground: Ground, scorer: Scorer, seed: int, *, progress: Progress | None = None, oracle: Oracle | None = None
) -> Tested:
    """Let what was trained, the rules and the references answer for the test rows, and compare them.

    Args:
        ground: training and test rows.
        scorer: what was trained.
        seed: of the intervals.
        progress: called with (done, all) while replicates are drawn.
        oracle: true probabilities (simulated markets only).
    """
    columns, simplified = _columns(ground, scorer, seed, oracle)
    frame = _with_scores(ground.test.frame, columns)
    return Tested(frame, compare(frame, columns, seed, progress), simplified)


def told(test: Rows) -> str:
    """Say what is compared on the test rows; with one outcome only nothing can be, and nothing is fitted for it."""
    if not len(test) or evaluate.both_outcomes(test.y):
        return f"{len(test):,} test snapshots, every scorer on the same rows"
    held = "reached" if test.y[0] else "did not reach"
    return (
        f"all {len(test):,} test snapshots {held} the target: no scorers are compared, a comparison needs both outcomes"
    )


def compare(
    test: pl.DataFrame, columns: Mapping[str, Floats | None], seed: int, progress: Progress | None = None
) -> Comparison:
    """Compare scorers on test rows (lead_id, age, label), per age too; nothing is defined where there are no rows."""
    leads = test["lead_id"].to_numpy().astype(object)
    ages = test["age"].to_numpy() if len(test) else None
    return evaluate.compare(test["label"].to_numpy(), columns, leads, seed, age=ages, progress=progress)


def log_odds(scorer: Scorer, specs: tuple[FeatureSpec, ...], rows: Rows) -> Floats:
    """Give the log-odds of rows, shape (n,); what is copied for it does not grow with their number."""
    found = np.empty(len(rows))
    for piece, X, points in _pieces(scorer, specs, rows):
        found[piece] = scorer.log_odds(X, points)
    return found


def reasons_error(scorer: Scorer, specs: tuple[FeatureSpec, ...], test: Rows) -> float | None:
    """Measure additivity on every test row: the sum of all parts against the served log-odds."""
    if not len(test):
        return None
    largest = 0.0
    for _, X, points in _pieces(scorer, specs, test):
        parts = scorer.contributions(X, points)
        largest = max(largest, float(np.abs(parts.log_odds(points) - scorer.log_odds(X, points)).max()))
    return largest


def _with_scores(frame: pl.DataFrame, columns: Mapping[str, Floats | None]) -> pl.DataFrame:
    """Add a column of probabilities per scorer that there is."""
    return frame.with_columns(
        pl.Series(name, column, pl.Float64) for name, column in columns.items() if column is not None
    )


def _columns(
    ground: Ground, scorer: Scorer, seed: int, oracle: Oracle | None
) -> tuple[dict[str, Floats | None], tuple[str, ...]]:
    """Give the probabilities of every scorer on the test rows, and where one of them is less than it could be."""
    known, test = ground.known, ground.test
    model = probabilities(log_odds(scorer, ground.specs, test))
    truth = None if oracle is None else _truth(oracle, test, ground.split)
    if not len(known):
        return {"model": model, "rules": model, "oracle": truth}, ()
    link = baselines.RulesLink.fit(known.points, known.y, known.weight)
    if len(test) and not evaluate.both_outcomes(test.y):
        rate = np.full(len(test), baselines.base_rate(known.y, known.weight))
        return {"model": model, "rules": link.probability(test.points), "base_rate": rate, "oracle": truth}, ()
    references, simplified = _references(known, test, ground.specs, seed)
    return {"model": model, "rules": link.probability(test.points), **references, "oracle": truth}, simplified


def _references(
    known: Rows, test: Rows, specs: tuple[FeatureSpec, ...], seed: int
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Give the probabilities of what a model has to beat beside the rules, all fitted on the same training rows.

    Of more than `REFERENCE_ROWS` the logistic regression sees every lead with a success and a weighted share of others.
    That, and what else makes it less than a full one, is told in the second part.
    """
    drawn = tuning_rows(known, seed, REFERENCE_ROWS)
    logistic = baselines.Logistic.fit(drawn.X, drawn.y, specs, drawn.weight, order=drawn.frame["as_of"].to_numpy())
    bayes = odoo.OdooBayes.fit(odoo.texts_of(known.X, specs), known.frame["stage"].to_list(), known.y)
    found = {
        "logistic": logistic.probability(test.X),
        "odoo": bayes.probability(odoo.texts_of(test.X, specs), test.frame["stage"].to_list()),
        "base_rate": np.full(len(test), baselines.base_rate(known.y, known.weight)),
    }
    return found, baselines.simplified(len(drawn), len(known), specs)


def _truth(oracle: Oracle, test: Rows, split: Split) -> Floats | None:
    """Ask for the true probabilities of the test rows; None without a horizon."""
    if split.horizon_us is None:
        return None
    return oracle(test.frame["lead_id"].to_list(), test.frame["as_of"].to_numpy(), split.target, split.horizon_us)


def _pieces(scorer: Scorer, specs: tuple[FeatureSpec, ...], rows: Rows) -> Iterator[tuple[slice, Floats, Floats]]:
    """Yield the rows piece by piece: which they are, the features that a scorer reads, in its order, and the points."""
    places = {spec.name: place for place, spec in enumerate(specs)}
    at = slice(None) if scorer.specs == specs else [places[spec.name] for spec in scorer.specs]
    for start, end in pieces(len(rows)):
        yield slice(start, end), rows.X[start:end][:, at], rows.points[start:end]
