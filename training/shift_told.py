"""What a look at the base rate is told as, and with how few outcomes it says little or nothing."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadlight.phrases import counted

# With fewer matured leads of either outcome than this, the base rate that recent scores are held against is hardly
# known, and it is said.
FEW_LEADS: Final = 20
MEND: Final = "ingest newer outcomes"


def finding(before: float, after: float, interval: str, leads: int, *, few: str | None, assumption: str | None) -> str:
    """Tell what recent scores say about the base rate.

    Args:
        before: base rate that is known.
        after: base rate that recent scores look like.
        interval: of `after`, in words.
        leads: recent ones.
        few: how few leads `before` stands on, as `few` says it; None = enough.
        assumption: that a correction rests on; None = there is no alarm.
    """
    what = f"the base rate of {counted(leads, 'recent lead')} looks like {after:.1%} ({interval})"
    known = f"{before:.1%}" if few is None else f"{before:.1%} that {few}"
    if assumption is not None:
        return f"{what} instead of {known}, which is beyond noise; correcting probabilities for it {assumption}"
    if few is not None:
        return f"{what}, not distinguishable from {known}, too few to see a change by: nothing is corrected"
    return f"{what}, not distinguishable from the {known} known: nothing is to be corrected"


def nothing(before: float, leads: int) -> str:
    """Tell that recent scores cannot say anything about the base rate."""
    told = f"the scores of {counted(leads, 'recent lead')} hardly differ and tell nothing of the base rate"
    return f"{told}, known as {before:.1%}: nothing is corrected"


def few(y: NDArray[np.float64], lead: NDArray[np.intp]) -> str | None:
    """Say on how few leads of the rarer outcome a base rate stands; None where these are enough.

    Args:
        y: outcomes of matured snapshots, 0 or 1, shape (m,).
        lead: number of the lead of each, shape (m,).
    """
    kinds = {"with a success": np.unique(lead[y == 1]).size, "with a failure": np.unique(lead[y == 0]).size}
    rarer = min(kinds, key=lambda kind: kinds[kind])
    leads = kinds[rarer]
    return (
        None if leads >= FEW_LEADS else f"{counted(leads, 'matured lead')} {rarer} {'tells' if leads == 1 else 'tell'}"
    )


def missing(y: NDArray[np.float64]) -> str:
    """Say why matured snapshots of the ages of the recent ones give no base rate, and the mend.

    Args:
        y: outcomes of those, 0 or 1, shape (m,).
    """
    if not len(y):
        told = "no matured snapshot is of an age of the recent ones"
    elif y.any() and not y.all():
        told = f"of {counted(len(y), 'matured snapshot')} those of no age have both outcomes"
    else:
        told = f"{'all' if y.all() else 'none'} of {counted(len(y), 'matured snapshot')} succeeded"
    return f"{told}, so there is no base rate to hold recent scores against; {MEND}"
