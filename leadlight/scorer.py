"""What turns features and rule points into log-odds, and those into parts that add up exactly.

    raw      = rule_share * (rule_a + rule_b * points) + booster(E(X)) + linear(E(X))
    z        = slope * raw + intercept
    log-odds = isotonic(z) + shift          (z + shift without isotonic)

    log-odds = base + sum of contributions, exactly:
    base                        slope * (rule_share * rule_a + booster's expected value) + intercept + shift
    rule entry of p points      slope * rule_share * rule_b * p
    feature j                   slope * (TreeSHAP_j + terms of j)
    `calibration`               isotonic(z) - z: a part of its own name

E replaces the codes of chosen columns by numbers; categorical terms of `linear` read the codes themselves. Every part
beyond the rules is optional and costs nothing where it is absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.schema import Target
from leadlight.spec import FeatureSpec
from leadlight.steps import Isotonic, VennAbers, is_number
from leadlight.terms import Linear, Lookup, check_encodings, encoder

ScorerKind = Literal["lightgbm", "scorecard", "rules", "base_rate"]
ScoreBasis = Literal["model", "scorecard", "rules", "base_rate"]
BASIS: Final[dict[ScorerKind, ScoreBasis]] = {
    "lightgbm": "model",
    "scorecard": "scorecard",
    "rules": "rules",
    "base_rate": "base_rate",
}
# A base rate that changed by more than this is an error of arithmetic (odds times 10^13).
LARGEST_SHIFT: Final = 30.0
PLAIN: Final = (
    "kind",
    "target",
    "horizon_us",
    "reference",
    "rule_a",
    "rule_b",
    "rule_share",
    "slope",
    "intercept",
    "expected_value",
    "shift",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contributions:
    """Parts of the log-odds of n rows: `base + rule_scale * points + features.sum(axis=1) + extra == log_odds`.

    Attributes:
        base: log-odds of a row about which nothing is known; a shift of the base rate is part of it.
        rule_scale: log-odds of one rule point (a ledger entry of p points contributes `rule_scale * p`).
        features: shape (n, number of specs), log-odds; all zero where the kind reads no features.
        extra: the part named `calibration`, shape (n,), log-odds; all zero without isotonic calibration.
    """

    base: float
    rule_scale: float
    features: Floats
    extra: Floats

    def log_odds(self, points: Floats) -> Floats:
        """Add the parts up, with the total rule points (n,) of the same rows; shape (n,)."""
        return np.asarray(self.base + self.rule_scale * points + self.features.sum(axis=1) + self.extra)


@dataclass(frozen=True, slots=True)
class Scorer:
    """What turns features and rule points into log-odds.

    Attributes:
        kind: what produces the score.
        target: the stage it predicts.
        horizon_us: within which time, in µs; None = ever (data without a clock).
        reference: probability that scores 50.
        specs: the features in their column order, for booster, terms and encodings (empty for rules and base rate).
        rule_a: intercept of the rule link (log-odds at 0 points), before calibration.
        rule_b: log-odds of one rule point, before calibration, >= 0.
        rule_share: how much of the rule link counts beside what else speaks, from 0 to 1.
        slope: factor of the affine calibrator.
        intercept: summand of the affine calibrator.
        expected_value: the booster's expected raw score (TreeSHAP's base), 0 without a booster.
        card: the rule card as JSON.
        booster: a `lightgbm.Booster`, or None.
        encodings: place of a categorical column -> a number per code, the last for all others; null stays null.
        linear: terms of single columns: a scorecard, a regression beside a booster, or a segment's own part.
        isotonic: a step function behind the affine calibrator.
        shift: log-odds added because the base rate changed.
        interval: the two probabilities of Venn-ABERS for every log-odds.
        alone: a and b of the rule line that was fitted to the same outcomes by itself, without the features; None where
            the rule link is that line. Beside features, `rule_a` and `rule_b` are what is left for the points to say.
    """

    kind: ScorerKind
    target: Target
    horizon_us: int | None
    reference: float
    rule_a: float
    rule_b: float
    card: Mapping[str, Any]
    specs: tuple[FeatureSpec, ...] = ()
    rule_share: float = 1.0
    slope: float = 1.0
    intercept: float = 0.0
    expected_value: float = 0.0
    booster: Any = None
    encodings: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    linear: Linear | None = None
    isotonic: Isotonic | None = None
    shift: float = 0.0
    interval: VennAbers | None = None
    alone: tuple[float, float] | None = None
    _encoder: Lookup | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        for name in ("reference", "rule_a", "rule_b", "rule_share", "slope", "intercept", "expected_value", "shift"):
            if not is_number(getattr(self, name)):
                raise InputError(f"scorer: {name} == {getattr(self, name)!r}, must be a finite number")
        if not 0.0 < self.reference < 1.0:
            raise InputError(f"reference == {self.reference}, must be a probability between 0 and 1")
        if self.rule_b < 0:
            raise InputError(f"scorer: rule_b == {self.rule_b}, must be >= 0 (more points never mean less)")
        if self.alone is not None and not (all(map(is_number, self.alone)) and self.alone[1] >= 0):
            raise InputError(f"scorer: alone == {self.alone}, must be two finite numbers, the second >= 0")
        if not 0.0 <= self.rule_share <= 1.0:
            raise InputError(f"scorer: rule_share == {self.rule_share}, must lie between 0 and 1")
        if abs(self.shift) > LARGEST_SHIFT:
            raise InputError(f"scorer: shift == {self.shift}, must lie between -{LARGEST_SHIFT} and {LARGEST_SHIFT}")
        check_encodings(self.encodings, self.specs)
        if self.linear is not None:
            self.linear.check(self.specs, self.encodings)
        object.__setattr__(self, "_encoder", encoder(self.encodings))

    @property
    def base(self) -> float:
        """Log-odds of a row with no points and no feature contributions."""
        return self.slope * (self.rule_share * self.rule_a + self.expected_value) + self.intercept + self.shift

    @property
    def rule_scale(self) -> float:
        """Calibrated log-odds of one rule point."""
        return self.slope * self.rule_share * self.rule_b

    def log_odds(self, X: Floats, points: Floats) -> Floats:
        """Give the calibrated log-odds.

        Args:
            X: features, shape (n, len(specs)), NaN = null.
            points: total rule points, shape (n,).
        """
        encoded, terms = self._read(X)
        z = self._affine(encoded, points, terms)
        return (z if self.isotonic is None else self.isotonic.of(z)) + self.shift

    def contributions(self, X: Floats, points: Floats | None = None) -> Contributions:
        """Split the log-odds into additive parts.

        Args:
            X: features, shape (n, len(specs)), NaN = null.
            points: total rule points, shape (n,); needed with isotonic calibration, whose part depends on them.

        Raises:
            InputError: the points are needed and not given.
        """
        if self.isotonic is not None:
            if points is None:
                raise InputError("scorer: the part of isotonic calibration depends on the rule points; give them")
            return self.explained(X, points)[1]
        encoded, terms = self._read(X)
        return Contributions(self.base, self.rule_scale, self._features(encoded, terms), np.zeros(len(X)))

    def explained(self, X: Floats, points: Floats) -> tuple[Floats, Contributions]:
        """Give `log_odds` and `contributions` together, at the cost of less than both."""
        encoded, terms = self._read(X)
        z = self._affine(encoded, points, terms)
        calibrated = z if self.isotonic is None else self.isotonic.of(z)
        parts = Contributions(self.base, self.rule_scale, self._features(encoded, terms), calibrated - z)
        return calibrated + self.shift, parts

    def interval_of(self, log_odds: Floats) -> tuple[Floats, Floats] | None:
        """Give the lower and the upper probability for served log-odds, shape (n,) each; None without an interval."""
        return None if self.interval is None else self.interval.of(log_odds, self.shift)

    def _read(self, X: Floats) -> tuple[Floats, Floats | None]:
        """Put encodings in place; give what each linear term adds too, shape (n, number of terms)."""
        encoded = X
        if self._encoder is not None:
            encoded = X.copy()
            encoded[:, self._encoder.places] = self._encoder.of(X)
        return encoded, None if self.linear is None else self.linear.of(X, encoded)

    def _affine(self, encoded: Floats, points: Floats, terms: Floats | None) -> Floats:
        """Give z, shape (n,)."""
        raw = self.rule_share * (self.rule_a + self.rule_b * points)
        if self.booster is not None and len(points):
            raw = raw + self.booster.predict(encoded, raw_score=True, num_threads=_threads(len(points)))
        if terms is not None:
            raw = raw + np.ascontiguousarray(terms).sum(axis=1)  # one order of summation, however many rows
        return np.asarray(self.slope * raw + self.intercept, dtype=np.float64)

    def _features(self, encoded: Floats, terms: Floats | None) -> Floats:
        """Give the contributions of the features, shape (n, len(specs))."""
        if self.booster is None or not len(encoded):
            features = np.zeros((len(encoded), len(self.specs)))
        else:
            shap = self.booster.predict(encoded, pred_contrib=True, num_threads=_threads(len(encoded)))
            features = self.slope * np.asarray(shap, dtype=np.float64)[:, :-1]
        if self.linear is not None and terms is not None:
            self.linear.add_to(features, self.slope * terms)
        return features

    @property
    def rule_line(self) -> tuple[float, float]:
        """Log-odds at 0 points and of one point, where the rules answer alone."""
        return (self.rule_a, self.rule_b) if self.alone is None else self.alone

    def rules_alone(self) -> "Scorer":
        """Give what answers by the rules alone, without features and shift; a base rate where points say nothing."""
        a, b = self.rule_line
        return Scorer("rules" if b > 0 else "base_rate", self.target, self.horizon_us, self.reference, a, b, self.card)

    def check_kind(self) -> None:
        """Refuse a kind that does not fit the parts: booster and features of the kinds that have them, and only those.

        Raises:
            InputError: they do not fit.
        """
        if self.kind not in BASIS:
            raise InputError.unknown_name("kind of scorer", self.kind, BASIS)
        if (self.kind == "lightgbm") != (self.booster is not None):
            raise InputError(f"a scorer of kind `{self.kind}` does not fit the model file")
        if self.kind == "scorecard" and self.linear is None:
            raise InputError("a scorer of kind `scorecard` needs linear terms")
        if self.kind in {"rules", "base_rate"} and self.linear is not None:
            raise InputError(f"a scorer of kind `{self.kind}` has no linear terms")

    def to_json(self) -> dict[str, Any]:
        """Give all but the booster as JSON; the optional parts are null where absent."""
        parts = {name: getattr(self, name) for name in ("linear", "isotonic", "interval")}
        return {
            **{name: getattr(self, name) for name in PLAIN},
            **{name: None if part is None else part.to_json() for name, part in parts.items()},
            "alone": None if self.alone is None else list(self.alone),
            "card": dict(self.card),
            "specs": [spec.to_json() for spec in self.specs],
            "encodings": {str(place): list(numbers) for place, numbers in self.encodings.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], booster: Any) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InputError: a number without meaning, or parts that do not fit each other.
            SpecError: a specification is wrong.
            KeyError: a key is missing.
        """
        found = cls(
            **{name: data[name] for name in PLAIN if name in data or name != "rule_share"},  # older bundles have none
            card=data["card"],
            specs=tuple(FeatureSpec.from_json(spec) for spec in data["specs"]),
            encodings={int(place): tuple(numbers) for place, numbers in data["encodings"].items()},
            linear=None if data["linear"] is None else Linear.from_json(data["linear"]),
            isotonic=None if data["isotonic"] is None else Isotonic.from_json(data["isotonic"]),
            interval=None if data["interval"] is None else VennAbers.from_json(data["interval"]),
            alone=None if data.get("alone") is None else tuple(data["alone"]),  # older bundles have none
            booster=booster,
        )
        found.check_kind()
        return found


def _threads(rows: int) -> int:
    """Give one thread for single rows (starting more costs milliseconds), all cores for many."""
    return 1 if rows < 1_000 else 0
