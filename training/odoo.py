"""Odoo's predictive lead scoring as a reference baseline.

A re-implementation from its documented behaviour, not its code: naive Bayes on the counts of won and lost leads per
value of each field, with 0.1 added to every cell. It knows attributes and the stage, and no behaviour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadlight.errors import InputError
from leadlight.schema import FUNNEL
from leadlight.spec import FeatureSpec

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

CELL: Final = 0.1
LOWEST: Final = 0.01
HIGHEST: Final = 99.99


@dataclass(frozen=True, slots=True)
class OdooBayes:
    """Count tables of won and lost training rows.

    Attributes:
        fields: field -> value -> (ln P(value | won), ln P(value | lost)).
        stages: stage -> the same for having come as far as that stage.
        prior: (ln P(won), ln P(lost)), from the counts of the first stage.
    """

    fields: Mapping[str, Mapping[str, tuple[float, float]]]
    stages: Mapping[str, tuple[float, float]]
    prior: tuple[float, float]

    @classmethod
    def fit(cls, fields: Mapping[str, Texts], stage: Sequence[str] | Texts, labels: ArrayLike) -> Self:
        """Count won (label 1) and lost (label 0) training rows.

        A field's cell is its count + 0.1; P(value | won) is the won cell over the won cells of the field. For the stage
        a won row counts on every stage of the funnel and a lost row on its own and all earlier ones; P(stage | won) is
        the won cell over that of the first stage.

        Args:
            fields: field -> text of each row, shape (n,), None = unset.
            stage: stage of each row at its as_of, shape (n,), one of `leadlight.schema.FUNNEL`.
            labels: 1 = won, 0 = lost, shape (n,); n = 0 is allowed and answers 50 % to everything.

        Raises:
            InputError: shapes that differ, labels that are not 0 or 1, or a stage outside the funnel.
        """
        y = np.asarray(labels, dtype=np.float64)
        if y.ndim != 1 or not np.all((y == 0) | (y == 1)):
            raise InputError("labels must be 0 (lost) or 1 (won), shape (n,); leave censored rows out first")
        depth = _depth(stage)
        for name, column in {"stage": depth, **fields}.items():
            if len(column) != len(y):
                raise InputError(f"`{name}` has {len(column)} rows, labels have {len(y)}; they must be the same rows")
        tables = {name: _table(np.asarray(column, dtype=object), y) for name, column in fields.items()}
        won = np.full(len(FUNNEL), y.sum() + CELL)
        lost = np.array([np.sum((y == 0) & (depth >= k)) for k in range(len(FUNNEL))]) + CELL
        stages: dict[str, tuple[float, float]] = {
            name: (float(np.log(won[k] / won[0])), float(np.log(lost[k] / lost[0]))) for k, name in enumerate(FUNNEL)
        }
        total = won[0] + lost[0]
        return cls(tables, stages, (float(np.log(won[0] / total)), float(np.log(lost[0] / total))))

    def probability(self, fields: Mapping[str, Texts], stage: Sequence[str] | Texts) -> Floats:
        """Give won / (won + lost) of the products over the known fields, shape (n,), between 0.0001 and 0.9999.

        Unset values and values that training never saw are skipped. As in Odoo the percentage is rounded to two
        decimals and clamped to 0.01-99.99.

        Raises:
            InputError: a field that was fitted is missing, shapes that differ, or a stage outside the funnel.
        """
        gap = np.array([_gap(self.stages[FUNNEL[k]]) for k in _depth(stage)]) + _gap(self.prior)
        for name, table in self.fields.items():
            if name not in fields:
                raise InputError.unknown_name("field", name, fields)
            column = np.asarray(fields[name], dtype=object)
            if len(column) != len(gap):
                raise InputError(f"`{name}` has {len(column)} rows, stage has {len(gap)}; they must be the same rows")
            gap = gap + _look_up({value: _gap(cell) for value, cell in table.items()}, column)
        percent = 100 / (1 + np.exp(np.clip(gap, -500, 500)))
        return np.clip(np.round(percent, 2), LOWEST, HIGHEST) / 100


def texts_of(X: Floats, specs: Sequence[FeatureSpec]) -> dict[str, Texts]:
    """Give the categorical attributes of a feature matrix as texts, as Odoo would see them: name -> shape (n,).

    Only attributes count (measure `category`); the codes of activity types are behaviour, which Odoo does not know. The
    `other` bucket is one value; null is None.
    """
    texts: dict[str, Texts] = {}
    for column, spec in zip(X.T, specs, strict=True):
        if spec.measure == "category":
            names = np.array([*(f"={value}" for value in spec.categories), "other", None], dtype=object)
            codes = np.where(np.isnan(column), len(names) - 1, column)
            texts[spec.name] = names[codes.astype(np.intp)]
    return texts


def _gap(cell: tuple[float, float]) -> float:
    """Log-odds against winning: so that their sum is what the exponential of the final formula needs."""
    return cell[1] - cell[0]


def _table(column: Texts, y: Floats) -> dict[str, tuple[float, float]]:
    """Count won and lost per set value, and give both as log shares of the field's cells."""
    places: dict[str, int] = {}  # sorting millions of texts would take a minute
    known = [places.setdefault(str(value), len(places)) for value in column if value is not None]
    values, codes = list(places), np.array(known, dtype=np.intp)
    outcomes = y[[value is not None for value in column]]
    won = np.bincount(codes, outcomes, minlength=len(values)) + CELL
    lost = np.bincount(codes, 1 - outcomes, minlength=len(values)) + CELL
    shares = zip(values, np.log(won / won.sum()), np.log(lost / lost.sum()), strict=True)
    return {value: (float(of_won), float(of_lost)) for value, of_won, of_lost in shares}


def _look_up(gaps: Mapping[str, float], column: Texts) -> Floats:
    """Give the gap of each row's value; 0, which changes nothing, where it is unset or was never seen."""
    return np.array([0.0 if value is None else gaps.get(str(value), 0.0) for value in column], dtype=np.float64)


def _depth(stage: Sequence[str] | Texts) -> NDArray[np.intp]:
    """Give the position in the funnel of each row's stage."""
    position: dict[str, int] = {name: k for k, name in enumerate(FUNNEL)}
    for name in dict.fromkeys(stage):
        if name not in position:
            raise InputError.unknown_name("stage", str(name), FUNNEL)
    return np.array([position[name] for name in stage], dtype=np.intp)
