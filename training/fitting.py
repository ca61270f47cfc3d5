"""From training rows to a scorer: the rung, encodings, the recipe, calibration, a pooled segment, and the interval.

What is learnt is decided in this order, each step on predictions for leads that the step did not learn from:

    ladder        which rung the outcomes carry
    encodings     which categories with many values become numbers (model only)
    recipe        how the trees are grown (model only)
    line          how much a line over all features counts beside the trees (model only)
    calibration   slope, level and, if asked for, steps (scorecard and model)
    segment       what partial pooling adds per team or country, if asked for and if it helps
    interval      between which two probabilities a score stands
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import NotEnoughDataError
from leadlight.phrases import counted
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from rules import parse
from training import (
    asked,
    baselines,
    blend,
    calibrate,
    encode,
    intervals,
    ladder,
    monotone,
    pooling,
    prior,
    scorecard,
    tune,
)
from training.audit_total import total_auc
from training.calibrate import Calibration, Learnt
from training.ladder import Choice
from training.ladder_needs import RungName
from training.options import REFERENCES, Options
from training.prior import Prior
from training.rows import Rows
from training.settled import chosen
from training.split import Split

Floats = NDArray[np.float64]
Specs = tuple[FeatureSpec, ...]
Progress = Callable[[int, int], None]

# What the provenance of a model says that has no meaning for rules on the same rows.
MODEL_ONLY: Final = (
    *("ladder", "settled", "recipe", "trials", "tuning", "line", "calibrator", "encodings", "segment"),
    *("proposed_reference", "reliability", asked.KEY, monotone.KEY),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A scorer, and how it was made.

    Attributes:
        scorer: it answers, and explains.
        notes: for `bundle.training`.
        auc: of features and rules together on training leads that were not learnt from, as `audit_total` gives it; None
            where no features are read or too little is known.
    """

    scorer: Scorer
    notes: dict[str, Any] = field(default_factory=dict)
    auc: float | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """Everything that fitting a rung needs."""

    known: Rows
    specs: Specs
    split: Split
    options: Options
    prior: Prior
    progress: Progress | None
    studies: str | None

    def blank(self) -> Scorer:
        """Give the question without an answer: the prior's line, no features."""
        options = self.options
        reference = REFERENCES[options.target] if options.reference is None else options.reference
        return Scorer(
            kind="rules",
            target=options.target,
            horizon_us=self.split.horizon_us,
            reference=reference,
            rule_a=self.prior.link.a,
            rule_b=self.prior.link.b,
            card=parse.to_json(options.card),
        )


