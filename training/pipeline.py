"""Training from tables to a bundle: split, features, tuning, fitting, calibration, honest comparison."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import hygiene, hygiene_settings
from features import tables as tables_of
from features.tables import Tables
from leadlight.bundle import Bundle, save, signing_key
from leadlight.schema import DAY, Target
from leadlight.scorer import Scorer, ScorerKind
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo, Workspace
from rules import engine
from scoring import batch as scoring_batch
from scoring.scale import HIGHEST, LOWEST, probabilities, raw_scores
from training import audit_card, baselines, evaluate, fitting, model_card, odoo, record, reliability, shift
from training.comparison import Comparison
from training.fitting import MODEL_ONLY, Made, Progress
from training.ground import Ground, prepare
from training.options import Options
from training.rows import Rows, pieces
from training.split import Split, losses_are_final
from training.study import address
from training.tune import tuning_rows

Floats = NDArray[np.float64]
Oracle = Callable[[Sequence[str], NDArray[np.int64], Target, int], Floats]

# Thresholds are measured on at least so long a period.
LEAST_PERIOD: Final = 28 * DAY
# Logistic regression, whose rows are expanded into a column per category, is fitted on about so many.
REFERENCE_ROWS: Final = 200_000
# A default reference that leaves this share of the training rows at one end of the scale is questioned.
ONE_END: Final = 0.5


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training leaves.

    Attributes:
        bundle: the scorer, on disk under its version.
        comparison: every scorer on the test rows.
        why: one sentence: which kind of scorer was fitted, and why.
        better_than_rules: whether the model beats the rules in log loss and AUC; None where there is no model.
        split: the instants used.
        test: test rows with a column per scorer (null = no such scorer), as_of in µs.
        reasons_max_error: largest |base + contributions - log-odds| over the test rows.
        seconds: wall time per step.
        card: the model card.
    """

    bundle: Bundle
    comparison: Comparison
    why: str
    better_than_rules: bool | None
    split: Split
    test: pl.DataFrame
    reasons_max_error: float | None
    seconds: dict[str, float]
    card: Path


