"""How well a whole model ranks the leads of the training side that it had not learnt from: too well is a leak.

As the audit's other areas under the curve it is taken where every outcome is known and within creation cohorts. Among
rows whose horizon had not ended only successes are known: whatever grows with the calendar tells them from older
failures, and a model that learnt nothing else would look as if it knew the outcome.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.audit_known import LEAST, cohorts
from training.audit_ranking import of_score
from training.calibrate import rarer_leads
from training.rows import Rows
from training.settled import ended

Floats = NDArray[np.float64]


def total_auc(z: Floats, rows: Rows) -> float | None:
    """Give the AUC of held-out log-odds on rows whose horizon had ended, within fifths of them by creation.

    Args:
        z: log-odds of the rows from models that did not learn from their lead, shape (n,).
        rows: training rows; the frame has lead_id, as_of, age and, with a clock, known_at.

    Returns:
        None where these rows hold fewer than `audit_known.LEAST` leads of either outcome: too few to say anything.
        Then only the audit of the columns speaks.
    """
    was = ended(rows)
    kept = replace(rows, X=rows.X[:, :0]).take(was)  # features are not read
    if rarer_leads(kept) < LEAST:
        return None
    created = (kept.frame["as_of"] - kept.frame["age"]).to_numpy()
    return of_score(z[was], kept.y == 1, cohorts(created, np.ones(len(kept), dtype=np.bool_)))
