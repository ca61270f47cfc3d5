"""What successes alone carry: nothing where they are known for being quick, a level where failures would be known."""

import numpy as np
from numpy.typing import NDArray

from leadlight.phrases import counted
from training.ladder_needs import RungName


def carried(wins: int, ended: NDArray[np.bool_] | None, least: float) -> tuple[RungName, str]:
    """Give the rung that answers where no failure is known, and why.

    Of a horizon that had ended a failure would be known too: where enough had, that all succeeded is an outcome, and
    moves the rules. Quick successes tell nothing, and without a clock nobody knows who is missing from the list.

    Args:
        wins: leads with a success.
        ended: of which snapshots, all of them successes, the horizon had ended at the cut, shape (n,), n > 0; None = no
            clock.
        least: share of them that is enough.
    """
    of_leads = f"those of {counted(wins, 'lead')}"
    if ended is None:
        return "prior", f"only successes are known at the cut, {of_leads}, and no failure"
    if not ended.any():
        return "prior", f"only quick successes are known at the cut, {of_leads}, and no failure yet"
    told = f"only successes are known at the cut, {of_leads}"
    of_them = f"the horizon of {int(ended.sum()):,} of {counted(len(ended), 'snapshot')} had ended"
    if ended.mean() < least:
        return "prior", f"{told}; {of_them}, the others are known for having been quick"
    return "rules", f"{told}; {of_them}, and all succeeded"