class _Watch:
    """Names and times the steps of a training."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self.say = say
        self.seconds: dict[str, float] = {}
        self._name, self._start = "", time.perf_counter()

    def step(self, name: str, text: str) -> None:
        self.stop()
        self._name, self._start = name, time.perf_counter()
        if self.say is not None:
            self.say(text)

    def stop(self) -> None:
        if self._name:
            self.seconds[self._name] = round(time.perf_counter() - self._start, 3)


def train(
    workspace: Workspace,
    options: Options,
    *,
    say: Callable[[str], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    oracle: Oracle | None = None,
) -> Trained:
    """Train on the workspace's tables and write the bundle and its model card.

    Args:
        workspace: holds the tables; the bundle is written into it, the pointer `current` is not touched.
        options: what is asked for.
        say: told what begins, in one line.
        progress: called with (done, all) while rungs are compared, recipes are tried and replicates are drawn.
        oracle: true probabilities (simulated markets only), for the comparison.

    Raises:
        InputError: a cut outside the record, an age or reference that means nothing, an attribute not to be allowed.
        NotEnoughDataError: there is no lead before the cut.
    """
    watch = _Watch(say)
    watch.step("features", "features: audit, and snapshots before and after the cut")
    key = signing_key(create=True)
    ground = prepare(workspace, options)
    options = replace(options, card=ground.card)
    watch.step("ladder", f"ladder: what {len(ground.known):,} snapshots with a known outcome carry")
    made = fitting.make(
        ground.known,
        ground.specs,
        ground.split,
        options,
        studies=address(workspace, options.studies),
        said=lambda why: watch.step("fit", f"fit: {why}"),
        progress=progress,
    )
    watch.step("evaluate", f"evaluate: {_evaluating(ground.test)}")
    columns, simplified = _columns(ground, made.scorer, options.seed, oracle)
    frame = _with_scores(ground.test.frame, columns)
    comparison = _compare(frame, columns, options.seed, progress)
    bundle = _bundle(ground, made, comparison, columns["model"], options)
    bundle = replace(bundle, training={**bundle.training, "simplified": list(simplified)})
    watch.step("thresholds", "thresholds: first crossings after the cut")
    curves = thresholds(ground.tables, ground.info, bundle, ground.split.cut, ground.split.until)
    bundle = replace(bundle, thresholds=curves)
    save(bundle, workspace.bundle_path(bundle.version), key)
    watch.step("model card", "model card: one page on what was found")
    card = _write_card(workspace, ground, bundle, comparison, frame)
    watch.stop()
    return Trained(
        bundle=bundle,
        comparison=comparison,
        why=made.notes["why"],
        better_than_rules=comparison.better_than("rules") if record.is_model(bundle) and len(frame) else None,
        split=ground.split,
        test=frame,
        reasons_max_error=_reasons_error(made.scorer, ground.specs, ground.test),
        seconds=watch.seconds,
        card=card,
    )


def _evaluating(test: Rows) -> str:
    """Say what is compared on the test rows; with one outcome only nothing can be, and nothing is fitted for it."""
    if not len(test) or evaluate.both_outcomes(test.y):
        return f"{len(test):,} test snapshots, every scorer on the same rows"
    held = "reached" if test.y[0] else "did not reach"
    return (
        f"all {len(test):,} test snapshots {held} the target: no scorers are compared, a comparison needs both outcomes"
    )


def _with_scores(frame: pl.DataFrame, columns: Mapping[str, Floats | None]) -> pl.DataFrame:
    """Add a column of probabilities per scorer that there is."""
    return frame.with_columns(
        pl.Series(name, column, pl.Float64) for name, column in columns.items() if column is not None
    )


def _bundle(ground: Ground, made: Made, comparison: Comparison, p: Floats | None, options: Options) -> Bundle:
    """Put together the scorer, what was measured, and what is told; `p` are its probabilities of the test rows."""
    audited = ground.audit.with_model(made.auc).to_json(options.allow)
    told = made.notes | _notes(ground, made.scorer, p, options.seed) | {"audit": audited}
    version = new_version(made.scorer.kind)
    return Bundle(version, made.scorer, metrics=comparison.to_json(), training=_provenance(ground, options) | told)


def _columns(
    ground: Ground, scorer: Scorer, seed: int, oracle: Oracle | None
) -> tuple[dict[str, Floats | None], tuple[str, ...]]:
    """Give the probabilities of every scorer on the test rows, and where one of them is less than it could be."""
    known, test = ground.known, ground.test
    model = probabilities(_log_odds(scorer, ground.specs, test))
    truth = None if oracle is None else _truth(oracle, test, ground.split)
    if not len(known):
        return {"model": model, "rules": model, "oracle": truth}, ()
    link = baselines.RulesLink.fit(known.points, known.y, known.weight)
    if len(test) and not evaluate.both_outcomes(test.y):
        rate = np.full(len(test), baselines.base_rate(known.y, known.weight))
        return {"model": model, "rules": link.probability(test.points), "base_rate": rate, "oracle": truth}, ()
    references, simplified = _references(known, test, ground.specs, seed)
    return {"model": model, "rules": link.probability(test.points), **references, "oracle": truth}, simplified


def _notes(ground: Ground, scorer: Scorer, p: Floats | None, seed: int) -> dict[str, Any]:
    """Say what the rows tell beside the fit; `p` are the scorer's probabilities of the test rows."""
    known, test = ground.known, ground.test
    slices: tuple[reliability.Slice, ...] = ()
    if p is not None and evaluate.both_outcomes(test.y):
        slices = reliability.slices(test.y, p, seed, age=test.frame["age"].to_numpy())
    return {
        "hygiene": ground.hygiene,
        "losses_are_final": losses_are_final(ground.tables, ground.split),
        "proposed_reference": _proposed(scorer, ground.specs, known),
        "base_rates": {str(age): rate for age, rate in shift.known_rates(known).items()} if len(known) else {},
        "reliability": reliability.to_json(slices),
    }


def _write_card(
    workspace: Workspace, ground: Ground, bundle: Bundle, comparison: Comparison, frame: pl.DataFrame
) -> Path:
    """Write the model card beside the workspace's reports."""
    path = workspace.model_card_path(bundle.version)
    known = ground.known.frame.with_columns(pl.Series("weight", ground.known.weight))
    apart = (model_card.disjoint(known, frame, bundle.training["seed"]),) if len(frame) and len(known) else ()
    told = model_card.CardInput(
        bundle=bundle,
        comparison=comparison,
        split=ground.split,
        test=frame,
        X=ground.test.X,
        points=ground.test.points,
        specs=ground.specs,
        known=known,
        disjoint=apart,
        tables=ground.info,
        fingerprint=model_card.fingerprint(workspace.bundle_path(bundle.version)),
    )
    model_card.write(told, path)
    return path


