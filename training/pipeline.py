"""Training from tables to a bundle: split, features, tuning, fitting, calibration, honest comparison."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from features import hygiene, hygiene_settings
from features import tables as tables_of
from features.tables import Tables
from leadlight.bundle import Bundle, save, signing_key
from leadlight.errors import WorkspaceError
from leadlight.schema import DAY, at_or_beyond
from leadlight.scorer import Scorer, ScorerKind
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo, Workspace
from rules import engine
from scoring import batch as scoring_batch
from scoring.scale import HIGHEST, LOWEST, probabilities, raw_scores
from training import (
    ages,
    asked,
    audit_card,
    audit_gate,
    baselines,
    evaluate,
    fitting,
    model_card,
    record,
    reliability,
    tested,
)
from training.comparison import Comparison
from training.fitting import MODEL_ONLY, Made, Progress
from training.ground import Ground, prepare
from training.ladder import LEAST_WINS
from training.options import Options
from training.rows import Rows
from training.split import Split, losses_are_final
from training.study import address
from training.study_database import check
from training.tested import Oracle, Tested

# Thresholds are measured on at least so long a period.
LEAST_PERIOD: Final = 28 * DAY
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
        card: the model card; None where it could not be written.
        card_problem: why it could not, or None.
    """

    bundle: Bundle
    comparison: Comparison
    why: str
    better_than_rules: bool | None
    split: Split
    test: pl.DataFrame
    reasons_max_error: float | None
    seconds: dict[str, float]
    card: Path | None
    card_problem: str | None = None


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

    def note(self, text: str | None) -> None:
        if self.say is not None and text is not None:
            self.say(text)

    def stop(self) -> None:
        if self._name:
            self.seconds[self._name] = round(time.perf_counter() - self._start, 3)


