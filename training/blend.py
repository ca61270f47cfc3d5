"""The model of many outcomes: trees and a line, averaged in log-odds.

    raw = (1 - share) x (rule link + booster) + share x line

Both are learnt from the same rows. Trees see steps and interactions, a line sees long slopes; what each of them learnt
of chance is not the same, so their mean holds less of it. Averages of different models are rarely worse than the best
of them (D. H. Wolpert, 1992, Stacked generalization, doi:10.1016/S0893-6080(05)80023-1; R. T. Clemen, 1989, Combining
forecasts, doi:10.1016/0169-2070(89)90012-5). The share is chosen by predictions for leads that neither learnt from. A
mean of sums is a sum: features have one contribution each, of trees and line together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from leadlight.metrics import log_losses_of_log_odds
from leadlight.scorer import Scorer
from leadlight.spec import FeatureSpec
from training import calibrate
from training.fit import Fitted, Recipe, expected_value
from training.fit import fit as fit_trees
from training.line import Line
from training.rows import Rows
from training.side_by_side import both

Floats = NDArray[np.float64]

# Shares of the line that are tried; trees always have a part.
SHARES: Final = (0.0, 0.25, 0.5, 0.75)
# With fewer leads with a success a line over all features would mostly be chance, and could not be judged.
LEAST_WINS: Final = 200


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the log-odds is the line's, and why.

    Attributes:
        share: of the line, one of `SHARES`; 0 = trees alone.
        log_loss: of each share tried, on leads that were not learnt from; empty where nothing was compared.
        raw: uncalibrated log-odds of every training row at that share, by models that did not learn from its lead,
            shape (n,); None where the folds are too poor in one outcome.
    """

    share: float
    log_loss: Mapping[float, float] = field(default_factory=dict)
    raw: Floats | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Give share and log losses as JSON."""
        return {"share": self.share, "log_loss": {f"{share:g}": loss for share, loss in self.log_loss.items()}}


@dataclass(frozen=True, slots=True)
class Blend:
    """Fitted trees and the line beside them; `line` is None where the share is 0."""

    trees: Fitted
    line: Line | None
    share: float

    def raw(self, rows: Rows) -> Floats:
        """Give the uncalibrated log-odds, shape (n,)."""
        trees = self.trees.raw(rows)
        return trees if self.line is None else (1 - self.share) * trees + self.share * self.line.raw(rows)

    def into(self, scorer: Scorer, specs: tuple[FeatureSpec, ...]) -> Scorer:
        """Put the parts into a scorer whose calibrator is final: the line's level becomes part of its intercept.

        Args:
            scorer: gives the question (target, horizon, reference, card) and encodings.
            specs: the features, in the order of the training matrix.
        """
        link = self.trees.link
        scorer = replace(scorer, kind="lightgbm", specs=specs, rule_a=link.a, rule_b=link.b)
        if self.line is None:
            booster = self.trees.booster
            return replace(scorer, booster=booster, expected_value=expected_value(booster, len(specs)))
        booster = scaled(self.trees.booster, 1 - self.share)
        return replace(
            scorer,
            booster=booster,
            expected_value=expected_value(booster, len(specs)),
            linear=self.line.times(self.share),
            rule_share=1 - self.share,
            intercept=scorer.slope * self.share * self.line.level + scorer.intercept,
        )


def fit(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, share: float, seed: int) -> Blend:
    """Fit trees, and a line where it has a share; deterministic given the seed."""
    if not share:
        return Blend(fit_trees(rows, specs, recipe, seed), None, share)
    trees, line = both(lambda: fit_trees(rows, specs, recipe, seed), lambda: Line.fit(rows, specs, seed))
    return Blend(trees, line, share)


def choose(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int) -> Share:
    """Choose the line's share by log loss on leads that were not learnt from.

    Trees alone where monotone constraints are asked for, which a line does not keep, and where leads with a success are
    fewer than `LEAST_WINS`.

    Args:
        rows: training rows.
        specs: one per column of X.
        recipe: of the booster.
        seed: of folds and boosters.
    """
    trees = calibrate.out_of_fold(rows, lambda inside: fit_trees(inside, specs, recipe, seed), seed)
    if trees is None or any(recipe.monotone) or not carries(rows):
        return Share(0.0, raw=trees)
    line = calibrate.out_of_fold(rows, lambda inside: Line.fit(inside, specs, seed), seed)
    if line is None:
        return Share(0.0, raw=trees)
    tried = {share: (1 - share) * trees + share * line for share in SHARES}
    losses = {share: _log_loss(rows, raw) for share, raw in tried.items()}
    best = min(losses, key=lambda share: (losses[share], share))
    return Share(best, losses, tried[best])


def carries(rows: Rows) -> bool:
    """Tell whether enough leads have a success for a line over all features."""
    return rows.wins() >= LEAST_WINS


def scaled(booster: lgb.Booster, factor: float) -> lgb.Booster:
    """Give a booster all of whose leaves are multiplied by a factor."""
    copy = lgb.Booster(model_str=booster.model_to_string())
    for tree, told in enumerate(copy.dump_model()["tree_info"]):
        for leaf in range(told["num_leaves"]):
            copy.set_leaf_output(tree, leaf, factor * copy.get_leaf_output(tree, leaf))
    return lgb.Booster(model_str=copy.model_to_string())


def _log_loss(rows: Rows, raw: Floats) -> float:
    return float(np.average(log_losses_of_log_odds(rows.y, raw), weights=rows.weight))
