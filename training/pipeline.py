"""Training from tables to a bundle: split, features, tuning, fitting, calibration, honest comparison."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features import catalog, hygiene, hygiene_settings
from features import tables as tables_of
from features.hygiene_settings import HygieneSettings
from features.tables import Tables
from leadlight.bundle import Bundle, Scorer, ScorerKind, save, signing_key
from leadlight.errors import NotEnoughDataError
from leadlight.schema import DAY, Target
from leadlight.spec import FeatureSpec
from leadlight.workspace import TablesInfo, Workspace
from rules import engine, parse
from scoring import batch as scoring_batch
from scoring.scale import HIGHEST, LOWEST, probabilities, raw_scores
from training import baselines, calibrate, evaluate, odoo, tune
from training.comparison import Comparison
from training.fit import expected_value, fit
from training.options import Options, allowed, make_split
from training.rows import Rows, gather
from training.split import Split, losses_are_final, test_rows, training_rows

Floats = NDArray[np.float64]
Oracle = Callable[[Sequence[str], NDArray[np.int64], Target, int], Floats]

# Fewer known outcomes of either class than this: no model is fitted.
LEAST_PER_CLASS: Final = 25
# Reference probabilities (score 50): the bottoms of the usual ranges.
REFERENCES: Final[dict[Target, float]] = {"sql": 0.30, "opportunity": 0.15, "customer": 0.03}
# What the provenance of a model says that has no meaning for rules on the same rows.
MODEL_ONLY: Final = ("recipe", "trials", "tuning", "calibrator", "proposed_reference")
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
    """

    bundle: Bundle
    comparison: Comparison
    why: str
    better_than_rules: bool | None
    split: Split
    test: pl.DataFrame
    reasons_max_error: float | None
    seconds: dict[str, float]


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
    """Train on the workspace's tables and write the bundle.

    Args:
        workspace: holds the tables; the bundle is written into it, the pointer `current` is not touched.
        options: what is asked for.
        say: told what begins, in one line.
        progress: called with (trials done, trials) while tuning.
        oracle: true probabilities (simulated markets only), for the comparison.

    Raises:
        InputError: a cut outside the record, an age or reference that means nothing.
        NotEnoughDataError: there is nothing before the cut to learn from.
    """
    watch = _Watch(say)
    watch.step("features", "features: snapshots before and after the cut")
    info = allowed(workspace.tables_info(), options.allow)
    key = signing_key(create=True)
    clean_by = hygiene_settings.of_workspace(workspace) if options.hygiene else None
    cleaned = _cleaned(workspace, clean_by)
    split = make_split(cleaned.tables, info, options)
    cleaned = cleaned.before(split.until)
    tables = cleaned.tables
    specs = catalog.suggest(tables, info, split.cut, options.features)
    known = gather(tables, training_rows(tables, split), specs, options.card)
    test = gather(tables, test_rows(tables, split), specs, options.card)
    if not len(known):
        raise NotEnoughDataError(
            "no snapshot before the cut has a known outcome; choose a later --test-from or a shorter --horizon"
        )
    link = baselines.RulesLink.fit(known.points, known.y, known.weight)
    kind, why = _kind(known, link, options.target)
    watch.step("fit", f"fit: {why}")
    scorer, notes = _fit(known, specs, _unfitted(kind, link, split, options), options, progress)
    watch.step("evaluate", f"evaluate: {len(test):,} test snapshots, every scorer on the same rows")
    columns = {
        "model": probabilities(scorer.log_odds(_matrix(scorer, test), test.points)),
        "rules": link.probability(test.points),
        **_references(known, test, specs),
        "oracle": None if oracle is None else _truth(oracle, test, split),
    }
    comparison = _compare(test.frame, columns, options.seed)
    provenance = _provenance(known, test, split, info=info, options=options)
    notes["hygiene"] = _hygiene(cleaned, clean_by)
    notes |= {"why": why, "losses_are_final": losses_are_final(tables, split)}
    notes["proposed_reference"] = _proposed(scorer, known)
    bundle = Bundle(new_version(kind), scorer, metrics=comparison.to_json(), training=provenance | notes)
    watch.step("thresholds", "thresholds: first crossings after the cut")
    bundle = replace(bundle, thresholds=_thresholds(tables, info, bundle, split))
    save(bundle, workspace.bundle_path(bundle.version), key)
    watch.stop()
    scores = (pl.Series(name, column, pl.Float64) for name, column in columns.items() if column is not None)
    frame = test.frame.with_columns(*scores)
    better = comparison.better_than("rules") if kind == "lightgbm" and len(test) else None
    return Trained(bundle, comparison, why, better, split, frame, _reasons_error(scorer, test), watch.seconds)


