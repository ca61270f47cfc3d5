"""Can training be trusted: every figure that is claimed of it, with its bar.

Usage: python -m benchmarks.training [--data FOLDER] [--only PART ...] [--seeds N] [--records NAME ...] [--json]
                                     [--out FILE]

    leaks         planted leaks found, and honest columns accused, in simulated markets and BPIC 2012
    xeducation    every column of X Education given and nothing declared: what the audit leaves, under two sets of names
    ladder        log loss with 0 to 1,600 wins, against rules and base rate; companies drawn from several markets
    calibration   ECE on the newest slice, and after the base rate moved from 5 % to 20 %
    segments      do 90 % intervals of segment conversion rates hold the true rate
    oracle        distance to the AUC of the simulator's true probabilities, mean of several markets
    flaml         against FLAML, given the same seconds on the same rows (needs the extra `bench`)
    resume        finished trials lost when tuning is killed and resumed

Each is a command of its own, with more to set and more to read: python -m benchmarks.training.leaks (leak_xeducation is
in it), .learning_curve, .calibration, .segments, .oracle, .automl, .resume. Without the folder of the public data sets
everything is measured on the simulator only, and `not_run` says so. What a part found is told on stderr when it is
finished; with --out the JSON so far is written then too, so that a run that is stopped is not lost. `measured` in it
says of each part which seeds it took and which commit of the code (as it was when the command started).

Exit status: 0 every bar that was measured holds, 1 one is missed, 2 bad usage or input, or a part could not be run.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.commit import Commit, commit
from benchmarks.sets import check_files
from benchmarks.training import learning_curve
from benchmarks.training.bars import KEYS, bars_of
from benchmarks.training.parts import PARTS, Asked
from leadlight.errors import LeadlightError
from leadlight.workspace import write_text_atomically

LIBRARIES: Final = ("lightgbm", "scikit-learn", "optuna", "polars", "numpy")
NOT_ASKED: Final = "left out by --only"
NOT_AMONG: Final = "left out by --records"


@dataclass(slots=True)
class Bench:
    """What was found so far.

    Attributes:
        found: key -> figure, of the parts that ended.
        not_run: key -> why there is no figure.
        details: part -> everything that stands behind its figures.
        seconds: part -> wall time.
        measured: part -> its seeds, and the commit of the code (null outside a git repository).
        failed: whether a part that could be run did not come to its end.
    """

    found: dict[str, Any] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)
    failed: bool = False


def measure(asked: Asked, only: Sequence[str], out: Path | None) -> Bench:
    """Measure the parts in the order of `PARTS`; what was found is told, and written, after each."""
    code = commit()
    bench = Bench(not_run={key: "not yet" for part in PARTS.values() for key in part.keys})
    for name, part in PARTS.items():
        why = part.hindered(asked) if name in only else NOT_ASKED
        if why is None:
            why = _measured(bench, name, asked, code)
        elif name in only:
            asked.say(f"{name}: not run: {why}")
        told = dict.fromkeys(part.keys, why)
        bench.not_run = {key: told.get(key, reason) or NOT_AMONG for key, reason in bench.not_run.items()}
        bench.not_run = {key: reason for key, reason in bench.not_run.items() if key not in bench.found}
        if out is not None:
            write_text_atomically(out, json.dumps(as_json(bench), allow_nan=False, indent=1) + "\n")
    return bench


def _measured(bench: Bench, name: str, asked: Asked, code: Commit | None) -> str | None:
    """Measure a part; gives why it failed, None where it did not."""
    asked.say(f"{name}:")
    start = time.perf_counter()
    seeds = PARTS[name].repetitions(asked)
    try:
        answer = PARTS[name].measure(asked, seeds)
    except LeadlightError as problem:
        bench.failed = True
        asked.say(f"{name}: error: {problem}")
        return f"failed: {problem}"
    bench.seconds[name] = round(time.perf_counter() - start, 1)
    bench.measured[name] = {"seeds": list(range(seeds)), "commit": None if code is None else asdict(code)}
    bench.details[name] = answer.pop("details", None)
    bench.found |= answer
    asked.say(f"{name} ({bench.seconds[name]:.0f} s): {json.dumps(answer, allow_nan=False)}")
    return None


def as_json(bench: Bench) -> dict[str, Any]:
    """Give every key, null where it was not measured and why it was not, the bars, and what stands behind the figures.

    `sets` names for each part that was measured what it was measured on.
    """
    return {
        **dict.fromkeys(KEYS),
        **bench.found,
        "not_run": bench.not_run,
        "sets": {name: list(PARTS[name].sets(details)) for name, details in bench.details.items()},
        "bars": {bar.key: bar.held for bar in bars_of(bench.found)},
        "seconds": bench.seconds,
        "measured": bench.measured,
        "cores": os.cpu_count(),
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "details": bench.details,
    }


def show(bench: Bench) -> None:
    """Print the figures beside their bars."""
    for bar in bars_of(bench.found):
        print(f"{bar.key:<26} {bar.word:<7}  {bar.found}   ({bar.demand})")
    for why in dict.fromkeys(bench.not_run.values()):
        print(f"{why}: {', '.join(key for key, told in bench.not_run.items() if told == why)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument("--seeds", type=int, help="repetitions of each part (default: as many as its bar asks for)")
    parser.add_argument("--records", nargs="+", choices=learning_curve.RECORDS, help="of the ladder (default: all)")
    parser.add_argument("--out", type=Path, help="file for the JSON, written after each part")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and give the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 1:
        parser.error("--seeds must be at least 1")
    console = Console(stderr=True)

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    asked = Asked(options.data, options.seeds, say, options.records)
    try:
        if options.data is not None:
            check_files(options.data)
        bench = measure(asked, options.only, options.out)
    except (LeadlightError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(bench), allow_nan=False))
    else:
        show(bench)
    if bench.failed:
        return 2
    return 1 if any(bar.held is False for bar in bars_of(bench.found)) else 0


if __name__ == "__main__":
    sys.exit(run())