def rules_bundle(workspace: Workspace, trained: Trained) -> Bundle:
    """Write a second bundle in which the rules answer, fitted on the rows of a training whose model does not serve.

    Its probability is the rule link that lies under the model (the base rate where points tell nothing).

    Raises:
        WorkspaceError: the tables that were trained on are gone.
    """
    model = trained.bundle
    kind: Literal["rules", "base_rate"] = "rules" if model.scorer.rule_b > 0 else "base_rate"
    scorer = model.scorer.rules_alone(kind)
    test = trained.test
    columns = {
        name: test[name].to_numpy() for name in ("rules", "logistic", "odoo", "base_rate", "oracle") if name in test
    }
    comparison = _compare(test, {"model": columns["rules"], **columns}, model.training["seed"])
    who = record.called(model)
    why = f"{who} `{model.version}`, fitted on the same rows, may not serve, so the rules answer"
    kept = {name: value for name, value in model.training.items() if name not in MODEL_ONLY}
    bundle = Bundle(new_version(kind), scorer, metrics=comparison.to_json(), training={**kept, "why": why})
    tables = hygiene.tables_for(workspace, hygiene_settings.recorded(model.training))
    split = trained.split
    tables = tables_of.before(tables, split.until)
    bundle = replace(bundle, thresholds=thresholds(tables, workspace.tables_info(), bundle, split.cut, split.until))
    save(bundle, workspace.bundle_path(bundle.version), signing_key())
    return bundle


def new_version(kind: ScorerKind) -> str:
    """Name a bundle: its UTC time, its kind and a random tail, so that names sort by time and never meet."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{kind.replace('_', '-')}-{secrets.token_hex(3)}"


def _compare(
    test: pl.DataFrame, columns: Mapping[str, Floats | None], seed: int, progress: Progress | None = None
) -> Comparison:
    """Compare scorers on test rows (lead_id, age, label), per age too; nothing is defined where there are no rows."""
    leads = test["lead_id"].to_numpy().astype(object)
    ages = test["age"].to_numpy() if len(test) else None
    return evaluate.compare(test["label"].to_numpy(), columns, leads, seed, age=ages, progress=progress)


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


def _log_odds(scorer: Scorer, specs: tuple[FeatureSpec, ...], rows: Rows) -> Floats:
    """Give the log-odds of rows, shape (n,); what is copied for it does not grow with their number."""
    found = np.empty(len(rows))
    for piece, X, points in _pieces(scorer, specs, rows):
        found[piece] = scorer.log_odds(X, points)
    return found


def thresholds(tables: Tables, info: TablesInfo, bundle: Bundle, cut: int, until: int) -> dict[str, Any]:
    """Measure thresholds from the cut on, on the weeks whose crossings have a known outcome, if there are some.

    Args:
        tables: the tables; nothing at or after `until` is read of them.
        info: what is known of them.
        bundle: its scorer.
        cut: µs UTC.
        until: µs UTC.
    """
    mature = until - (bundle.scorer.horizon_us or 0)
    end = mature if mature - cut >= LEAST_PERIOD else until
    return scoring_batch.measure_thresholds(tables, replace(info, observed_until=until), bundle, cut, end)


def _reasons_error(scorer: Scorer, specs: tuple[FeatureSpec, ...], test: Rows) -> float | None:
    """Measure additivity on every test row: the sum of all parts against the served log-odds."""
    if not len(test):
        return None
    largest = 0.0
    for _, X, points in _pieces(scorer, specs, test):
        parts = scorer.contributions(X, points)
        largest = max(largest, float(np.abs(parts.log_odds(points) - scorer.log_odds(X, points)).max()))
    return largest


def _proposed(scorer: Scorer, specs: tuple[FeatureSpec, ...], known: Rows) -> float | None:
    """Propose another reference where the one used puts most training rows at one end of the scale."""
    if not len(known):
        return None
    log_odds = _log_odds(scorer, specs, known)
    score = raw_scores(log_odds, scorer.reference)
    if max(np.mean(score <= LOWEST), np.mean(score >= HIGHEST)) < ONE_END:
        return None
    return float(np.clip(probabilities(np.array([np.quantile(log_odds, 0.9)]))[0], 0.001, 0.999).round(3))


def _provenance(ground: Ground, options: Options) -> dict[str, Any]:
    """Say from what the bundle was made: no personal data."""
    known, test, split, info = ground.known, ground.test, ground.split, ground.info
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "generation": info.generation,
        "clock": info.clock,
        "target": split.target,
        "horizon_us": split.horizon_us,
        "horizon_source": split.horizon_source,
        "test_from": split.cut,
        "until": split.until,
        "ages_us": list(split.ages_us),
        "train_ages_us": list(split.train_ages_us),
        "seed": options.seed,
        "allowed": dict(options.allow),
        "train": {"rows": len(known), "positives": int(known.y.sum()), "leads": known.frame["lead_id"].n_unique()},
        "base_rate": baselines.base_rate(known.y, known.weight) if len(known) else None,
        "test": {"rows": len(test), "positives": int(test.y.sum()), "leads": test.frame["lead_id"].n_unique()},
        audit_card.KEY: [one.to_json() for one in ground.left_out],
        "unmet_attributes": list(engine.unmet(options.card, {a.name: a.kind for a in info.attributes})),
    }
