"""Training rows made directly as arrays: two numbers and a category, points, and outcomes that follow both."""

import numpy as np
import polars as pl

from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from training.rows import Rows

SPECS = (
    FeatureSpec("views", "frequency", "count"),
    FeatureSpec("size", "fit", "number", attribute="size"),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("a", "b")),
)


def rows(n: int = 1_500, *, seed: int = 5, per_lead: int = 3, shift: float = -1.5) -> Rows:
    """Make n rows of n / per_lead leads; log-odds = shift + views / 2 + points / 20."""
    random = np.random.default_rng(seed)
    X = np.column_stack(
        [
            random.poisson(2, n),
            np.where(random.random(n) < 0.2, np.nan, random.normal(size=n)),
            random.integers(0, 3, n),
        ]
    ).astype(np.float64)
    points = random.integers(0, 40, n).astype(np.float64)
    log_odds = shift + X[:, 0] / 2 + points / 20
    y = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
    frame = pl.DataFrame(
        {
            "lead_id": [f"lead-{at // per_lead}" for at in range(n)],
            "as_of": np.arange(n) * DAY,
            "age": (np.arange(n) % per_lead + 1) * DAY,
            "label": y,
        }
    )
    return Rows(frame, X, points, y, np.ones(n))
