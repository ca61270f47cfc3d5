"""How long freed memory is kept by Polars' allocator.

Work in chunks allocates and frees the same gigabytes again and again. By default freed pages go back to the system
after ten seconds or sooner, and every chunk faults them in anew; kept for half a minute they are used again.
`python -m benchmarks.features --only handwritten` prints what that is worth. The setting is jemalloc's, which Polars
brings along: https://jemalloc.net/jemalloc.3.html (`opt.*`).
"""

import os
from typing import Final

VARIABLE: Final = "_RJEM_MALLOC_CONF"  # of the copy inside Polars; other builds of Polars do not look at it
SETTING: Final = "dirty_decay_ms:30000,muzzy_decay_ms:30000"


def keep_freed_memory() -> None:
    """Set it for this process and what it starts; without effect once Polars is loaded, or where it is set already."""
    os.environ.setdefault(VARIABLE, SETTING)
