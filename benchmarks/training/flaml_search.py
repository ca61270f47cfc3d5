"""FLAML on our rows: features as it can read them, its search, and what came of it (needs the extra `bench`)."""

import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.market import Market
from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from training.rows import Rows

Floats = NDArray[np.float64]

# With fewer leads that succeeded FLAML is told to validate by folds: a tenth held out may hold no success at all.
FEW_WINS: Final = 50
MISSING: Final = (
    "FLAML is not installed; it comes with the extra `bench`: pip install 'leadlight[bench]' "
    "(in a clone: pip install -e '.[bench]')"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the two made of the training rows.

    Attributes:
        probability: of each test row, shape (n,); None where FLAML finished nothing, or stopped with an error.
        what: was fitted: the rung, or FLAML's learner.
        seconds: of the clock.
        cpu_seconds: of all processors.
    """

    probability: Floats | None
    what: str
    seconds: float
    cpu_seconds: float


def installed() -> bool:
    """Tell whether FLAML is there, without importing it."""
    return find_spec("flaml") is not None


def timed(fit: Callable[[], tuple[Floats | None, str]]) -> Answer:
    """Fit and predict, and measure how long it takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    probability, what = fit()
    return Answer(probability, what, time.perf_counter() - wall, time.process_time() - cpu)


def flaml(market: Market, test: Rows, seed: int, seconds: float) -> Answer:
    """Let FLAML search for so many seconds, and fit its best recipe to all training rows.

    Raises:
        InputError: it is not installed.
    """
    if not installed():
        raise InputError(MISSING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other people's libraries about each other
        from flaml import AutoML  # noqa: PLC0415  (an extra, and seconds to import)

        return timed(lambda: _searched(AutoML(), market, test, seed, seconds))


def _searched(automl: Any, market: Market, test: Rows, seed: int, seconds: float) -> tuple[Floats | None, str]:
    """Give FLAML's probabilities of the test rows and its learner; None and why where it finished nothing."""
    known, nulls = market.known, nulls_of(market.known, market.specs)
    asked = {
        "task": "classification",
        "metric": "log_loss",
        "time_budget": seconds,
        "split_type": "group",
        "groups": np.unique(known.lead_ids.astype(str), return_inverse=True)[1],
        "eval_method": "cv" if known.wins() < FEW_WINS else "auto",
        "n_jobs": os.cpu_count(),
        "seed": seed,
        "verbose": 0,
    }
    frame, weight = table(known, market.specs, nulls), known.weight / known.weight.mean()
    try:
        automl.fit(frame, known.y.astype(int), sample_weight=weight, **asked)
    except ValueError as problem:  # with very few successes it learns from a fold without any, and its search ends
        return None, f"nothing: {problem}"
    if automl.best_estimator is None:
        return None, "nothing"
    found = automl.predict_proba(table(test, market.specs, nulls))[:, 1]
    return np.asarray(found, dtype=np.float64), str(automl.best_estimator)


def nulls_of(rows: Rows, specs: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Give the places of the numbers that are null somewhere, one of those that are null in the same rows."""
    found: dict[bytes, int] = {}
    for place, spec in enumerate(specs):
        null = np.isnan(rows.X[:, place])
        if null.any() and not spec.categorical:
            found.setdefault(null.tobytes(), place)
    return tuple(found.values())


def table(rows: Rows, specs: Sequence[FeatureSpec], nulls: Sequence[int]) -> Any:
    """Give rows as a data frame of pandas: features, rule points, and where the `nulls` are null."""
    import pandas as pd  # noqa: PLC0415  (a second to import)

    columns: dict[str, Any] = {}
    for place, spec in enumerate(specs):
        column = rows.X[:, place]
        if spec.categorical:
            codes = np.where(np.isnan(column), -1, column).astype(np.int64)
            names = [f"c{code}" for code in range(len(spec.categories) + 1)]
            columns[f"f{place}"] = pd.Categorical.from_codes(codes, categories=names)
        else:
            columns[f"f{place}"] = column
    columns["points"] = rows.points
    columns |= {f"null{place}": np.isnan(rows.X[:, place]).astype(np.float64) for place in nulls}
    return pd.DataFrame(columns)
