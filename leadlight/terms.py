"""Additive terms of a scorer, one per column: the lines of a scorecard, and numbers that stand for categories."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from leadlight.steps import check_finite

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class Lookup:
    """Numbers by code for several columns at once. A single row is looked up in plain Python, which is faster for one.

    Attributes:
        places: the columns, shape (k,).
    """

    __slots__ = ("_last", "_numbers", "_starts", "_tables", "places")

    def __init__(self, places: Sequence[int], tables: Sequence[Sequence[float]], nulls: Sequence[float]) -> None:
        """Lay the tables behind each other.

        Args:
            places: k columns.
            tables: for each, one number per code; the last one is that of all other codes.
            nulls: for each, the number where the code is null.
        """
        self.places = np.array(places, dtype=np.intp)
        self._tables = [(*table, null) for table, null in zip(tables, nulls, strict=True)]
        self._last = np.array([len(table) - 2 for table in self._tables])
        self._starts = np.cumsum(self._last + 2) - (self._last + 2)
        self._numbers = np.concatenate(self._tables, dtype=np.float64)

    def of(self, X: Floats) -> Floats:
        """Give the numbers, shape (n, k), for codes X of shape (n, p); NaN = null."""
        if len(X) == 1:
            return np.array([self.row(X)], dtype=np.float64)
        codes = X[:, self.places]
        known = (codes >= 0) & (codes <= self._last)
        at = np.where(known, codes, self._last + np.isnan(codes)) + self._starts
        return np.asarray(self._numbers[at.astype(np.intp)])

    def row(self, X: Floats) -> list[float]:
        """Give the k numbers of the first row."""
        codes = X[0].take(self.places).tolist()
        return [
            table[int(code)] if 0 <= code < len(table) - 1 else table[-1 if code != code else -2]  # noqa: PLR0124  (NaN)
            for code, table in zip(codes, self._tables, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Term:
    """What one column adds to the log-odds before calibration: a line, or a number for each category.

    Attributes:
        place: position of the column among the scorer's features.
        weight: log-odds for one scale of the column (numeric term).
        center: value that adds nothing.
        scale: unit of the weight, > 0: weight * (x - center) / scale.
        levels: log-odds for each code, the last for all others (categorical term; then no weight).
        missing: log-odds where the column is null (or infinite without a bound).
        low: values below count as this one; None = no bound.
        high: values above count as this one; None = no bound.
        log: whether the line is drawn over sign(x) ln(1 + |x|) instead of x (numeric term); center, scale and bounds
            are then in its unit.
    """

    place: int
    weight: float = 0.0
    center: float = 0.0
    scale: float = 1.0
    levels: tuple[float, ...] = ()
    missing: float = 0.0
    low: float | None = None
    high: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse a term without meaning."""
        what = f"linear term at place {self.place!r}"
        if isinstance(self.place, bool) or not isinstance(self.place, int):
            raise InputError(f"{what}: must be a whole number")
        check_finite(f"{what}: (weight, center, scale, missing)", (self.weight, self.center, self.scale, self.missing))
        check_finite(f"{what}: levels", self.levels)
        check_finite(f"{what}: bounds", [bound for bound in (self.low, self.high) if bound is not None])
        if self.scale <= 0:
            raise InputError(f"{what}: scale == {self.scale}, must be > 0")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(f"{what}: low == {self.low} is above high == {self.high}")
        if not isinstance(self.log, bool):
            raise InputError(f"{what}: log == {self.log!r}, must be true or false")
        if self.levels and (self.weight or self.low is not None or self.high is not None or self.log):
            raise InputError(f"{what}: levels stand for categories; weight, bounds and log go with numbers")

    @property
    def categorical(self) -> bool:
        """Whether it has a number for each category."""
        return bool(self.levels)

    def to_json(self) -> dict[str, Any]:
        """Give the term as JSON: `levels`, or `weight`, `center`, `scale` (with bounds and `log` where there are)."""
        if self.categorical:
            return {"place": self.place, "levels": list(self.levels), "missing": self.missing}
        numeric = {name: getattr(self, name) for name in ("place", "weight", "center", "scale", "missing")}
        bounds = {"low": self.low, "high": self.high}
        told = {name: bound for name, bound in bounds.items() if bound is not None}
        return numeric | told | ({"log": True} if self.log else {})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        arguments: dict[str, Any] = {**data, "levels": tuple(data.get("levels", ()))}
        return cls(**arguments)


