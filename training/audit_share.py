"""The share that counts in a verdict: the lower end of its interval, so that few leads prove little."""

from typing import Final

from leadlight.metrics import wilson_interval

LEVEL: Final = 0.99


def least(happened: float, leads: int) -> float:
    """Give the lower end of the Wilson interval of a share, happened / leads, at the level 0.99; 0 of no leads.

    >>> [round(least(n, n), 2) for n in (10, 100)]
    [0.6, 0.94]
    """
    return wilson_interval(happened, leads, LEVEL)[0]
