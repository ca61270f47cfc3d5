"""Three public data sets through the same door as everybody's: ingest, train, compare, written to docs/results.md.

Usage: python -m benchmarks.results --data ../shared/data [--json] [--out docs/results.md]

Exit status: 0 every bar is passed, 1 a bar is missed (the page is written all the same), 2 bad usage or input.
"""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.bars import Bar, bars_of
from benchmarks.measure import ROOT, Measured, measure
from benchmarks.report import page
from benchmarks.sets import QUESTIONS, Question, check_files
from leadlight.errors import LeadlightError
from leadlight.workspace import write_text_atomically
from training.comparison import METRIC_NAMES, METRICS

LIBRARIES: Final = ("lightgbm", "scikit-learn", "optuna", "polars", "numpy")


def versions() -> dict[str, str]:
    """Give the versions that figures depend on: Python and the libraries that learn or compute."""
    return {"Python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def measure_all(data: Path, console: Console) -> list[Measured]:
    """Answer every question, with progress on stderr."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        return [_with_progress(question, data, bar) for question in QUESTIONS]


def _with_progress(question: Question, data: Path, bar: Progress) -> Measured:
    task = bar.add_task(question.key, total=None)

    def say(text: str) -> None:
        bar.console.print(f"{question.key}: {text}", highlight=False, markup=False, soft_wrap=True)

    measured = measure(
        question, data, say=say, progress=lambda done, total: bar.update(task, completed=done, total=total)
    )
    bar.remove_task(task)
    return measured


def as_json(results: Sequence[Measured], bars: Sequence[Bar], out: Path) -> dict[str, Any]:
    """Give everything that was measured as one object."""
    return {
        "versions": versions(),
        "out": str(out),
        "passed": all(bar.passed for bar in bars),
        "bars": [bar.to_json() for bar in bars],
        "results": [result.to_json() for result in results],
    }


def show(results: Sequence[Measured], bars: Sequence[Bar], console: Console) -> None:
    """Print the figures for reading: data set x scorer x metric, and the bars."""
    for result in results:
        comparison = result.comparison
        counted = f"{comparison.rows:,} rows, {comparison.positives:,} positive"
        table = Table(title=f"{result.question.key} ({result.kind}; {counted})", title_justify="left")
        table.add_column("scorer")
        for metric in METRICS:
            table.add_column(METRIC_NAMES[metric], justify="right")
        for scorer in comparison.metrics["auc"]:
            found = [comparison.metrics[metric][scorer] for metric in METRICS]
            table.add_row(scorer, *("-" if value is None else f"{value.value:.4f}" for value in found))
        console.print(table)
    for bar in bars:
        word = "passed" if bar.passed else "MISSED"
        line = f"{word}  {bar.data_set}: {bar.demand} ({bar.found})"
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds bpic2012, xeducation and olist")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results.md", help="the page to write")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    options = parser.parse_args(arguments)
    try:
        check_files(options.data)
        results = measure_all(options.data, Console(stderr=True))
        bars = [bar for result in results for bar in bars_of(result)]
        write_text_atomically(options.out, page(results, bars, versions()))
    except LeadlightError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(results, bars, options.out), ensure_ascii=False, allow_nan=False))
    else:
        show(results, bars, Console())
        print(f"written: {options.out}")
    return 0 if all(bar.passed for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(run())
