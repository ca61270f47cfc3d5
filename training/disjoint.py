"""Disjoint leads: does a model hold on leads of which it learnt nothing?

A lead may stand on both sides of the cut with outcome windows that do not overlap, as it does in production. Whoever
fears that the model recognises leads instead of understanding them looks at the rows whose lead has no training
snapshot.
"""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from numpy.typing import ArrayLike

from training import evaluate
from training.comparison import Comparison

# Of the bootstrap: this is a side question.
REPLICATES: Final = 400
COMPARED: Final = ("model", "rules", "base_rate")


@dataclass(frozen=True, slots=True)
class Disjoint:
    """How scorers do on test rows that share no lead with the training side.

    Attributes:
        rows: test rows in all.
        apart: the comparison on the rows that share nothing.
    """

    rows: int
    apart: Comparison

    @property
    def shared(self) -> int:
        """Number of test rows whose lead has a training snapshot."""
        return self.rows - self.apart.rows

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts and finite numbers."""
        return {"rows": self.rows, "shared": self.shared, "apart": self.apart.to_json()}


def disjoint(
    known: pl.DataFrame,
    test: pl.DataFrame,
    seed: int,
    *,
    replicates: int = REPLICATES,
) -> Disjoint:
    """Compare the scorers again on test rows of leads that have no training snapshot.

    Args:
        known: training rows with the column lead_id.
        test: test rows: lead_id, age (µs), label, and a column of probabilities per scorer (`model` among them).
        seed: of the bootstrap.
        replicates: of the bootstrap.

    Raises:
        InputError: a probability or label outside its domain.
    """
    rows = test.join(known.select("lead_id").unique(), on="lead_id", how="anti", maintain_order="left")
    columns: dict[str, ArrayLike | None] = {name: rows[name].to_numpy() for name in COMPARED if name in rows.columns}
    leads = rows["lead_id"].to_numpy().astype(object)
    age = rows["age"].to_numpy()
    found = evaluate.compare(
        rows["label"].to_numpy(), columns, leads, seed, replicates=replicates, age=age, each_age=False
    )
    return Disjoint(test.height, found)
