"""The columns that a rule card and a booster need together, each meaning computed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadlight.spec import FeatureSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """The union of two lists of specifications.

    Attributes:
        specs: every meaning once, names unique (m of them).
        card_at: position in `specs` of each column of the card, by its name.
        scorer_at: positions in `specs` of the booster's columns, in its order.
    """

    specs: tuple[FeatureSpec, ...]
    card_at: Mapping[str, int]
    scorer_at: NDArray[np.intp]

    @classmethod
    def union(cls, card: Sequence[FeatureSpec], scorer: Sequence[FeatureSpec]) -> "Columns":
        """Unite the columns of a card and of a scorer; what they call a column does not matter, what it means does."""
        places: dict[FeatureSpec, int] = {}
        specs: list[FeatureSpec] = []
        taken: set[str] = set()

        def place(spec: FeatureSpec) -> int:
            meaning = replace(spec, name="", family="rule")
            if meaning not in places:
                name = spec.name
                while name in taken:
                    name += "_"
                taken.add(name)
                places[meaning] = len(specs)
                specs.append(replace(spec, name=name))
            return places[meaning]

        at = np.array([place(spec) for spec in scorer], dtype=np.intp)
        card_at = {spec.name: place(spec) for spec in card}
        return cls(tuple(specs), card_at, at)

    def for_card(self, matrix: Floats) -> dict[str, Floats]:
        """Give the card's columns, shape (n,) each, out of the united matrix (n, m)."""
        return {name: matrix[:, at] for name, at in self.card_at.items()}

    def for_scorer(self, matrix: Floats) -> Floats:
        """Give the booster's matrix, C-contiguous, out of the united matrix (n, m)."""
        return np.ascontiguousarray(matrix[:, self.scorer_at])
