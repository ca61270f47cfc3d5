"""The ladder: how much the outcomes can carry, from a prior over rule points to a model, decided by later outcomes.

Rungs, simplest first: `prior` (card and usual ranges), `rules` (the prior moved by outcomes), `scorecard` (a few
features over the rules), `model` (boosted trees over the rules). Each is fitted at instants inside the training side
(*origins*) on what was known there, and predicts the snapshots that follow; no lead is on both sides. A record that is
too short for that is cut into folds of leads instead, which cannot see drift, and the choice says so. Chosen is the
simplest rung that no higher one beats by more than one standard error: the rule of L. Breiman et al. (1984),
Classification and Regression Trees, section 3.4.3; the standard error is that of the paired difference, by lead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight.errors import NotEnoughDataError
from leadlight.metrics import log_losses_of_log_odds
from leadlight.phrases import counted
from leadlight.spec import FeatureSpec
from training import blend, ladder_won, scorecard
from training import prior as priors
from training.ladder_needs import RUNGS, Needs, RungName, needs_failures, needs_of
from training.ladder_table import Judged, Line, Origin
from training.prior import Prior
from training.rows import Rows
from training.settled import settled
from training.side_by_side import side_by_side
from training.split import censoring_weights
from training.tune import folds_of, tune, tuning_rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Across = Literal["time", "leads"]

# Fewer leads with a success than this, and a rung is not fitted. Rules: two parameters held by a prior need none. A
# scorecard shrinks to the rules as outcomes get fewer, but below about ten its penalty itself is chosen by chance. A
# model's leaves average outcomes of about eight kinds of leads a tree: below 25 successes these are means of threes.
LEAST_WINS: Final[dict[RungName, int]] = {"prior": 0, "rules": 0, "scorecard": 10, "model": 25}
# So many origins, evenly spread over the snapshots that can be predicted; fewer where fitting takes long.
ORIGINS: Final = 8
ORIGINS_OF_MANY: Final = 4
MANY_ROWS: Final = 6_000
# An origin needs this share of the snapshots before it to be older than the horizon. Of younger ones only the quick
# successes are known, and weights cannot make up for failures that are not there yet.
LEAST_MATURE: Final = 0.25
# The last part of the record that is predicted, as a share of the snapshots: the last origin leaves so many.
LAST: Final = 0.1
# A comparison needs so many leads with a success to be predicted, all origins together: else one decides it.
LEAST_TESTED_WINS: Final = 3
# Where origins predict fewer, rungs are compared on so many folds of leads.
FOLDS: Final = 4
# But only where they hold so many leads with a success: what is learnt beside each fold then has as many as every rung
# needs, however leads fall into folds.
LEAST_WINS_ACROSS: Final = 2 * LEAST_WINS["model"]
COMPARED: Final[dict[Across, str]] = {"time": "on later leads", "leads": "on other leads of the same time"}
PARTS: Final[dict[RungName, str]] = {
    "prior": "the prior of the rule card and the usual ranges",
    "rules": "the rules, recalibrated by the outcomes",
    "scorecard": "a scorecard of a few features over the rules",
    "model": "a LightGBM model over the rules' log-odds",
}
ANSWERS: Final[dict[RungName, str]] = {name: f"{part} answers" for name, part in PARTS.items()} | {
    "rules": f"{PARTS['rules']}, answer as far as the outcomes are evidence"
}


class Fitted(Protocol):
    """What fitting a rung gives."""

    def raw(self, rows: Rows) -> Floats:
        """Give the log-odds, shape (n,)."""
        ...


Fit = Callable[[Rows, Sequence[FeatureSpec], int], Fitted]


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung: its name, how it is fitted (rows, specs, seed), and how many leads with a success it needs."""

    name: RungName
    fit: Fit
    least_wins: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The rung that the outcomes carry, and why.

    Attributes:
        rung: its name.
        why: one sentence.
        wins: leads with a success known at the cut.
        losses: snapshots known at the cut not to have led to one.
        table: a line per rung that was compared, simplest first; empty where nothing could be.
        origins: the instants of validation, or the folds of leads.
        needs: what the next rung needs; None above the highest.
        across: what lay between learning and predicting: time, or only other leads; None where nothing was compared.
        caution: why not time, and what cannot be seen without it; None where it was time, or nothing was compared.
    """

    rung: RungName
    why: str
    wins: int
    losses: int
    table: tuple[Line, ...]
    origins: tuple[Origin, ...]
    needs: Needs | None
    across: Across | None = None
    caution: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the choice as JSON: the bundle's `training["ladder"]`."""
        return {
            "rung": self.rung,
            "why": self.why,
            "wins": self.wins,
            "losses": self.losses,
            "table": [{name: _plain(getattr(line, name)) for name in Line.__slots__} for line in self.table],
            "origins": [{name: _plain(getattr(origin, name)) for name in Origin.__slots__} for origin in self.origins],
            "next": None if self.needs is None else self.needs.to_json(),
            "across": self.across,
            "caution": self.caution,
        }


