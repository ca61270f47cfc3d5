"""Segments of the test rows: by stage and by categorical attributes, at one age, so that a lead counts once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadlight import metrics
from leadlight.spec import FeatureSpec
from leadlight.wording import shown_value
from training import reliability
from training.influence import sample
from training.reliability import OTHERS, Slice

Floats = NDArray[np.float64]
Values = Sequence[str | None]

MOST_ATTRIBUTES: Final = 3
# Bars of calibration are drawn; beyond so many rows that costs seconds and tells nothing more.
MOST_ROWS: Final = 20_000
# Fewer rows than these are told and not judged.
LEAST_ROWS: Final = 50
STAGE: Final = "stage"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: how reliable its probabilities are, and the AUC of model and rules (None with one class)."""

    part: Slice
    auc: float | None
    auc_rules: float | None

    @property
    def name(self) -> str:
        """Value of the attribute."""
        return str(self.part.value)

    @property
    def judged(self) -> bool:
        """Whether there are enough rows to judge."""
        return self.part.rows >= LEAST_ROWS

    @property
    def as_predicted(self) -> bool:
        """Whether the mean probability lies within the 95 % interval of the observed share."""
        return self.part.low <= self.part.expected <= self.part.high


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The segments of one attribute.

    Attributes:
        attribute: whose values they are.
        age_us: age of their rows, None where there is only one.
        segments: largest first.
        unsettled: categories that features know, and no row has.
    """

    attribute: str
    age_us: int | None
    segments: tuple[Segment, ...]
    unsettled: tuple[str, ...] = ()


def segmentations(
    test: pl.DataFrame, X: Floats, specs: Sequence[FeatureSpec], seed: int, most: int = MOST_ATTRIBUTES
) -> list[Segmentation]:
    """Split the test rows of the age with the most positives by stage and by categorical attributes.

    Args:
        test: lead_id, age, stage, label, model, and rules where there is that scorer.
        X: features of the same rows, shape (n, len(specs)).
        specs: one per column of X; attributes earlier in it come first.
        seed: of the calibration bars and of the rows looked at where there are very many.
        most: attributes beside the stage.
    """
    if not test.height:
        return []
    age = main_age(test)
    places = np.flatnonzero((test["age"] == age).to_numpy())
    unsettled = _unsettled(X[places], specs)
    places = places[sample(len(places), MOST_ROWS, seed)]
    rows = test[places]
    columns = _attributes(X[places], specs)
    if STAGE in rows.columns:
        columns = {STAGE: rows[STAGE].to_list(), **columns}
        most += 1
    kept = [(name, values) for name, values in columns.items() if len(set(values)) > 1]
    told = age if test["age"].n_unique() > 1 else None
    return [
        Segmentation(name, told, _segments(rows, name, values, seed), unsettled.get(name, ()))
        for name, values in kept[:most]
    ]


def main_age(test: pl.DataFrame) -> int:
    """Give the age with the most positives, of equals the youngest; every lead has at most one row at it."""
    counted = test.group_by("age").agg(pl.col("label").sum()).sort("label", "age", descending=[True, False])
    return int(counted["age"][0])


def _attributes(X: Floats, specs: Sequence[FeatureSpec]) -> dict[str, Values]:
    """Give the values of every categorical attribute by its name, None = null."""
    found: dict[str, Values] = {}
    for place, spec in enumerate(specs):
        if spec.measure == "category":
            values = [shown_value(spec, value) for value in X[:, place].tolist()]
            found[spec.attribute or spec.name] = [None if value is None else str(value) for value in values]
    return found


def _unsettled(X: Floats, specs: Sequence[FeatureSpec]) -> dict[str, tuple[str, ...]]:
    """Give the categories of every categorical attribute that no row has, by its name."""
    found = {}
    for place, spec in enumerate(specs):
        if spec.measure == "category":
            codes = set(X[:, place].tolist())
            absent = (name for code, name in enumerate(spec.categories) if code not in codes)
            found[spec.attribute or spec.name] = tuple(absent)
    return found


def _segments(rows: pl.DataFrame, name: str, values: Values, seed: int) -> tuple[Segment, ...]:
    y, p = rows["label"].to_numpy(), rows["model"].to_numpy()
    rules = rows["rules"].to_numpy() if "rules" in rows.columns else None
    parts = [part for part in reliability.slices(y, p, seed, segments={name: values}) if part.segment is not None]
    named = np.array([reliability.MISSING if value is None else value for value in values], dtype=object)
    told = [str(part.value) for part in parts if part.value != OTHERS]
    found = []
    for part in parts:
        chosen = ~np.isin(named, told) if part.value == OTHERS else named == part.value
        of_rules = None if rules is None else metrics.auc(y[chosen], rules[chosen])
        found.append(Segment(part, metrics.auc(y[chosen], p[chosen]), of_rules))
    return tuple(found)
