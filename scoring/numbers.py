"""The numbers of many scores at once, of features that are known: numpy and LightGBM, wherever that runs."""

from typing import Final

import numpy as np

from leadlight.bundle import Scorer
from rules import engine, parse
from scoring.columns import Columns, Floats
from scoring.scale import probabilities, raw_scores

SCORES: Final = ("log_odds", "probability", "score", "rule_points", "rule_probability")


def features_read(scorer: Scorer) -> list[int]:
    """Give the positions of the features that a score depends on; the others need not be computed for it."""
    read = set() if scorer.linear is None else {term.place for term in scorer.linear.terms}
    if scorer.booster is not None:
        splits = scorer.booster.feature_importance(importance_type="split")
        read |= {int(at) for at in np.flatnonzero(splits)}
    return sorted(read)


class Numbers:
    """Turns features into the columns `SCORES`; built once per bundle.

    Attributes:
        columns: what it needs: the columns of the card and those that the scorer reads.
    """

    __slots__ = ("_card", "_read", "_scorer", "columns")

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._card = parse.from_json(dict(scorer.card))
        self._read = features_read(scorer)
        self.columns = Columns.union(engine.specs(self._card), [scorer.specs[at] for at in self._read])

    def of(self, matrix: Floats) -> dict[str, Floats]:
        """Score rows.

        Args:
            matrix: features, shape (n, len(columns.specs)), NaN = null.

        Returns:
            The columns `SCORES`, shape (n,) each; `score` is unclipped, `rule_probability` that of the rule line
            which was fitted to the same outcomes by itself.
        """
        scorer = self._scorer
        total = engine.points(self._card, self.columns.for_card(matrix), len(matrix)).total
        X = np.full((len(matrix), len(scorer.specs)), np.nan, order="F")
        X[:, self._read] = self.columns.for_scorer(matrix)
        log_odds = scorer.log_odds(X, total)
        return {
            "log_odds": log_odds,
            "probability": probabilities(log_odds),
            "score": raw_scores(log_odds, scorer.reference),
            "rule_points": total,
            "rule_probability": probabilities(engine.rule_log_odds(total, *scorer.rule_line)),
        }
