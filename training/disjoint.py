"""Disjoint leads: does a model hold on leads (or companies) of which it learnt nothing?

A lead may stand on both sides of the cut with outcome windows that do not overlap, as it does in production. Whoever
fears that the model recognises leads instead of understanding them looks at the rows whose lead has no training
snapshot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from training import evaluate
from training.comparison import Comparison

By = Literal["lead", "account"]

# Of the bootstrap: this is a side question.
REPLICATES: Final = 400
COMPARED: Final = ("model", "rules", "base_rate")


@dataclass(frozen=True, slots=True)
class Disjoint:
    """How scorers do on test rows that share no lead (or account) with the training side.

    Attributes:
        by: what is kept apart.
        rows: test rows in all.
        apart: the comparison on the rows that share nothing.
    """

    by: By
    rows: int
    apart: Comparison

    @property
    def shared(self) -> int:
        """Number of test rows whose lead (or account) has a training snapshot."""
        return self.rows - self.apart.rows

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts and finite numbers."""
        return {"by": self.by, "rows": self.rows, "shared": self.shared, "apart": self.apart.to_json()}


def disjoint(
    known: pl.DataFrame,
    test: pl.DataFrame,
    seed: int,
    *,
    accounts: Mapping[str, str | None] | None = None,
    replicates: int = REPLICATES,
) -> Disjoint:
    """Compare the scorers again on test rows of leads that have no training snapshot.

    Args:
        known: training rows with the column lead_id.
        test: test rows: lead_id, label, and a column of probabilities per scorer (`model` among them).
        seed: of the bootstrap.
        accounts: account of each lead (None or missing = a company of its own), to keep whole companies apart;
            None = leads.
        replicates: of the bootstrap.

    Raises:
        InputError: a probability or label outside its domain.
    """
    mine, theirs = _groups(known, accounts), _groups(test, accounts)
    chosen = ~np.isin(theirs, np.unique(mine)) if len(theirs) else np.zeros(0, dtype=np.bool_)
    rows = test.filter(pl.Series(chosen, dtype=pl.Boolean))
    columns: dict[str, ArrayLike | None] = {name: rows[name].to_numpy() for name in COMPARED if name in rows.columns}
    leads = rows["lead_id"].to_numpy().astype(object)
    found = evaluate.compare(rows["label"].to_numpy(), columns, leads, seed, replicates=replicates)
    return Disjoint("lead" if accounts is None else "account", test.height, found)


def _groups(rows: pl.DataFrame, accounts: Mapping[str, str | None] | None) -> NDArray[np.str_]:
    """Name the lead or the account of every row, shape (n,)."""
    leads = rows["lead_id"].to_list()
    if accounts is None:
        return np.array(leads, dtype=np.str_)
    return np.array([_group(lead, accounts.get(lead)) for lead in leads], dtype=np.str_)


def _group(lead: str, account: str | None) -> str:
    return f"lead {lead}" if account is None else f"account {account}"
