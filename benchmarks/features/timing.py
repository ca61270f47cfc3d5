"""Pieces of work in fresh processes, repeated in turns, and the median of what they took."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadlight import allocator
from leadlight.workspace import Workspace

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What a process is asked to do (see `benchmarks.features.work`).

    Attributes:
        keeps_memory: runs with the product's setting of Polars' allocator, as the product's own commands do.
    """

    name: str
    workspace: Workspace
    snapshots: Path
    out: Path
    master: str | None = None
    old: Path | None = None
    keeps_memory: bool = True


@dataclass(frozen=True, slots=True)
class Took:
    """What work took: the median of its seconds, the largest of its peaks in MB, and its rows."""

    seconds: float
    peak_mb: int
    rows: int
    runs: tuple[float, ...]


def timed(works: Sequence[Work], runs: int, say: Say) -> list[Took]:
    """Do all works in turns, so that a slow moment of the machine meets all of them; the last outputs stay.

    Raises:
        RuntimeError: a process failed; the message ends with what it wrote.
    """
    found: list[list[dict[str, float]]] = [[] for _ in works]
    for number in range(runs):
        for work, results in zip(works, found, strict=True):
            results.append(_done(work))
            say(f"{work.name}, run {number + 1} of {runs}: {results[-1]['seconds']:.2f} s")
    return [
        Took(
            statistics.median(result["seconds"] for result in results),
            max(int(result["peak_mb"]) for result in results),
            int(results[0]["rows"]),
            tuple(round(result["seconds"], 3) for result in results),
        )
        for results in found
    ]


def _done(work: Work) -> dict[str, float]:
    shutil.rmtree(work.out, ignore_errors=True)
    command = [sys.executable, "-m", "benchmarks.features.work", work.name, str(work.workspace.root)]
    command += [str(work.snapshots), str(work.out), *(["--master", work.master] if work.master else [])]
    command += ["--old", str(work.old)] if work.old else []
    environment = {name: value for name, value in os.environ.items() if name != allocator.VARIABLE}
    environment |= {allocator.VARIABLE: allocator.SETTING} if work.keeps_memory else {}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  (our own module)
    if done.returncode != 0:
        raise RuntimeError(f"`{work.name}` failed (status {done.returncode}):\n{done.stderr[-2_000:]}")
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