def rules_bundle(workspace: Workspace, trained: Trained) -> Bundle:
    """Write a second bundle in which the rules answer, fitted on the rows of a training whose model does not serve.

    Its probability is the rule link that lies under the model (the base rate where points tell nothing).

    Raises:
        WorkspaceError: the tables that were trained on are gone.
    """
    model = trained.bundle
    kind: ScorerKind = "rules" if model.scorer.rule_b > 0 else "base_rate"
    scorer = replace(model.scorer, kind=kind, specs=(), booster=None, slope=1.0, intercept=0.0, expected_value=0.0)
    test = trained.test
    columns = {
        name: test[name].to_numpy() for name in ("rules", "logistic", "odoo", "base_rate", "oracle") if name in test
    }
    comparison = _compare(test, {"model": columns["rules"], **columns}, model.training["seed"])
    why = f"the model `{model.version}`, fitted on the same rows, is not better than the rules, so the rules answer"
    kept = {name: value for name, value in model.training.items() if name not in MODEL_ONLY}
    bundle = Bundle(new_version(kind), scorer, metrics=comparison.to_json(), training={**kept, "why": why})
    tables = hygiene.tables_for(workspace, hygiene_settings.recorded(model.training))
    tables = tables_of.before(tables, trained.split.until)
    bundle = replace(bundle, thresholds=_thresholds(tables, workspace.tables_info(), bundle, trained.split))
    save(bundle, workspace.bundle_path(bundle.version), signing_key())
    return bundle


