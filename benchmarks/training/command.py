"""What the benchmarks of training share as commands: progress on stderr, an error of one line."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
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


def run_markets(
    doc: str | None,
    arguments: Sequence[str] | None,
    measure: Callable[[int, int, Say], dict[str, Any]],
    show: Callable[[Mapping[str, Any]], None],
    *,
    leads: int,
    seeds: int,
) -> int:
    """Measure simulated markets one by one, print them, and give the exit status.

    Args:
        doc: what `--help` says.
        arguments: of the command; None = those of the process.
        measure: gives what was found in the market of a seed, with so many leads.
        show: prints it for people.
        leads: of each market by default.
        seeds: how many markets by default.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=leads, help="leads of each market")
    parser.add_argument("--seeds", type=int, default=seeds, help="number of markets, seeds 0, 1, ...")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    found = attempted(lambda say: {"markets": [measure(seed, options.leads, say) for seed in range(options.seeds)]})
    if found is None:
        return 2
    if options.json:
        print(json.dumps(found, allow_nan=False))
        return 0
    for market in found["markets"]:
        show(market)
    return 0
