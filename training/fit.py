"""Fitting: the rule link, and a LightGBM Booster over the rules' log-odds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec
from training.baselines import RulesLink
from training.rows import Rows

Floats = NDArray[np.float64]

FEW_ROWS: Final = 200_000
# Where trees may use a smaller share of the features than this, histograms are made column by column.
BY_COLUMN: Final = 0.6
# Depth and leaves are a price: TreeSHAP costs trees x leaves x depth^2 a row, so they stay small.
FIXED: Final[dict[str, Any]] = {
    "objective": "binary",
    "boost_from_average": False,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "feature_pre_filter": False,
    "max_bin": 127,
    "min_data_per_group": 20,
    "max_cat_threshold": 16,
    "cat_smooth": 20.0,
    "cat_l2": 10.0,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a booster is grown: LightGBM parameters, the number of trees, and 1, -1 or 0 per monotone feature, if any."""

    parameters: Mapping[str, float | int]
    trees: int
    monotone: tuple[int, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """Parameters and constraints in LightGBM's words."""
        if not any(self.monotone):
            return dict(self.parameters)
        return {
            **self.parameters,
            "monotone_constraints": list(self.monotone),
            "monotone_constraints_method": "intermediate",
        }

    def to_json(self) -> dict[str, Any]:
        """Give the recipe as JSON."""
        return {**self.settings, "trees": self.trees}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A rule link and the booster over it; raw log-odds = link + booster."""

    link: RulesLink
    booster: lgb.Booster

    def raw(self, rows: Rows) -> Floats:
        """Give the uncalibrated log-odds, shape (n,)."""
        trees = self.booster.predict(rows.X, raw_score=True, num_threads=threads(len(rows)))
        return np.asarray(self.link.log_odds(rows.points) + trees, dtype=np.float64)


def growing(recipe: Recipe, seed: int, cores: int) -> dict[str, Any]:
    """Give LightGBM's settings for growing a recipe's trees.

    One thread adds up histograms in the order of rows in either layout, so the trees are the same; by column it passes
    over the features that a tree may not use, which pays where these are most. Several threads add up in a fixed order
    by row only.

    Args:
        recipe: parameters and constraints.
        seed: of whatever LightGBM draws.
        cores: threads; 0 = all.
    """
    by_column = cores == 1 and recipe.parameters.get("feature_fraction", 1.0) < BY_COLUMN
    layout = {"force_col_wise": by_column, "force_row_wise": not by_column}
    return {**FIXED, **layout, **recipe.settings, "seed": seed, "num_threads": cores}


def dataset(rows: Rows, specs: Sequence[FeatureSpec], link: RulesLink, reference: lgb.Dataset | None = None) -> Any:
    """Build LightGBM's binned data with the rules' log-odds as initial score.

    Args:
        rows: the rows.
        specs: one per column of X; tells which are categorical codes.
        link: gives the initial score.
        reference: data whose bins are taken over (for validation rows).
    """
    categorical = [place for place, spec in enumerate(specs) if spec.categorical]
    return lgb.Dataset(
        rows.X,
        rows.y,
        weight=rows.weight / rows.weight.mean(),
        init_score=link.log_odds(rows.points),
        categorical_feature=categorical,
        feature_name=[f"f{place}" for place in range(len(specs))],
        reference=reference,
        params={
            "verbosity": -1,
            "feature_pre_filter": False,
            "max_bin": FIXED["max_bin"],
            "min_data_in_bin": 3,
            "num_threads": threads(len(rows)),
        },
        free_raw_data=True,
    )


def fit(rows: Rows, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int) -> Fitted:
    """Fit link and booster on rows; deterministic given the seed."""
    link = RulesLink.fit(rows.points, rows.y, rows.weight)
    parameters = growing(recipe, seed, threads(len(rows)))
    booster = lgb.train(parameters, dataset(rows, specs, link), num_boost_round=recipe.trees)
    return Fitted(link, lgb.Booster(model_str=booster.model_to_string()))


def threads(n: int) -> int:
    """Give one thread for few rows, where starting more costs more than it saves, else all (0)."""
    return 1 if n < FEW_ROWS else 0


def expected_value(booster: lgb.Booster, p: int) -> float:
    """Give TreeSHAP's base: the booster's expected raw score over its training rows (the same for every row)."""
    return float(np.asarray(booster.predict(np.full((1, p), np.nan), pred_contrib=True))[0, -1])