def train(
    workspace: Workspace,
    options: Options,
    *,
    say: Callable[[str], None] | None = None,
    progress: Progress | None = None,
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
        WorkspaceError: the database of studies is damaged or cannot be reached; not where too few leads reached the
            target for tuning.
    """
    watch = _Watch(say)
    if _may_tune(workspace, options):
        check(address(workspace, options.studies))
    watch.step("features", "features: audit, and snapshots before and after the cut")
    key = signing_key(create=True)
    ground = prepare(workspace, options)
    options = replace(options, card=ground.card)
    watch.note(_untested(ground))
    made = _made(workspace, ground, options, watch, progress)
    watch.step("evaluate", f"evaluate: {tested.told(ground.test)}")
    found = tested.make(ground, made.scorer, options.seed, progress=progress, oracle=oracle)
    bundle = _bundle(ground, made, found, options)
    watch.step("thresholds", "thresholds: first crossings after the cut")
    curves = thresholds(ground.tables, ground.info, bundle, ground.split.cut, ground.split.until)
    bundle = replace(bundle, thresholds=curves)
    save(bundle, workspace.bundle_path(bundle.version), key)
    watch.step("model card", "model card: one page on what was found")
    card, problem = _card(workspace, ground, bundle, found)
    watch.stop()
    return Trained(
        bundle=bundle,
        comparison=found.comparison,
        why=made.notes["why"],
        better_than_rules=_better_than_rules(bundle, found),
        split=ground.split,
        test=found.frame,
        reasons_max_error=tested.reasons_error(made.scorer, ground.specs, ground.test),
        seconds=watch.seconds,
        card=card,
        card_problem=problem,
    )


def _may_tune(workspace: Workspace, options: Options) -> bool:
    """Tell whether a model may come of it: asked for, or the target was reached by so many leads as one needs."""
    if options.rung is not None:
        return options.rung == "model"
    reached = workspace.scan("stages").filter(pl.col("stage").is_in(at_or_beyond(options.target)))
    return int(reached.select(pl.col("lead_id").n_unique()).collect().item()) >= LEAST_WINS["model"]


def _untested(ground: Ground) -> str | None:
    """Name the ages asked for that have no snapshots on both sides; None where there is none, or no clock."""
    if ground.split.horizon_us is None:
        return None
    return ages.told(ground.split.ages_us, ground.known.frame, ground.test.frame)


def _made(workspace: Workspace, ground: Ground, options: Options, watch: _Watch, progress: Progress | None) -> Made:
    """Choose the rung and fit it: two steps of the training."""
    watch.step("ladder", f"ladder: what {len(ground.known):,} snapshots with a known outcome carry")
    return fitting.make(
        ground.known,
        ground.specs,
        ground.split,
        options,
        studies=address(workspace, options.studies),
        said=lambda why: watch.step("fit", f"fit: {why}"),
        progress=progress,
    )


def _better_than_rules(bundle: Bundle, found: Tested) -> bool | None:
    if not record.is_model(bundle) or not len(found.frame):
        return None
    return found.comparison.better_than("rules")


def _bundle(ground: Ground, made: Made, found: Tested, options: Options) -> Bundle:
    """Put together the scorer, what was measured, and what is told."""
    allowed = audit_gate.needed(ground.audit, options.allow)
    idle = [one.to_json() for one in asked.without_effect(ground.audit, options.allow)]
    told = made.notes | _notes(ground, made.scorer, found, options.seed)
    told |= {"audit": ground.audit.with_model(made.auc).to_json(allowed), "allowed": allowed}
    told[asked.KEY] = [*told[asked.KEY], *idle]
    version, training = new_version(made.scorer.kind), _provenance(ground, options) | told
    return Bundle(version, made.scorer, metrics=found.comparison.to_json(), training=training)


def _notes(ground: Ground, scorer: Scorer, found: Tested, seed: int) -> dict[str, Any]:
    """Say what the rows tell beside the fit."""
    known, test = ground.known, ground.test
    slices: tuple[reliability.Slice, ...] = ()
    if evaluate.both_outcomes(test.y):
        slices = reliability.slices(test.y, found.model, seed, age=test.frame["age"].to_numpy())
    return {
        "hygiene": ground.hygiene,
        "losses_are_final": losses_are_final(ground.tables, ground.split),
        "proposed_reference": _proposed(scorer, ground.specs, known),
        "reliability": reliability.to_json(slices),
        "simplified": list(found.simplified),
    }


def _card(workspace: Workspace, ground: Ground, bundle: Bundle, found: Tested) -> tuple[Path | None, str | None]:
    """Write the model card; where its file cannot be written, the bundle stands all the same: say why."""
    try:
        return _write_card(workspace, ground, bundle, found), None
    except WorkspaceError as problem:
        return None, f"the bundle is complete, but has no model card: {problem}"


def _write_card(workspace: Workspace, ground: Ground, bundle: Bundle, found: Tested) -> Path:
    """Write the model card beside the workspace's reports."""
    path = workspace.model_card_path(bundle.version)
    known = ground.known.frame.with_columns(pl.Series("weight", ground.known.weight))
    frame = found.frame
    apart = (model_card.disjoint(known, frame, bundle.training["seed"]),) if len(frame) and len(known) else ()
    told = model_card.CardInput(
        bundle=bundle,
        comparison=found.comparison,
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

    Its probability is that of the rule line fitted to these rows by itself (the base rate where points tell nothing).

    Raises:
        WorkspaceError: the tables that were trained on are gone.
    """
    model = trained.bundle
    scorer = model.scorer.rules_alone()
    test = trained.test
    columns = {
        name: test[name].to_numpy() for name in ("rules", "logistic", "odoo", "base_rate", "oracle") if name in test
    }
    comparison = tested.compare(test, {"model": columns["rules"], **columns}, model.training["seed"])
    who = record.called(model)
    why = f"{who} `{model.version}`, fitted on the same rows, may not serve, so the rules answer"
    kept = {name: value for name, value in model.training.items() if name not in MODEL_ONLY}
    bundle = Bundle(new_version(scorer.kind), scorer, metrics=comparison.to_json(), training={**kept, "why": why})
    tables = hygiene.tables_for(workspace, hygiene_settings.recorded(model.training))
    split = trained.split
    tables = tables_of.before(tables, split.until)
    bundle = replace(bundle, thresholds=thresholds(tables, workspace.tables_info(), bundle, split.cut, split.until))
    save(bundle, workspace.bundle_path(bundle.version), signing_key())
    return bundle


def new_version(kind: ScorerKind) -> str:
    """Name a bundle: its UTC time, its kind and a random tail, so that names sort by time and never meet."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{kind.replace('_', '-')}-{secrets.token_hex(3)}"


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


def _proposed(scorer: Scorer, specs: tuple[FeatureSpec, ...], known: Rows) -> float | None:
    """Propose another reference where the one used puts most training rows at one end of the scale."""
    if not len(known):
        return None
    log_odds = tested.log_odds(scorer, specs, known)
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
        "ages_shown_us": list(ages.shown(split.ages_us, known.frame, test.frame)),
        "train_ages_us": list(split.train_ages_us),
        "seed": options.seed,
        "train": {"rows": len(known), "positives": int(known.y.sum()), "leads": known.frame["lead_id"].n_unique()},
        "base_rate": baselines.base_rate(known.y, known.weight) if len(known) else None,
        "test": {"rows": len(test), "positives": int(test.y.sum()), "leads": test.frame["lead_id"].n_unique()},
        audit_card.KEY: [one.to_json() for one in ground.left_out],
        "unmet_attributes": list(engine.unmet(options.card, {a.name: a.kind for a in info.attributes})),
    }
