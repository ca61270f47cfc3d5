"""Keeps a scoring process small: LightGBM imports pandas, scikit-learn and Arrow where they are installed.

They would cost about 130 MB and 1.2 s at start, and bring code into the service that it never needs. Refused, each
is simply absent, which LightGBM is made for.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

HEAVY: Final = frozenset(
    {"pandas", "polars", "pyarrow", "sklearn", "shap", "mlflow", "duckdb", "matplotlib", "optuna", "pyspark"}
)


class Refusal(MetaPathFinder):
    """Finds nothing, loudly: the modules that a scoring process must not import count as not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse a heavy module; leave every other to the next finder."""
        del path, target
        if fullname.partition(".")[0] in HEAVY:
            raise ModuleNotFoundError(f"a scoring process does not load `{fullname}`", name=fullname)
        return None


def refuse_heavy_imports() -> None:
    """Refuse heavy modules for the rest of the process's life."""
    if not any(isinstance(finder, Refusal) for finder in sys.meta_path):
        sys.meta_path.insert(0, Refusal())