@dataclass(frozen=True, slots=True)
class Linear:
    """The sum of terms. Several terms of one column (a line and a segment's own part) are one contribution.

    Attributes:
        terms: numeric and categorical ones, in any order.
    """

    terms: tuple[Term, ...]
    _numeric: "_Lines | None" = field(init=False, repr=False, compare=False)
    _levels: Lookup | None = field(init=False, repr=False, compare=False)
    _places: Places = field(init=False, repr=False, compare=False)
    _distinct: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay out the terms as arrays."""
        lines = [term for term in self.terms if not term.categorical]
        levels = [term for term in self.terms if term.categorical]
        places = [term.place for term in (*lines, *levels)]
        object.__setattr__(self, "_numeric", _Lines(lines) if lines else None)
        object.__setattr__(self, "_levels", _lookup(levels) if levels else None)
        object.__setattr__(self, "_places", np.array(places, dtype=np.intp))
        object.__setattr__(self, "_distinct", len(set(places)) == len(places))

    def of(self, X: Floats, encoded: Floats) -> Floats:
        """Give what each term adds, shape (n, number of terms); the order is that of `add_to`.

        Args:
            X: features, shape (n, p), categories as codes: what categorical terms read.
            encoded: the same with encodings in place: what numeric terms read.
        """
        numeric, levels = self._numeric, self._levels
        if len(X) == 1:
            lines = [] if numeric is None else numeric.row(encoded)
            return np.array([lines if levels is None else lines + levels.row(X)], dtype=np.float64)
        if levels is None:
            return np.zeros((len(X), 0)) if numeric is None else numeric.of(encoded)
        return levels.of(X) if numeric is None else np.concatenate([numeric.of(encoded), levels.of(X)], axis=1)

    def add_to(self, features: Floats, parts: Floats) -> None:
        """Add what `of` gave to the contributions of the features, shape (n, p), in place."""
        if self._distinct:
            features[:, self._places] += parts
        else:
            np.add.at(features.T, self._places, parts.T)

    def check(self, specs: Sequence[FeatureSpec], encodings: Mapping[int, Sequence[float]]) -> None:
        """Refuse terms that do not fit a scorer's features.

        Raises:
            InputError: a place out of range, or a term of another kind than its column.
        """
        for term in self.terms:
            what = f"linear term at place {term.place}"
            spec = feature_at(what, term.place, specs)
            if term.categorical:
                check_levels(f"{what}: levels", term.levels, spec)
            elif spec.categorical and term.place not in encodings:
                raise InputError(f"{what}: `{spec.name}` holds categories; give levels, or an encoding")

    def to_json(self) -> dict[str, Any]:
        """Give the terms as JSON."""
        return {"terms": [term.to_json() for term in self.terms]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(tuple(Term.from_json(term) for term in data["terms"]))


class _Lines:
    """The numeric terms as arrays, and as tuples for a single row."""

    __slots__ = ("_center", "_factor", "_high", "_log", "_low", "_missing", "_places", "_terms")

    def __init__(self, terms: Sequence[Term]) -> None:
        self._places = np.array([term.place for term in terms], dtype=np.intp)
        self._terms = [
            (
                float(term.center),
                term.weight / term.scale,
                float(term.missing),
                -math.inf if term.low is None else float(term.low),
                math.inf if term.high is None else float(term.high),
                term.log,
            )
            for term in terms
        ]
        self._center, self._factor, self._missing, self._low, self._high, log = np.array(self._terms).T
        self._log = np.flatnonzero(log)

    def of(self, encoded: Floats) -> Floats:
        x = np.minimum(np.maximum(self._read(encoded[:, self._places]), self._low), self._high)
        known = np.isfinite(x)
        # null and infinity are put aside before they are multiplied: 0 * inf would be a warning
        return np.where(known, (np.where(known, x, self._center) - self._center) * self._factor, self._missing)

    def row(self, encoded: Floats) -> list[float]:
        values = self._read(encoded[:1, self._places])[0].tolist()
        return [
            (min(max(x, low), high) - center) * factor if _counts(x, low, high) else missing
            for x, (center, factor, missing, low, high, _) in zip(values, self._terms, strict=True)
        ]

    def _read(self, x: Floats) -> Floats:
        """Put the logarithms of the columns that a line is drawn over so in their place; x is a copy."""
        if len(self._log):
            x[:, self._log] = squashed(x[:, self._log])
        return x


def squashed(x: Floats) -> Floats:
    """Give sign(x) ln(1 + |x|), element by element: a hundred activities are not a hundred times one.

    >>> squashed(np.array([-1.0, 0.0, np.e - 1])).round(3).tolist()
    [-0.693, 0.0, 1.0]
    """
    found: Floats = np.copysign(np.log1p(np.abs(x)), x)
    return found


def _counts(x: float, low: float, high: float) -> bool:
    """Tell whether a value, held within its bounds, is a finite number."""
    return math.isfinite(x) or (x > 0 and high < math.inf) or (x < 0 and low > -math.inf)


def _lookup(terms: Sequence[Term]) -> Lookup:
    return Lookup([term.place for term in terms], [term.levels for term in terms], [term.missing for term in terms])


def encoder(encodings: Mapping[int, Sequence[float]]) -> Lookup | None:
    """Lay out encodings as a lookup in which null stays null; None where there are none."""
    if not encodings:
        return None
    return Lookup(list(encodings), list(encodings.values()), [np.nan] * len(encodings))


def check_encodings(encodings: Mapping[int, Sequence[float]], specs: Sequence[FeatureSpec]) -> None:
    """Refuse encodings that do not fit a scorer's features.

    Raises:
        InputError: a place out of range, a column without categories, a wrong length, or no finite number.
    """
    for place, numbers in encodings.items():
        what = f"encoding at place {place!r}"
        spec = feature_at(what, place, specs)
        check_finite(what, numbers)
        check_levels(what, numbers, spec)


def feature_at(what: str, place: int, specs: Sequence[FeatureSpec]) -> FeatureSpec:
    """Give the feature at a place.

    Raises:
        InputError: there is none.
    """
    if not 0 <= place < len(specs):
        raise InputError(f"{what}: the scorer has {len(specs)} features, counted from 0")
    return specs[place]


def check_levels(what: str, numbers: Sequence[float], spec: FeatureSpec) -> None:
    """Refuse numbers that are not one per category and one for all others.

    Raises:
        InputError: the feature has no categories, or another number of them.
    """
    if not spec.categorical:
        raise InputError(f"{what}: `{spec.name}` holds no categories")
    if len(numbers) != len(spec.categories) + 1:
        raise InputError(
            f"{what}: {len(numbers)} numbers, must be {len(spec.categories) + 1} (categories of `{spec.name}`, others)"
        )
