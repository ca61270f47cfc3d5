"""Whether the best of the trials displaces the usual recipe, or was only the luckiest.

The best of many trials looks better than it is, because it was chosen by the rows that it is measured on: of recipes
that differ by chance alone, the best one is better nearly always. So the gain of choosing is measured on leads that had
no say in the choice: each fold is predicted by the recipe that is best on the *other* folds, and by the usual one, and
their log losses are compared row by row. This is cross-validation of the choice itself (M. Stone, 1974,
doi:10.1111/j.2517-6161.1974.tb00994.x; on what happens without it: G. C. Cawley, N. L. C. Talbot, 2010, Journal of
Machine Learning Research 11, 2079-2107). Only a gain beyond one standard error, whole leads as units, takes the best
trial; otherwise the usual recipe stays, and no other trial is considered.

What is left of the choice in the measure is small: numbers of trees were chosen on all folds, the usual recipe's too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.clustered import mean_by_lead
from training.growth import Fold, Trial, losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best trial against the usual recipe.

    Attributes:
        best: place of the best among the trials; 0 = the usual recipe itself.
        gain: what choosing the best gains over the usual recipe on rows without a say in it: log loss and cost of
            explaining, nats per row; None where there was nothing to compare, or a single fold to do it on.
        error: its standard error, whole leads as units; None where `gain` is.
    """

    best: int = 0
    gain: float | None = None
    error: float | None = None

    @property
    def taken(self) -> int:
        """Place of the trial that is taken."""
        return self.best if self.gain is not None and self.error is not None and self.gain > self.error else 0

    def to_json(self) -> dict[str, Any]:
        """Give places, gain and error as JSON."""
        return {"best": self.best, "taken": self.taken, "gain": self.gain, "error": self.error}


def against_usual(trials: Sequence[Trial], folds: Sequence[Fold], seed: int) -> Verdict:
    """Compare the trial of smallest objective with the first, usual one.

    Both are grown anew on all folds; nothing of it is kept, and the same trials give the same verdict.

    Args:
        trials: the usual recipe, then others, measured on these folds; one that was ended early is no candidate.
        folds: what was learnt from and measured on.
        seed: of the boosters.
    """
    best = _best(trials)
    if best == 0 or len(folds) < 2:
        return Verdict(best)
    chosen = [trials[_best_beside(trials, folds, at)] for at in range(len(folds))]
    rival = _objectives(chosen, folds, seed)
    differences = _objectives([trials[0]] * len(folds), folds, seed) - rival
    weight = np.concatenate([fold.weight for fold in folds])
    found = mean_by_lead(differences, weight, np.concatenate([fold.lead for fold in folds]))
    return Verdict(best) if found is None else Verdict(best, *found)


def _best(trials: Sequence[Trial]) -> int:
    """Give the place of the smallest objective on all folds; a tie goes to the first."""
    return min(_candidates(trials), key=lambda place: trials[place].objective)


def _best_beside(trials: Sequence[Trial], folds: Sequence[Fold], at: int) -> int:
    """Give the place of the smallest objective on all folds but one; a tie goes to the first."""
    others = [number for number in range(len(folds)) if number != at]
    shares = [folds[number].share for number in others]

    def objective(place: int) -> float:
        trial = trials[place]
        return float(np.average([trial.by_fold[number] for number in others], weights=shares)) + trial.cost

    return min(_candidates(trials), key=objective)


def _candidates(trials: Sequence[Trial]) -> list[int]:
    return [place for place, trial in enumerate(trials) if not trial.pruned]


def _objectives(trials: Sequence[Trial], folds: Sequence[Fold], seed: int) -> Floats:
    """Give log loss and cost of every row measured on, by the trial of its fold, fold after fold."""
    found = losses(folds, [trial.recipe for trial in trials], seed)
    return np.concatenate([loss + trial.cost for loss, trial in zip(found, trials, strict=True)])
