"""How fast features are built: against queries written by hand, as the log grows, for more ages, and online.

Usage: python -m benchmarks.features --activities 20000000 [--only PART ...] [--out docs/scale.md] [--json]

Parts: handwritten, growth (a log five times as large), ages, incremental, hygiene, online, parity, engines. What is
not measured is null. Exit status: 0 measured, 1 tables that must be equal differ, 2 bad usage or input.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.features import figures, question
from benchmarks.features.bars import KEYS, WITHOUT_BAR, bars_of
from benchmarks.features.figures import Bench
from benchmarks.features.page import page
from features.engines.base import ENGINES
from leadlight.errors import LeadlightError
from leadlight.workspace import write_text_atomically

PARTS: Final[dict[str, Callable[[Bench], None]]] = {
    "handwritten": figures.handwritten,
    "ages": figures.ages,
    "incremental": figures.incremental,
    "hygiene": figures.hygiene,
    "online": figures.of_one_lead,
    "parity": figures.parity,
    "engines": figures.engines,
    "growth": figures.growth,
}
LIBRARIES: Final = ("polars", "narwhals", "duckdb", "pandas", "pyspark", "numpy")


def measure(bench: Bench, parts: Sequence[str]) -> None:
    """Measure the parts asked for, in the order of `PARTS`."""
    bench.details |= {
        "cores": os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        "features": len(question.specs()),
        "runs": bench.runs,
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }
    for name, part in PARTS.items():
        if name in parts:
            bench.say(f"{name}:")
            part(bench)


def as_json(bench: Bench) -> dict[str, Any]:
    """Give every key, null where it was not measured, and what the figures come from."""
    return {
        **{key: bench.found.get(key) for key in (*KEYS, *WITHOUT_BAR)},
        "activities": bench.activities,
        "bars": {bar.key: bar.passed for bar in bars_of(bench.found)},
        "details": bench.details,
    }


def show(bench: Bench) -> None:
    """Print the figures beside their bars."""
    for bar in bars_of(bench.found):
        print(f"{bar.key:<24} {bar.found:>14}   {'passed' if bar.passed else 'MISSED'}: {bar.demand}")


@contextmanager
def scratch(wanted: Path | None, *, keep: bool) -> Iterator[Path]:
    """Give a folder for logs and outputs: a temporary one, or the one wanted, whose logs may stay for the next run."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="leadlight-features-") as temporary:
            yield Path(temporary)
        return
    wanted.mkdir(parents=True, exist_ok=True)
    try:
        yield wanted
    finally:
        figures.clear(wanted, keep_logs=keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--activities", type=int, default=20_000_000, help="size of the log; leads are a fiftieth")
    parser.add_argument("--runs", type=int, default=3, help="repetitions; medians count")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument("--scratch", type=Path, help="folder for logs and outputs (default: a temporary one)")
    parser.add_argument("--keep", action="store_true", help="leave the logs in --scratch and use them again")
    parser.add_argument(
        "--engines", nargs="+", choices=ENGINES, default=list(ENGINES), help="engines of parity, engines"
    )
    parser.add_argument("--no-cluster", action="store_true", help="run Spark in one process, not on a cluster")
    parser.add_argument("--out", type=Path, help="page to write, for example docs/scale.md")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.activities < figures.LEAST or options.runs < 1:
        parser.error(f"--activities must be at least {figures.LEAST:,}, --runs at least 1")
    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    try:
        with scratch(options.scratch, keep=options.keep) as folder:
            bench = Bench(options.activities, options.runs, folder, options.engines, not options.no_cluster, say)
            measure(bench, options.only)
        if options.out is not None:
            write_text_atomically(options.out, page(bench.found, bench.details, bars_of(bench.found)))
    except LeadlightError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(bench), allow_nan=False))
    else:
        show(bench)
    return 1 if bench.found.get("parity_differences") or bench.details.get("differences") else 0


if __name__ == "__main__":
    sys.exit(run())