def make(
    known: Rows,
    specs: Specs,
    split: Split,
    options: Options,
    *,
    studies: str | None = None,
    said: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Made:
    """Choose a rung and fit it.

    Args:
        known: training rows; there may be none.
        specs: one per column of X.
        split: the instants.
        options: what was asked for.
        studies: URL of the database that keeps tuning's trials; None = they are forgotten.
        said: told the rung that was chosen, and why, before it is fitted.
        progress: called with (done, all) while rungs are compared and recipes tried.
    """
    task = _Task(known, specs, split, options, Prior.of(options.card, options.target, known.points), progress, studies)
    choice = _asked(task, options.rung) if options.rung is not None else _chosen(task)
    said(choice.why)
    made = {"prior": _prior, "rules": _rules, "scorecard": _scorecard, "model": _model}[choice.rung](task)
    notes = {**made.notes, "why": choice.why, "ladder": {**choice.to_json(), "asked": options.rung is not None}}
    return replace(made, scorer=_with_rules(made.scorer, known), notes=notes | _beside(task, choice.rung, made))


def _with_rules(scorer: Scorer, known: Rows) -> Scorer:
    """Add the rule line of the comparison to a scorer whose own rule link is only what features leave to the points."""
    if scorer.kind in {"rules", "base_rate"}:
        return scorer
    link = baselines.RulesLink.fit(known.points, known.y, known.weight)
    return replace(scorer, alone=(link.a, link.b))


def _beside(task: _Task, rung: RungName, made: Made) -> dict[str, Any]:
    """Say what was asked for beside the rung and is not applied, or is not as it sounds."""
    options = task.options
    bound = rung == "model" and made.scorer.rule_b > 0
    return {
        asked.KEY: [one.to_json() for one in asked.not_applied(options, rung, made.notes)],
        monotone.KEY: list(monotone.against(task.specs, options.monotone, options.card) if bound else ()),
    }


def _chosen(task: _Task) -> Choice:
    """Climb the ladder as far as the outcomes carry."""
    return ladder.choose(
        task.known,
        task.specs,
        ladder.rungs(task.prior),
        cut=task.split.cut,
        horizon_us=task.split.horizon_us,
        seed=task.options.seed,
        progress=task.progress,
    )


def _asked(task: _Task, rung: RungName) -> Choice:
    """Take the rung that was asked for; nothing is compared.

    Raises:
        NotEnoughDataError: there are too few outcomes for it.
    """
    wins, losses = task.known.wins(), int(np.count_nonzero(task.known.y != 1))
    least = ladder.LEAST_WINS[rung]
    if wins < least:
        raise NotEnoughDataError(
            f"--rung {rung}: {wins} leads are known to have succeeded at the cut, at least {least} are needed; "
            "leave --rung out, or cut later"
        )
    # Successes alone are no rate where they are known only because they came before the horizon ended.
    if wins and not losses and (least or (rung != "prior" and _chosen(task).rung == "prior")):
        raise NotEnoughDataError(
            f"--rung {rung}: no failure is known at the cut, only successes; leave --rung out, or cut later"
        )
    why = f"{ladder.PARTS[rung]}, as asked for; known at the cut: {counted(wins, 'lead')} with a success"
    return Choice(rung, why, wins, losses, (), (), None)


def _prior(task: _Task) -> Made:
    """Take the prior as it is."""
    return Made(prior.fit_prior(task.prior).into(task.blank()))


def _rules(task: _Task) -> Made:
    """Fit a line over rule points: the prior, moved by the outcomes."""
    scorer = prior.fit_rules(task.known, task.prior).into(task.blank())
    bare = replace(task.known, X=task.known.X[:, :0])  # only points are read: folds need not copy features
    raw = calibrate.out_of_fold(bare, lambda inside: prior.fit_rules(inside, task.prior), task.options.seed)
    return _with_interval(scorer, raw, task)


def _scorecard(task: _Task) -> Made:
    """Fit a scorecard over the rules."""
    seed = task.options.seed

    def learn(rows: Rows) -> Learnt:
        return scorecard.fit(rows, task.specs, seed, prior=task.prior)

    fitted = scorecard.fit(task.known, task.specs, seed, prior=task.prior)
    raw = calibrate.out_of_fold(task.known, learn, seed)
    calibrator = calibrate.choose(raw, task.known, isotonic=task.options.isotonic)
    scorer = calibrator.into(fitted.into(task.blank(), task.specs))
    return _finished(scorer, calibrator, task, learn, {"terms": len(fitted.linear.terms), "penalty": fitted.penalty})


def _model(task: _Task) -> Made:
    """Grow trees over the rules, and draw a line beside them: encode, tune, weigh the line, fit, calibrate."""
    known, way = chosen(task.known, task.specs)
    task = replace(task, known=known)
    seed = task.options.seed
    ready = encode.prepare(task.known, task.specs, task.split.horizon_us, seed)
    tuned = _tuned(task, ready)
    line = blend.choose(ready.rows, ready.specs, tuned.recipe, seed)

    def learn(rows: Rows) -> blend.Blend:
        return blend.fit(rows, ready.specs, tuned.recipe, line.share, seed)

    calibrator = calibrate.choose(line.raw, ready.rows, isotonic=task.options.isotonic)
    asked = replace(task.blank(), specs=task.specs, encodings=ready.encodings)
    fitted = learn(ready.rows)
    scorer = fitted.into(calibrator.into(asked), task.specs)
    notes = {
        **_tuning_notes(tuned, _price(task)),
        "line": line.to_json() | {"penalty": None if fitted.line is None else fitted.line.penalty},
        "encodings": [gain.to_json() for gain in ready.gains],
        "settled": {"rows": len(known), "positives": int(known.y.sum()), "how": way},
    }
    return _finished(scorer, calibrator, task, learn, notes, rows=ready.rows)


def _tuned(task: _Task, ready: encode.Encoded) -> tune.Tuned:
    """Choose a recipe, as it was asked for."""
    options = task.options
    return tune.tune(
        ready.rows,
        ready.specs,
        trials=options.trials,
        seed=options.seed,
        seconds=options.seconds,
        progress=task.progress,
        studies=task.studies,
        price=_price(task),
        monotone=options.monotone,
    )


def _price(task: _Task) -> float:
    return tune.PRICE if task.options.price is None else task.options.price


def _tuning_notes(tuned: tune.Tuned, price: float) -> dict[str, Any]:
    """Say what was tried, which recipe was taken, and why."""
    return {
        "recipe": tuned.recipe.to_json(),
        "trials": [
            {**trial.recipe.to_json(), "log_loss": trial.log_loss, "pruned": trial.pruned} for trial in tuned.trials
        ],
        "tuning": {
            "folds": tuned.folds,
            "rows": tuned.rows,
            "log_loss": tuned.log_loss,
            "price": price,
            "against_usual": tuned.verdict.to_json(),
        },
    }


def _finished(
    scorer: Scorer,
    calibrator: Calibration,
    task: _Task,
    learn: Callable[[Rows], Learnt],
    notes: dict[str, Any],
    *,
    rows: Rows | None = None,
) -> Made:
    """Add what partial pooling and intervals say to a calibrated scorer; `rows` are those of `learn` if encoded."""
    notes["calibrator"] = calibrator.to_json()
    z = calibrator.held_out
    if task.options.segment is not None and z is not None:
        scorer, z, notes["segment"] = _pooled(scorer, z, task, learn, task.known if rows is None else rows)
    if z is not None and scorer.isotonic is not None:
        z = scorer.isotonic.of(z)
    auc = None if z is None else total_auc(z, task.known)
    return replace(_with_interval(scorer, z, task, notes), auc=auc)


def _pooled(
    scorer: Scorer, z: Floats, task: _Task, learn: Callable[[Rows], Learnt], rows: Rows
) -> tuple[Scorer, Floats, dict[str, Any]]:
    """Add a segment's offsets where validation says that they help."""
    column, seed = task.options.segment or "", task.options.seed
    place = pooling.place_of(task.specs, column)
    categories, codes = len(task.specs[place].categories), task.known.X[:, place]
    compared = pooling.compare(rows, z, place, categories, learn=learn, seed=seed, column=codes)
    found = pooling.fit(task.known, z, task.specs, place, learnt=scorer.kind == "lightgbm")
    told = found.to_json() | {"column": column, "comparison": compared.to_json(), "used": pooling.helps(compared)}
    if not told["used"]:
        return scorer, z, told
    own = tuple(spec.name for spec in scorer.specs)
    if task.specs[place].name not in own:  # a scorecard reads few features: this is one more
        scorer = replace(scorer, specs=(*scorer.specs, task.specs[place]))
        own = tuple(spec.name for spec in scorer.specs)
    at = own.index(task.specs[place].name)
    scorer = replace(found, place=at).into(scorer)
    return scorer, pooling.held_out(task.known, z, place, categories, seed), told


def _with_interval(scorer: Scorer, z: Floats | None, task: _Task, notes: dict[str, Any] | None = None) -> Made:
    """Add the interval where there are predictions for leads that were not learnt from."""
    found = scorer if z is None else replace(scorer, interval=intervals.of_rows(z, task.known))
    return Made(found, dict(notes or {}))
