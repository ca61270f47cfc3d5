"""A build on a real Spark cluster, against Polars on the same log, and once more with a worker killed during it.

Usage: python -m benchmarks.spark [--activities 2000000] [--master URL] [--json]

Without `--master` a cluster of one master and two workers is started on loopback; only then is a worker killed (with
its executor, by SIGKILL, after half of the undisturbed build's time). Every table must be equal to that of Polars.
Exit status: 0 all tables are equal, 1 some are not.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import spark_cluster
from benchmarks.features import question, work
from benchmarks.features.compare import compare
from benchmarks.features.market import Size, make
from benchmarks.spark_cluster import Cluster
from features.engines import base, registry
from features.engines.spark import SparkEngine, open_session
from leadlight.workspace import Workspace

SETTINGS: Final = {"spark.executor.memory": "2g", "spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "16"}
WORKER_MEMORY: Final = "2g"


class Bench:
    """One log, its snapshots, and the tables built from it.

    Attributes:
        workspace: the log.
        size: how large it is.
        folder: where tables go.
    """

    def __init__(self, folder: Path, activities: int) -> None:
        self.size = Size(activities)
        self.folder = folder
        self.workspace: Workspace = make(self.size, folder / "workspace")
        self.snapshots = question.write_snapshots(self.workspace, question.ONE_AGE, folder / "snapshots.parquet")

    def build(self, engine: base.Engine, name: str) -> dict[str, Any]:
        """Build a table and give its seconds; the table is compared with that of Polars where that is there."""
        out = self.folder / name
        out.mkdir()
        started = time.perf_counter()
        work.with_engine(engine, self.workspace, self.snapshots, out)
        seconds = time.perf_counter() - started
        found: dict[str, Any] = {
            "seconds": round(seconds, 2),
            "ns_per_activity": round(seconds / self.size.activities * 1e9),
        }
        if name != "polars":
            compared = compare(out, self.folder / "polars", question.specs())
            found |= {"cells": compared.cells, "different": compared.differences}
        return found


def measure(folder: Path, activities: int, master: str | None) -> dict[str, Any]:
    """Build by Polars and by Spark, and on a cluster of our own with a worker killed."""
    bench = Bench(folder, activities)
    found: dict[str, Any] = {"activities": activities, "features": len(question.specs()), "cores": os.cpu_count()}
    found["polars"] = bench.build(registry.get("polars"), "polars")
    if master is not None:
        return found | {"spark": bench.build(SparkEngine(session=open_session(master, SETTINGS)), "spark")}
    with spark_cluster.cluster(memory=WORKER_MEMORY) as cluster:
        session = open_session(cluster.url, SETTINGS)
        engine = SparkEngine(session=session)
        found["spark_first"] = bench.build(engine, "spark_first")
        found["spark"] = bench.build(engine, "spark")
        found["spark_worker_killed"] = disturbed(bench, engine, cluster, found["spark"]["seconds"] / 2)
        session.stop()
    found["spark_over_polars"] = round(found["spark"]["seconds"] / found["polars"]["seconds"], 1)
    return found


def disturbed(bench: Bench, engine: base.Engine, cluster: Cluster, after: float) -> dict[str, Any]:
    """Build while a worker is killed after some seconds; whether the build was still running is said."""
    built = threading.Event()
    during: list[bool] = []

    def kill() -> None:
        built.wait(after)
        during.append(not built.is_set())
        cluster.kill_worker(0)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = bench.build(engine, "spark_worker_killed")
    finally:
        built.set()
        killer.join()
    return found | {
        "killed_after": round(after, 2),
        "killed_during_build": during == [True],
        "workers_left": cluster.alive(),
    }


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--activities", type=int, default=2_000_000, help="size of the log")
    parser.add_argument("--master", default=None, help="a cluster that runs already: spark://HOST:PORT or local[*]")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadlight-bench-") as scratch:
        found = measure(Path(scratch), options.activities, options.master)
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:<22} {value}")
    builds = [value for value in found.values() if isinstance(value, dict)]
    sys.exit(int(any(build.get("different", 0) or not build.get("killed_during_build", True) for build in builds)))


if __name__ == "__main__":
    main()
