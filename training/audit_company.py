"""The company a column keeps: filled in only where a suspect column is filled, it was filled in by the same hand.

What sales notes after talking to a lead stands in several fields. One of them may tell the outcome plainly and
another only a little, but none is there for leads nobody has talked to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.audit_groups import LEAST_GROUP
from training.audit_share import least

Flags = NDArray[np.bool_]

# A column that is nearly always filled, or nearly never, keeps company with all or none.
SOME: Final = 0.05
# By so much more often a suspect column must be filled beside the column than elsewhere.
MORE: Final = 0.20


@dataclass(frozen=True, slots=True)
class Company:
    """A column beside one that is suspect by itself.

    Attributes:
        beside: the suspect column.
        share: of the leads with a value, those that have one in the suspect column too.
        least: lower end of its interval.
        otherwise: the same share among the leads without a value.
    """

    beside: str
    share: float
    least: float
    otherwise: float


def company(held: Flags, suspects: Mapping[str, Flags]) -> Company | None:
    """Find the suspect column beside which a column stands most surely.

    Args:
        held: which leads have a value, shape (n,).
        suspects: the same of the suspect columns, by name.

    Returns:
        None where there is none that is filled clearly more often beside it; nor for columns that are filled nearly
        always or nearly never.
    """
    found = []
    for name, other in suspects.items():
        if not _some(held) or not _some(other):
            continue
        both, own = int((held & other).sum()), int(held.sum())
        found.append(Company(name, both / own, least(both, own), float(other[~held].mean())))
    beside = (one for one in found if one.least - one.otherwise >= MORE)
    return max(beside, key=lambda one: one.least, default=None)


def _some(held: Flags) -> bool:
    return bool(SOME <= held.mean() <= 1 - SOME and held.sum() >= LEAST_GROUP)
