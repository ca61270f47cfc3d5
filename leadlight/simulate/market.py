"""What a market is: hidden lead types and, given the type, a Markov process of moods, stages and activities.

Given its type k, a lead is a continuous-time Markov chain over (mood m, stage s). Only the stage is observed. While it
is in (m, s), activities of kind c happen as a Poisson process of rate `rates[k, s, m, c]`: a Markov-modulated Poisson
process (Fischer and Meier-Hellstern 1993, doi:10.1016/0166-5316(93)90035-S). Every rate is per day.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from leadlight.errors import InputError
from leadlight.schema import ACTIVITY_TYPES, STAGES

Floats = NDArray[np.float64]

MAX_TYPES: Final = 8
MOODS: Final[tuple[str, ...]] = ("silent", "active", "evaluating")


@dataclass(frozen=True, slots=True)
class Trait:
    """An attribute with finitely many values and what it says of the type.

    Attributes:
        name: name of the attribute.
        values: its values.
        table: of a person's trait P(value | type), shape (K, values); of a company's trait the additive weight of
            the value in the logit of the type, same shape.
        marginal: of a company's trait P(value), shape (values,); None for a person's trait.
        missing: share of leads (or companies) where the value is not known; independent of everything.
    """

    name: str
    values: tuple[str, ...]
    table: Floats
    marginal: Floats | None
    missing: float

    def to_json(self) -> dict[str, Any]:
        """Give the trait as JSON."""
        marginal = None if self.marginal is None else self.marginal.tolist()
        return {
            "name": self.name,
            "values": list(self.values),
            "table": self.table.tolist(),
            "marginal": marginal,
            "missing": self.missing,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        marginal = None if data["marginal"] is None else np.array(data["marginal"], dtype=np.float64)
        return cls(data["name"], tuple(data["values"]), np.array(data["table"]), marginal, float(data["missing"]))


@dataclass(frozen=True, slots=True)
class Market:
    """The frozen parameters of a market with K types, S stages, M moods and C activity kinds.

    Attributes:
        types: names of the hidden types; they never leave the truth folder.
        type_logit: logit of each type before company traits, shape (K,).
        company_traits: drawn per company; with `type_logit` they give P(type | company).
        person_traits: drawn per lead given its type.
        initial_mood: P(mood at creation | type), shape (K, M).
        mood_rates: rate of switching mood, shape (K, S, M, M); birth and death: only neighbours; diagonal 0.
        stage_rates: rate of moving to another stage, shape (K, S, M, S); diagonal 0.
        rates: activities a day, shape (K, S, M, C), C in the order of `leadlight.schema.ACTIVITY_TYPES`.
    """

    types: tuple[str, ...]
    type_logit: Floats
    company_traits: tuple[Trait, ...]
    person_traits: tuple[Trait, ...]
    initial_mood: Floats
    mood_rates: Floats
    stage_rates: Floats
    rates: Floats

    def __post_init__(self) -> None:
        """Refuse parameters that describe no market."""
        k, s, m, c = len(self.types), len(STAGES), len(MOODS), len(ACTIVITY_TYPES)
        shapes = {
            "type_logit": (k,),
            "initial_mood": (k, m),
            "mood_rates": (k, s, m, m),
            "stage_rates": (k, s, m, s),
            "rates": (k, s, m, c),
        }
        if not 1 <= k <= MAX_TYPES:
            raise InputError(f"market: {k} hidden types, must be 1 to {MAX_TYPES}")
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape:
                raise InputError(f"market: `{name}` has shape {array.shape}, must be {shape}")
            if not np.isfinite(array).all() or (name != "type_logit" and (array < 0).any()):
                raise InputError(f"market: `{name}` must be finite and not negative")
        if not np.allclose(self.initial_mood.sum(axis=1), 1.0):
            raise InputError("market: each row of `initial_mood` must add up to 1")
        far = np.abs(np.subtract.outer(np.arange(m), np.arange(m))) != 1
        if self.mood_rates[:, :, far].any():
            raise InputError("market: `mood_rates` may only join neighbouring moods")

    def to_json(self) -> dict[str, Any]:
        """Give the market as JSON."""
        return {
            "types": list(self.types),
            "company_traits": [trait.to_json() for trait in self.company_traits],
            "person_traits": [trait.to_json() for trait in self.person_traits],
        } | {name: getattr(self, name).tolist() for name in _ARRAYS}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            types=tuple(data["types"]),
            company_traits=tuple(Trait.from_json(trait) for trait in data["company_traits"]),
            person_traits=tuple(Trait.from_json(trait) for trait in data["person_traits"]),
            **{name: np.array(data[name], dtype=np.float64) for name in _ARRAYS},
        )


_ARRAYS: Final = ("type_logit", "initial_mood", "mood_rates", "stage_rates", "rates")
