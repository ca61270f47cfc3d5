"""A Spark standalone cluster on the loopback interface: a master and workers, started from the installed pyspark.

Every process is a group of its own (a worker's executors belong to its group), bound to 127.0.0.1, with ports that are
free and folders that are temporary. A watchdog ends them with the process that started them, however that ends.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.watchdog import Watchdog

LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 60.0  # seconds for a process to come up
# A Java that starts sooner and takes less: for the small processes here, not for long jobs.
QUICK_JAVA: Final = "-XX:+UseSerialGC -XX:-UsePerfData -XX:TieredStopAtLevel=1"
_CLASSES: Final = "org.apache.spark.deploy"


class ClusterError(RuntimeError):
    """The cluster did not come up."""


def missing() -> str | None:
    """Say what a cluster needs and this machine lacks; None if nothing."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed (pip install 'leadlight[spark]')"
    if java() is None:
        return "Java is not installed (17 or 21; set JAVA_HOME or put java on the PATH)"
    return None


def java() -> str | None:
    """Find the Java that Spark's scripts will take."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")


def spark_home() -> Path:
    """Give the folder of the installed pyspark, which is a whole Spark."""
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise ClusterError(str(missing()))
    return Path(found.origin).parent


@dataclass(slots=True)
class Cluster:
    """A running cluster.

    Attributes:
        folder: its logs and scratch files.
        url: what `--master` takes: spark://127.0.0.1:PORT.
        status_url: address of the master's page.
        cores: per worker.
        memory: per worker, as Spark writes it.
        environment: what its processes, and so the executors, see beside what Spark needs (`spark-env.sh` elsewhere).
        watchdog: ends the processes.
        workers: their processes; a killed one stays in the list.
        processes: these and the master's.
    """

    folder: Path
    cores: int
    memory: str
    environment: Mapping[str, str]
    watchdog: Watchdog
    url: str = ""
    status_url: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def status(self) -> dict[str, Any]:
        """Read the master's page as JSON."""
        with urllib.request.urlopen(f"{self.status_url}/json/", timeout=10) as answer:  # noqa: S310  (our own page)
            found: dict[str, Any] = json.load(answer)
        return found

    def alive(self) -> int:
        """Count the workers that the master believes to be alive."""
        return sum(worker["state"] == "ALIVE" for worker in self.status()["workers"])

    def add_workers(self, number: int) -> None:
        """Start workers together and wait until the master knows them all."""
        wanted = self.alive() + number
        for _ in range(number):
            name = f"worker-{len(self.workers)}"
            arguments = ["--host", LOOPBACK, "--port", "0", "--webui-port", "0", "--work-dir", str(self.folder / name)]
            limits = ["--cores", str(self.cores), "--memory", self.memory]
            self.workers.append(self._start("worker.Worker", name, [*arguments, *limits, self.url]))
        for place in range(len(self.workers) - number, len(self.workers)):
            _until(lambda: self.alive() >= wanted, self.workers[place], self.log(f"worker-{place}"))

    def kill_worker(self, number: int) -> None:
        """Kill a worker and its executors at once (SIGKILL), as if its machine had been switched off."""
        worker = self.workers[number]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.watchdog.forget(worker.pid)

    def log(self, name: str) -> Path:
        """Give the log file of a process."""
        return self.folder / f"{name}.log"

    def start_master(self) -> None:
        """Start the master and read from its log where it listens."""
        arguments = ["--host", LOOPBACK, "--port", "0", "--webui-port", "0"]
        master, log = self._start("master.Master", "master", arguments), self.log("master")

        def listens() -> bool:
            text = log.read_text(encoding="utf-8", errors="replace")
            url, page = re.search(r"spark://[\d.]+:\d+", text), re.search(r"MasterWebUI.*http://[^:]+:(\d+)", text)
            if url and page:
                self.url, self.status_url = url[0], f"http://{LOOPBACK}:{page[1]}"
            return bool(url and page)

        _until(listens, master, log)
        _until(lambda: self.status()["status"] == "ALIVE", master, log)

    def _start(self, main: str, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [str(spark_home() / "bin" / "spark-class"), f"{_CLASSES}.{main}", *arguments]
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  (the installed Spark's own script)
                command, env=self._environment(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, process_group=0
            )
        self.watchdog.watch(process.pid)
        self.processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        """Give what Spark's scripts read; the user's own Spark settings and secrets do not come in."""
        kept = ("PATH", "JAVA_HOME", "HOME", "LANG", "LC_ALL")
        empty = self.folder / "conf"
        empty.mkdir(exist_ok=True)
        return {name: os.environ[name] for name in kept if name in os.environ} | {
            "SPARK_HOME": str(spark_home()),
            "SPARK_CONF_DIR": str(empty),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": f"{QUICK_JAVA} -Dspark.master.rest.enabled=false",
            "PYSPARK_PYTHON": sys.executable,
            **self.environment,
        }


@contextmanager
def cluster(
    workers: int = 2, *, cores: int = 1, memory: str = "1g", environment: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """Run a cluster for the length of a block.

    Args:
        workers: how many.
        cores: per worker.
        memory: per worker for its executors.
        environment: what executors find in their environment, such as the signing key.

    Raises:
        ClusterError: pyspark or Java is missing, or a process did not come up; the message ends with its log.
    """
    lacking = missing()
    if lacking is not None:
        raise ClusterError(lacking)
    folder = Path(tempfile.mkdtemp(prefix="leadlight-spark-"))
    watchdog = Watchdog(folder)
    running = Cluster(folder, cores, memory, environment or {}, watchdog)
    try:
        running.start_master()
        running.add_workers(workers)
        yield running
    finally:
        watchdog.close()
        for process in running.processes:
            process.wait()


def _until(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something is so, or say why the process did not bring it about."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if done():
                return
        except OSError:  # the page is not served yet
            pass
        time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-1_000:]
    raise ClusterError(f"{log.stem} did not come up within {PATIENCE:g} s (exit status {process.poll()}):\n{tail}")
