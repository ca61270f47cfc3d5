"""How long the main job takes: the demo without serving, best of several runs, each in a fresh workspace.

Usage: python -m benchmarks.speed [--runs 2] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def timed_demo() -> dict[str, Any]:
    """Run `leadlight demo --no-serve --json` once.

    Returns:
        `wall_seconds` of the whole process (start-up included), and of the demo's own answer `leads`, `activities` and
        `seconds` per stage.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "leadlight", "demo", "--no-serve", "--json"]
        started = time.perf_counter()
        done = subprocess.run(  # noqa: S603  (our own interpreter and module)
            [*command, "--workspace", str(Path(scratch) / "workspace")], stdout=subprocess.PIPE, check=True
        )
        wall = time.perf_counter() - started
    answer = json.loads(done.stdout)
    return {"wall_seconds": round(wall, 1), **{key: answer[key] for key in ("leads", "activities", "seconds")}}


def main() -> None:
    """Time the demo and print the best run beside all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2, help="how many runs; the best counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    runs = [timed_demo() for _ in range(max(1, options.runs))]
    best = min(runs, key=lambda run: float(run["wall_seconds"]))
    if options.json:
        print(json.dumps({"cpus": os.cpu_count(), "best": best, "runs": runs}))
        return
    print(f"{best['leads']:,} leads, {best['activities']:,} activities on {os.cpu_count()} CPUs")
    print(f"best of {len(runs)}: {best['wall_seconds']} s   (all: {', '.join(str(r['wall_seconds']) for r in runs)})")
    for stage, seconds in best["seconds"].items():
        print(f"  {stage:<12} {seconds:>7.1f} s")


if __name__ == "__main__":
    main()