def new_version(kind: ScorerKind) -> str:
    """Name a bundle: its UTC time, its kind and a random tail, so that names sort by time and never meet."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{kind.replace('_', '-')}-{secrets.token_hex(3)}"


def _cleaned(workspace: Workspace, clean_by: HygieneSettings | None) -> hygiene.Cleaned:
    if clean_by is None:
        return hygiene.as_they_are(tables_of.read(workspace))
    return hygiene.of_workspace(workspace, clean_by)


def _hygiene(cleaned: hygiene.Cleaned, clean_by: HygieneSettings | None) -> dict[str, Any] | None:
    """Tell how the tables were cleaned, which a scorer has to repeat, and what was set aside; None where not at all."""
    if clean_by is None:
        return None
    return {"settings": clean_by.to_json(), "set_aside": hygiene.by_cause(cleaned.counts())}


def _compare(test: pl.DataFrame, columns: Mapping[str, Floats | None], seed: int) -> Comparison:
    """Compare scorers on test rows (lead_id, age, label), per age too; nothing is defined where there are no rows."""
    leads = test["lead_id"].to_numpy().astype(object)
    ages = test["age"].to_numpy() if len(test) else None
    return evaluate.compare(test["label"].to_numpy(), columns, leads, seed, age=ages)


def _kind(known: Rows, link: baselines.RulesLink, target: Target) -> tuple[ScorerKind, str]:
    """Decide what the known outcomes can carry."""
    positives = int(known.y.sum())
    negatives = len(known) - positives
    leads = known.frame.filter(pl.col("label") == 1.0)["lead_id"].n_unique()
    counted = f"{positives:,} positive snapshots of {leads:,} leads and {negatives:,} negative ones known at the cut"
    if leads >= LEAST_PER_CLASS and negatives >= LEAST_PER_CLASS:
        return "lightgbm", f"{counted}: a LightGBM model over the rules' log-odds"
    short = (
        f"{leads} leads known to have reached `{target}`"
        if leads < LEAST_PER_CLASS
        else f"{negatives} negative snapshots"
    )
    reason = f"no model: {short} at the cut, at least {LEAST_PER_CLASS} are needed ({counted})"
    if link.b > 0:
        return "rules", f"{reason}; the rules answer, with the probability that the known outcomes give their points"
    return "base_rate", f"{reason}; the rules do not tell outcomes apart either, so the base rate answers"


def _unfitted(kind: ScorerKind, link: baselines.RulesLink, split: Split, options: Options) -> Scorer:
    """Give the scorer of a kind without its booster: what rules and base rate are already."""
    return Scorer(
        kind=kind,
        target=options.target,
        horizon_us=split.horizon_us,
        reference=REFERENCES[options.target] if options.reference is None else options.reference,
        rule_a=link.a,
        rule_b=link.b if kind != "base_rate" else 0.0,
        card=parse.to_json(options.card),
    )


def _fit(
    known: Rows,
    specs: tuple[FeatureSpec, ...],
    scorer: Scorer,
    options: Options,
    progress: Callable[[int, int], None] | None,
) -> tuple[Scorer, dict[str, Any]]:
    """Tune, fit and calibrate the booster of a scorer whose kind has one; gives it with notes on how."""
    if scorer.kind != "lightgbm":
        return scorer, {}
    tuned = tune.tune(
        known, specs, trials=options.trials, seed=options.seed, seconds=options.seconds, progress=progress
    )
    booster = fit(known, specs, tuned.recipe, options.seed).booster
    calibrator = calibrate.calibrate(known, specs, tuned.recipe, options.seed)
    fitted = replace(
        scorer,
        specs=specs,
        slope=calibrator.slope,
        intercept=calibrator.intercept,
        expected_value=expected_value(booster, len(specs)),
        booster=booster,
    )
    return fitted, _tuning(tuned, calibrator)


def _tuning(tuned: tune.Tuned, calibrator: calibrate.Sigmoid) -> dict[str, Any]:
    return {
        "recipe": tuned.recipe.to_json(),
        "trials": [{**trial.recipe.to_json(), "log_loss": trial.log_loss} for trial in tuned.trials],
        "tuning": {"folds": tuned.folds, "rows": tuned.rows, "log_loss": tuned.log_loss},
        "calibrator": {"slope": calibrator.slope, "intercept": calibrator.intercept},
    }


def _references(known: Rows, test: Rows, specs: tuple[FeatureSpec, ...]) -> dict[str, Floats]:
    """Give the probabilities of what a model has to beat beside the rules, all fitted on the same training rows."""
    logistic = baselines.Logistic.fit(known.X, known.y, specs, known.weight, order=known.frame["as_of"].to_numpy())
    bayes = odoo.OdooBayes.fit(odoo.texts_of(known.X, specs), known.frame["stage"].to_list(), known.y)
    return {
        "logistic": logistic.probability(test.X),
        "odoo": bayes.probability(odoo.texts_of(test.X, specs), test.frame["stage"].to_list()),
        "base_rate": np.full(len(test), baselines.base_rate(known.y, known.weight)),
    }


def _truth(oracle: Oracle, test: Rows, split: Split) -> Floats | None:
    """Ask for the true probabilities of the test rows; None without a horizon."""
    if split.horizon_us is None:
        return None
    return oracle(test.frame["lead_id"].to_list(), test.frame["as_of"].to_numpy(), split.target, split.horizon_us)


def _matrix(scorer: Scorer, rows: Rows) -> Floats:
    """Give the features that a scorer reads: none without a booster."""
    return rows.X if scorer.booster is not None else rows.X[:, :0]


def _thresholds(tables: Tables, info: TablesInfo, bundle: Bundle, split: Split) -> dict[str, Any]:
    """Measure thresholds from the cut on, on the weeks whose crossings have a known outcome, if there are some."""
    mature = split.until - (split.horizon_us or 0)
    end = mature if mature - split.cut >= LEAST_PERIOD else split.until
    measured: dict[str, Any] = scoring_batch.measure_thresholds(
        tables, replace(info, observed_until=split.until), bundle, split.cut, end
    )
    return measured


def _reasons_error(scorer: Scorer, test: Rows) -> float | None:
    """Measure additivity on every test row: base + rule entries + features against the served log-odds."""
    if not len(test):
        return None
    X = _matrix(scorer, test)
    parts = scorer.contributions(X)
    total = parts.base + parts.rule_scale * test.points + parts.features.sum(axis=1)
    return float(np.abs(total - scorer.log_odds(X, test.points)).max())


def _proposed(scorer: Scorer, known: Rows) -> float | None:
    """Propose another reference where the one used puts most training rows at one end of the scale."""
    log_odds = scorer.log_odds(_matrix(scorer, known), known.points)
    score = raw_scores(log_odds, scorer.reference)
    if max(np.mean(score <= LOWEST), np.mean(score >= HIGHEST)) < ONE_END:
        return None
    return float(np.clip(probabilities(np.array([np.quantile(log_odds, 0.9)]))[0], 0.001, 0.999).round(3))


def _provenance(known: Rows, test: Rows, split: Split, *, info: TablesInfo, options: Options) -> dict[str, Any]:
    """Say from what the bundle was made: no personal data."""
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "generation": info.generation,
        "clock": info.clock,
        "target": split.target,
        "horizon_us": split.horizon_us,
        "test_from": split.cut,
        "until": split.until,
        "ages_us": list(split.ages_us),
        "train_ages_us": list(split.train_ages_us),
        "seed": options.seed,
        "allowed": list(options.allow),
        "train": {"rows": len(known), "positives": int(known.y.sum()), "leads": known.frame["lead_id"].n_unique()},
        "base_rate": baselines.base_rate(known.y, known.weight),
        "test": {"rows": len(test), "positives": int(test.y.sum()), "leads": test.frame["lead_id"].n_unique()},
        "unmet_attributes": list(engine.unmet(options.card, {a.name: a.kind for a in info.attributes})),
    }
