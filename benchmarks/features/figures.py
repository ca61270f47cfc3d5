"""The figures of the feature benchmark, each from its own pieces of work; ratios within one run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from benchmarks import spark_cluster
from benchmarks.features import day, question, single
from benchmarks.features.bars import INCREMENTAL_SHARE
from benchmarks.features.compare import compare
from benchmarks.features.market import GENERATION
from benchmarks.features.timing import Say, Took, Work, timed
from leadlight.workspace import Workspace

LEAST: Final = 10_000  # fewer hold too few leads to choose from
GROWTH: Final = 5  # how many times larger the large log is
PARITY_ACTIVITIES: Final = 100_000
ENGINE_ACTIVITIES: Final[dict[str, int | None]] = {
    "polars": None,
    "duckdb": None,
    "pandas": 1_000_000,
    "pyspark": 2_000_000,
}
PROCESSES: Final = 5  # that time one lead, at least
WORKERS: Final = 2
WORKER_MEMORY: Final = "2g"


@dataclass(slots=True)
class Bench:
    """What is measured, and what was found so far.

    Attributes:
        activities: size of the log.
        runs: repetitions; medians count.
        scratch: holds logs and outputs.
        engines: those that take part in parity and in the table of engines.
        cluster: whether Spark runs on a cluster of its own; else in the local process.
        say: told of progress.
        found: the figures by JSON key.
        details: what the figures come from.
    """

    activities: int
    runs: int
    scratch: Path
    engines: Sequence[str]
    cluster: bool
    say: Say
    found: dict[str, float | int | None] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def log(self, activities: int) -> Workspace:
        """Give a log of some size; made in a process of its own unless the scratch folder holds it."""
        workspace = Workspace.at(self.scratch / f"log-{activities}")
        if not workspace.has_tables():
            self.say(f"making a log of {activities:,} activities")
            command = [sys.executable, "-m", "benchmarks.features.market", str(activities), str(workspace.root)]
            subprocess.run(command, check=True)  # noqa: S603  (our own module)
        return workspace

    def work(
        self, name: str, activities: int, ages: Sequence[int] = question.ONE_AGE, master: str | None = None
    ) -> Work:
        """Describe a piece of work on a log of some size."""
        workspace = self.log(activities)
        snapshots = self.scratch / f"snapshots-{activities}-{len(ages)}.parquet"
        if not snapshots.exists():
            question.write_snapshots(workspace, ages, snapshots)
        return Work(name, workspace, snapshots, self.scratch / f"out-{name}-{activities}-{len(ages)}", master)


def handwritten(bench: Bench) -> None:
    """Hold the product against the files written by hand on the same snapshots; no ratio where tables differ.

    The files run as they are. The Polars file is timed once more with the allocator set as the product sets it for
    itself, which says how much of the ratio is that setting.
    """
    names = ("polars", "handwritten_polars", "handwritten_sql")
    ours, *by_hand = (bench.work(name, bench.activities) for name in names)
    as_written = [replace(work, keeps_memory=False) for work in by_hand]
    tuned = replace(by_hand[0], out=by_hand[0].out.with_name("out-tuned"))
    took, *theirs, same = timed([ours, *as_written, tuned], bench.runs, bench.say)
    compared = {work.name: compare(ours.out, work.out, question.specs()) for work in as_written}
    differing = {name: one.by_feature for name, one in compared.items() if one.differences}
    if differing:
        bench.say(f"the tables differ, so there is no ratio: {differing}")
        bench.details["differences"] = differing
    else:
        bench.found["ratio_best_handwritten"] = took.seconds / min(one.seconds for one in theirs)
        bench.details["ratio_same_allocator"] = took.seconds / same.seconds
    told = ("polars", *(work.name for work in as_written), "handwritten_polars, allocator set")
    bench.details["handwritten"] = {name: _told(one) for name, one in zip(told, (took, *theirs, same), strict=True)}
    bench.details["catalog_as_suggested"] = question.suggested_names(ours.workspace) == [
        spec.name for spec in question.specs()
    ]


def growth(bench: Bench) -> None:
    """Hold the seconds per activity of a log five times as large against those of the log."""
    large = bench.activities * GROWTH
    small, big = timed([bench.work("polars", bench.activities), bench.work("polars", large)], bench.runs, bench.say)
    bench.found["growth_100m_20m"] = big.seconds / small.seconds / GROWTH
    bench.found["peak_mb"] = big.peak_mb
    bench.details["growth"] = {str(bench.activities): _told(small), str(large): _told(big)}


def ages(bench: Bench) -> None:
    """Hold eight snapshots a lead against one."""
    works = [bench.work("polars", bench.activities, chosen) for chosen in (question.ONE_AGE, question.EIGHT_AGES)]
    one, eight = timed(works, bench.runs, bench.say)
    bench.found["ages8_ratio"] = eight.seconds / one.seconds
    bench.details["ages"] = {"1": _told(one), "8": _told(eight)}


def incremental(bench: Bench) -> None:
    """Hold an update after a day on which 1 % of the leads had new activity against a full build; equal, of course.

    Both are what the command does, hygiene included. Told beside it: the same where these leads have other attributes
    too, so that all rows of their companies have to be computed.
    """
    whole = bench.log(bench.activities)
    days = day.of(whole, bench.scratch / f"log-{bench.activities}-day")
    work = bench.work("build", bench.activities)
    old = replace(work, workspace=days.before, out=work.out.with_name("out-before"))
    full = replace(work, workspace=days.after, out=work.out.with_name("out-after"))
    update = replace(full, name="update", out=work.out.with_name("out-update"), old=old.out)
    told = replace(update, workspace=days.told, out=work.out.with_name("out-told"))
    timed([old], 1, bench.say)
    took, part, all_rows = timed([full, update, told], bench.runs, bench.say)
    for one in (update, told):
        compared = compare(full.out, one.out, question.specs())
        if compared.differences:
            bench.details["differences"] = {one.out.name: compared.by_feature}
            bench.say(f"the updated table differs: {compared.by_feature}")
            return
    bench.found["incremental_ratio"] = part.seconds / took.seconds
    bench.found["incremental_bar"] = INCREMENTAL_SHARE + 1.0 / took.seconds
    bench.found["incremental_all_rows"] = all_rows.seconds / took.seconds
    bench.details["incremental"] = {"full": _told(took), "update": _told(part), "update of all rows": _told(all_rows)}


def hygiene(bench: Bench) -> None:
    """Hold what the command does with hygiene against what it does without."""
    works = [bench.work(name, bench.activities) for name in ("build", "no_hygiene")]
    clean, plain = timed(works, bench.runs, bench.say)
    bench.found["hygiene_ratio"] = clean.seconds / plain.seconds
    bench.details["hygiene"] = {"with hygiene": _told(clean), "without": _told(plain)}


def of_one_lead(bench: Bench) -> None:
    """Time one lead online."""
    workspace = bench.log(min(bench.activities, PARITY_ACTIVITIES))
    again, new = single.of_processes(workspace, max(bench.runs, PROCESSES))
    bench.found["online_us"], bench.found["online_first_us"] = again, new


def parity(bench: Bench) -> None:
    """Compare every engine and the online path with Polars, at eight ages a lead."""
    activities = min(bench.activities, PARITY_ACTIVITIES)
    with _spark(bench) as master:
        works = [
            bench.work(name, activities, question.EIGHT_AGES, master if name == "pyspark" else None)
            for name in ("polars", *(one for one in bench.engines if one != "polars"), "online")
        ]
        timed(works, 1, bench.say)
    compared = {work.name: compare(works[0].out, work.out, question.specs()) for work in works[1:]}
    bench.found["parity_cells"] = sum(one.cells for one in compared.values())
    bench.found["parity_differences"] = sum(one.differences for one in compared.values())
    bench.details["parity"] = {
        name: {"cells": one.cells, "differences": one.differences, **one.by_feature} for name, one in compared.items()
    }


def engines(bench: Bench) -> None:
    """Measure seconds and memory per activity of every engine, each at a size that suits it."""
    sizes = {
        name: min(bench.activities, most or bench.activities)
        for name, most in ENGINE_ACTIVITIES.items()
        if name in bench.engines
    }
    told: dict[str, Any] = {}
    with _spark(bench) as master:
        for name, size in sizes.items():
            work = bench.work(name, size, master=master if name == "pyspark" else None)
            (took,) = timed([work], bench.runs, bench.say)
            told[name] = {
                **_told(took),
                "activities": size,
                "cores": WORKERS if master and name == "pyspark" else os.cpu_count(),
                "disk_bytes": work.workspace.table_path("activities", GENERATION).stat().st_size,
            }
    bench.details["engines"] = told


def clear(scratch: Path, *, keep_logs: bool) -> None:
    """Remove what a benchmark left in its scratch folder, and nothing else."""
    for path in (*scratch.glob("out-*"), *([] if keep_logs else scratch.glob("log-*"))):
        shutil.rmtree(path, ignore_errors=True)
    for path in scratch.glob("snapshots-*.parquet"):
        path.unlink()


@contextmanager
def _spark(bench: Bench) -> Iterator[str | None]:
    """Run a cluster where one is wanted, and give its address; None = Spark within the process."""
    if not bench.cluster or "pyspark" not in bench.engines:
        yield None
        return
    with spark_cluster.cluster(WORKERS, memory=WORKER_MEMORY) as running:
        bench.say(f"Spark cluster of {WORKERS} workers at {running.url}")
        yield running.url


def _told(took: Took) -> dict[str, Any]:
    return {"seconds": took.seconds, "runs": list(took.runs), "peak_mb": took.peak_mb, "rows": took.rows}
