"""What the benchmarks of training share as commands: progress on stderr, an error of one line."""

import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from leadlight.errors import LeadlightError

Say = Callable[[str], None]


def attempted(work: Callable[[Say], dict[str, Any]]) -> dict[str, Any] | None:
    """Do a benchmark's work, told how to say what it does; None where it failed, which is then told on stderr."""
    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    try:
        return work(say)
    except LeadlightError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return None