def usual_model(rows: Rows, specs: Sequence[FeatureSpec], seed: int) -> Fitted:
    """Fit a model by the usual recipe, without encodings; folds choose the number of trees and a line's share."""
    known = settled(rows, specs)
    recipe = tune(known, specs, trials=1, seed=seed).recipe
    share = blend.choose(known, specs, recipe, seed).share if blend.carries(known) else 0.0
    return blend.fit(known, specs, recipe, share, seed)


def rungs(prior: Prior, model: Fit | None = usual_model) -> tuple[Rung, ...]:
    """Give the rungs, simplest first.

    Args:
        prior: what is believed without outcomes.
        model: how the model is fitted in validation; None = no model.
    """
    fits: dict[RungName, Fit] = {
        "prior": lambda _rows, _specs, _seed: priors.fit_prior(prior),
        "rules": lambda rows, _specs, _seed: priors.fit_rules(rows, prior),
        "scorecard": partial(scorecard.fit, prior=prior),
    }
    if model is not None:
        fits["model"] = model
    return tuple(Rung(name, fit, LEAST_WINS[name]) for name, fit in fits.items())


def choose(
    rows: Rows,
    specs: Sequence[FeatureSpec],
    steps: Sequence[Rung],
    *,
    cut: int,
    horizon_us: int | None,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Choice:
    """Choose the rung that the outcomes known at the cut can carry.

    Very many rows are thinned to whole leads, every one with a success among them; the rest that stays counts for those
    that do not.

    Args:
        rows: training rows; the frame has lead_id, as_of, known_at and weight, the one against censoring at the cut.
        specs: one per column of X.
        steps: the rungs, simplest first.
        cut: what is known lies before it, µs UTC.
        horizon_us: of the question; None = no clock.
        seed: of whatever draws.
        progress: called with (fits done, fits) after each.
    """
    wins, losses = rows.wins(), int(np.count_nonzero(rows.y == 0))
    if not len(rows):
        told = f"no outcome is known at the cut: {ANSWERS['prior']}"
        return Choice("prior", told, 0, 0, (), (), needs_of("prior", 0, ()))
    if not losses:
        ended = None if horizon_us is None else _ended(rows, cut, horizon_us)
        rung, told = ladder_won.carried(wins, ended, LEAST_MATURE)
        return Choice(rung, f"{told}: {ANSWERS[rung]}", wins, 0, (), (), needs_failures(rung))
    sample = tuning_rows(replace(rows, weight=np.ones(len(rows))), seed)
    held = _validation(sample, cut, horizon_us, seed)
    if held is None:
        return _unjudged(wins, losses, [step.name for step in steps])
    judged = _judge(held.parts, specs, steps, seed, progress)
    chosen = judged.choice()
    seen = judged.seen(chosen, _above(chosen, steps)) if held.across == "time" else ()
    missing = [step for step in steps if step.name not in judged.loss]
    why = f"{_counts(wins, losses)}; {_why(chosen, judged, held, missing)}"
    table, needs = judged.table(chosen), needs_of(chosen, wins, seen)
    return Choice(chosen, why, wins, losses, table, judged.origins, needs, held.across, held.caution)


@dataclass(frozen=True, slots=True)
class _Part:
    """An origin, or a fold of leads (`at` is None), with its rows: learnt from (weighted as then known), predicted."""

    at: int | None
    learn: Rows
    test: Rows


@dataclass(frozen=True, slots=True)
class _Validation:
    """What rungs are compared on; `caution` says why it is not later leads, where it is not."""

    across: Across
    parts: Sequence[_Part]
    caution: str | None = None


def _validation(rows: Rows, cut: int, horizon_us: int | None, seed: int) -> _Validation | None:
    """Cut the rows at origins; where these predict too few successes, into folds of leads; None where folds do too."""
    later = _parts(rows, cut, horizon_us)
    if _tested_wins(later) >= LEAST_TESTED_WINS:
        return _Validation("time", later)
    others = _folds(rows, cut, horizon_us, seed)
    if _tested_wins(others) < LEAST_WINS_ACROSS:
        return None
    missing = "too few later successes can be predicted" if later else "the record before the cut is too short for it"
    told = f"rungs were compared across leads and not across time, because {missing}; this cannot see drift"
    return _Validation("leads", others, told)


def _folds(rows: Rows, cut: int, horizon_us: int | None, seed: int) -> list[_Part]:
    """Cut the rows into folds of whole leads, by a hash of the lead and the seed.

    Learnt from is what was known at the cut of all leads outside a fold, weighted by what was censored at the cut;
    predicted are, as at an origin, only snapshots whose horizon had ended at the cut.
    """
    ended = _ended(rows, cut, horizon_us)
    weighted = replace(rows, weight=rows.weight * rows.frame["weight"].to_numpy())
    fold = folds_of(rows, FOLDS, seed + 4)  # not the folds of what is tuned inside them
    parts = [_Part(None, weighted.take(fold != one), rows.take(ended & (fold == one))) for one in range(FOLDS)]
    return [part for part in parts if len(part.learn) and len(part.test)]


def _ended(rows: Rows, cut: int, horizon_us: int | None) -> Flags:
    """Tell of which snapshots the horizon had ended at the cut, so that none is there for its outcome."""
    if horizon_us is None:
        return np.ones(len(rows), dtype=np.bool_)
    return np.asarray(rows.frame["as_of"].to_numpy() + horizon_us < cut)


def _parts(rows: Rows, cut: int, horizon_us: int | None) -> list[_Part]:
    """Cut the rows at the origins.

    Predicted are the snapshots from an origin to the next whose horizon had ended at the cut, so that none is left out
    for its outcome; learnt from are those before it whose outcome was known at it, weighted by what was censored there.
    Leads that are learnt from are not predicted.
    """
    as_of, known_at = (rows.frame[name].to_numpy() for name in ("as_of", "known_at"))
    whole = _ended(rows, cut, horizon_us)
    at = _origins(np.sort(as_of[whole]), horizon_us) if whole.any() else []
    if not at:
        return []
    found = []
    for origin, end in zip(at, [*at[1:], cut], strict=True):
        before = as_of < origin
        weight = np.ones(len(rows))
        took = pl.Series(known_at[before] - as_of[before])
        weight[before] = censoring_weights(as_of[before], took, horizon_us, origin)
        known = before & (known_at < origin if horizon_us is not None else before)
        learn = replace(rows, frame=rows.frame.with_columns(weight=weight), weight=rows.weight * weight).take(known)
        seen = rows.frame["lead_id"].is_in(learn.frame["lead_id"].unique().implode()).to_numpy()
        test = rows.take(whole & (as_of >= origin) & (as_of < end) & ~seen)
        if len(learn) and len(test):
            found.append(_Part(origin, learn, test))
    return found


def _origins(as_of: NDArray[np.int64], horizon_us: int | None) -> list[int]:
    """Choose origins among sorted instants of snapshots whose outcomes are all known, evenly by their number."""
    count = ORIGINS if len(as_of) < MANY_ROWS else ORIGINS_OF_MANY
    before = np.arange(len(as_of))
    mature = before if horizon_us is None else np.searchsorted(as_of, as_of - horizon_us)
    enough = np.flatnonzero((mature >= LEAST_MATURE * before) & (before >= LEAST_MATURE * len(as_of)))
    last = int((1 - LAST) * len(as_of))
    if not len(enough) or enough[0] > last:
        return []
    return sorted({int(as_of[int(place)]) for place in np.linspace(enough[0], last, count)})


def _judge(
    parts: Sequence[_Part],
    specs: Sequence[FeatureSpec],
    steps: Sequence[Rung],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Judged:
    """Fit every rung at every origin, or beside every fold, that has the outcomes for it."""
    sizes = [len(part.test) for part in parts]
    loss: dict[RungName, Floats] = {step.name: np.full(sum(sizes), np.nan) for step in steps}
    starts = np.cumsum([0, *sizes])
    # what takes longest comes first, so that no processor waits for it at the end
    work = [(step, at) for step in reversed(steps) for at in reversed(range(len(parts))) if _can_fit(step, parts[at])]
    found = side_by_side(lambda one: _losses(one[0], parts[one[1]], specs, seed), work)
    for done, ((step, number), losses) in enumerate(zip(work, found, strict=True), 1):
        loss[step.name][starts[number] : starts[number + 1]] = losses
        if progress is not None:
            progress(done, len(work))
    tested = pl.concat([part.test.frame.select("lead_id") for part in parts])["lead_id"]
    lead: NDArray[np.int64] = tested.rank("dense").to_numpy().astype(np.int64)
    weight = np.concatenate([part.test.weight for part in parts])
    origin = np.repeat(np.arange(len(parts)), sizes)
    fitted = {name: values for name, values in loss.items() if not np.isnan(values).all()}
    origins = tuple(_origin(part, number, weight, origin, fitted) for number, part in enumerate(parts))
    return Judged(fitted, weight, lead, origin, origins)


def _losses(step: Rung, part: _Part, specs: Sequence[FeatureSpec], seed: int) -> Floats:
    """Give the log loss of each predicted row, shape (m,); NaN where the rung finds too little to learn from."""
    try:
        raw = step.fit(part.learn, specs, seed).raw(part.test)
    except NotEnoughDataError:  # such as folds of tuning that have one class only
        return np.full(len(part.test), np.nan)
    return log_losses_of_log_odds(part.test.y, raw)


def _origin(
    part: _Part, number: int, weight: Floats, origin: NDArray[np.int64], loss: dict[RungName, Floats]
) -> Origin:
    here = origin == number
    means = {name: float(np.average(values[here], weights=weight[here])) for name, values in loss.items()}
    known = {name: mean for name, mean in means.items() if not np.isnan(mean)}
    return Origin(part.at, part.learn.wins(), len(part.test), part.test.wins(), known)


def _can_fit(step: Rung, part: _Part) -> bool:
    rows = part.learn
    return rows.wins() >= step.least_wins and (step.least_wins == 0 or 0 < rows.y.sum() < len(rows))


def _counts(wins: int, losses: int) -> str:
    return f"{counted(wins, 'lead')} with a success and {counted(losses, 'snapshot')} without are known at the cut"


def _unjudged(wins: int, losses: int, names: Sequence[RungName]) -> Choice:
    """Choose where no later outcome can decide: two parameters held by a prior cannot go far wrong."""
    rung: RungName = "rules" if "rules" in names else names[0]
    told = f"{_counts(wins, losses)}, too few or too late to compare rungs on later ones, so {ANSWERS[rung]}"
    return Choice(rung, told, wins, losses, (), (), needs_of(rung, wins, ()))


def _why(chosen: RungName, judged: Judged, held: _Validation, missing: Sequence[Rung]) -> str:
    """Say which rung and why."""
    names = list(judged.loss)
    told = []
    for name in names:
        found = None if name == chosen else judged.difference(name, chosen)
        if found is not None:
            told.append(f"`{name}` {_compared(*found)}")
    place = "origin" if held.across == "time" else "fold"
    told += [f"`{rung.name}` was not tried ({_untried(rung, held.parts, place)})" for rung in missing]
    caution = "" if held.caution is None else f"; {held.caution}"
    return f"chosen: {PARTS[chosen]}; {COMPARED[held.across]}, in log loss, {', '.join(told)}{caution}"


def _untried(rung: Rung, parts: Sequence[_Part], place: str) -> str:
    """Say what kept a rung from being compared."""
    if any(_can_fit(rung, part) for part in parts):
        return f"no {place} holds enough to learn it from"
    if any(part.learn.wins() >= rung.least_wins for part in parts):
        return f"no {place} knows both outcomes"
    return f"no {place} knows the {rung.least_wins} successes it needs"


def _compared(mean: float, error: float) -> str:
    """Say how a rung compares with the chosen one."""
    if mean > 0:
        return f"is worse by {mean:.4f} (standard error {error:.4f})"
    return f"is better by {-mean:.4f} (standard error {error:.4f}), which may be chance"


def _above(chosen: RungName, steps: Sequence[Rung]) -> RungName | None:
    after = [step.name for step in steps if RUNGS.index(step.name) > RUNGS.index(chosen)]
    return after[0] if after else None


def _tested_wins(parts: Sequence[_Part]) -> int:
    return sum(part.test.wins() for part in parts)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
