"""PySpark: for logs larger than a machine. The plan runs in Spark's own engine: no Python on the workers.

A meeting is put once into partitions by snapshot and into the order of time, and is kept; windows, groups and joins by
snapshot then move no row again. What a lost worker had kept is computed again by Spark.
"""

import math
import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import narwhals as nw
import polars as pl
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from features.engines.base import EngineName
from features.expressions import assemble
from features.expressions.frame import ORDER, ROW, Frame
from features.tables import Tables
from leadlight.errors import EngineError, InputError
from leadlight.schema import TABLES, TableName
from leadlight.spec import FeatureSpec

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LOCAL: Final = "local[*]"
OLDEST_JAVA: Final = 17
_PATIENCE: Final = 5.0  # seconds for a master to answer
_LOOPBACK: Final = "127.0.0.1"
_LOGGING: Final = Path(__file__).resolve().with_name("log4j2.properties")
_PARTITIONS: Final = "spark.sql.shuffle.partitions"
_ADAPTIVE: Final = "spark.sql.adaptive.enabled"
_BYTES_A_PART: Final = 8 << 20  # of compressed log: about 300,000 activities
# What results depend on, whatever the user's own settings are.
_MEANING: Final[Mapping[str, str]] = {
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}

# Many small operators share a task; with Spark's own choice (memory / cores / 16) about twenty of them exhaust it.
_PAGES: Final[Mapping[str, str]] = {"spark.buffer.pageSize": "1m"}
# By itself pyspark tells Java where in Python every expression was written, in messages of their own.
_NO_ORIGINS: Final[Mapping[str, str]] = {"spark.python.sql.dataFrameDebugging.enabled": "false"}


class SparkEngine:
    """Features on PySpark frames of one session."""

    name: EngineName = "pyspark"

    def __init__(self, master: str | None = None, session: SparkSession | None = None) -> None:
        """Take a session, or open one.

        Args:
            master: `local[*]`, `spark://HOST:PORT` or what else Spark takes; None = the running session's, else local.
            session: the session of tables that exist already; its settings are left as they are.

        Raises:
            InputError: Java is missing or too old, nothing answers at the master, or another session is running.
        """
        self.session = session or open_session(master)
        self._opened = session is None
        if self._opened:
            self._fit_partitions()
        self._kept: list[DataFrame] = []

    def read(self, paths: Mapping[TableName, Path]) -> Tables:
        """Open Parquet files, folders of part files, or folders partitioned by `column=value`."""
        read = {name: self._read(name, path) for name, path in paths.items()}
        if self._opened:
            self._fit_partitions(paths["activities"])
        return Tables(read["leads"], read["activities"], read["stages"], read["attribute_changes"])

    def _read(self, name: TableName, path: Path) -> "DataFrame":
        try:
            frame = self.session.read.parquet(_literal(path))
        except PySparkException as refused:
            raise InputError(f"table `{name}` cannot be read from `{path}` ({_what_happened(refused)})") from refused
        instants = [column for column, kind in TABLES[name].items() if kind == "instant" and column in frame.columns]
        integers = {
            column: sf.unix_micros(sf.col(column).cast("timestamp"))
            for column in instants
            if frame.schema[column].dataType.typeName().startswith("timestamp")
        }
        return frame.withColumns(integers) if integers else frame

    def records(self, tables: Tables) -> assemble.Records:
        """Wrap frames."""
        frames = (tables.leads, tables.activities, tables.stages, tables.changes)
        return assemble.Records.of(*(nw.from_native(frame) for frame in frames))

    def rows(self, rows: pl.DataFrame) -> Frame:
        """Send snapshots from the driver to the workers."""
        native = self.session.createDataFrame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
        if ROW in native.columns:
            native = self._persisted(native.repartition(self._partitions, ROW))
        return self._wrapped(native)

    def meet(self, rows: Frame, activities: Frame, specs: Sequence[FeatureSpec]) -> Frame:
        """Join; kept on the workers by snapshot, in the order of time."""
        met = assemble.meeting(rows, activities, specs).to_native()
        return self._wrapped(self._persisted(met.repartition(self._partitions, ROW).sortWithinPartitions(ROW, *ORDER)))

    def newest(self, rows: Frame, activities: Frame) -> Frame:
        """Find the newest activities by a join."""
        return assemble.newest(rows, activities)

    def keep(self, frame: Frame) -> Frame:
        """Keep a frame on the workers once it is computed; on their disks where memory does not hold it."""
        return self._wrapped(self._persisted(frame.to_native()))

    def together(self, rows: Frame, parts: Iterable[Frame], specs: Sequence[FeatureSpec]) -> Frame:
        """Lay the parts below each other and take the one value there is of each cell: one shuffle, and one join.

        Each task computes one part: were they joined side by side, the sorts and hash tables of all parts would want
        their first page of memory in one task, at the same time.
        """
        return assemble.together(rows, self._below_each_other(list(parts)), specs)

    def _below_each_other(self, parts: Sequence[Frame]) -> list[Frame]:
        numbers = [part.select(ROW, nw.exclude(ROW).cast(nw.Float64)) for part in parts]
        if len(numbers) < 2:
            return numbers
        names = [name for part in numbers for name in part.collect_schema().names() if name != ROW]
        below = nw.concat(numbers, how="diagonal")
        return [below.group_by(ROW).agg(**{name: nw.col(name).max() for name in names})]

    def to_polars(self, frame: Frame) -> pl.DataFrame:
        """Fetch to the driver, snapshots in order.

        Raises:
            EngineError: Spark gave up.
        """
        with self._finishing():
            found = pl.from_arrow(frame.to_native().toArrow())
        if not isinstance(found, pl.DataFrame):  # an Arrow table always gives a frame
            raise TypeError(type(found))
        return found.sort(ROW)

    def write(self, frame: Frame, path: Path, names: Mapping[str, str]) -> None:
        """Write one part file per partition, from the workers; the folder must be on storage that all of them share.

        Raises:
            EngineError: Spark gave up; what is in the folder is of no use.
        """
        folder = path.parent
        native = frame.to_native().sortWithinPartitions(ROW)
        instant = sf.timestamp_micros(sf.col("as_of")).alias("as_of")
        named = native.select("lead_id", instant, *(sf.col(column).alias(name) for column, name in names.items()))
        with self._finishing():
            named.write.mode("append").option("compression", "lz4_raw").parquet(_literal(folder, escape=False))
        for checksum in folder.glob(".*.crc"):
            checksum.unlink()
        (folder / "_SUCCESS").unlink(missing_ok=True)

    def _fit_partitions(self, log: Path | None = None) -> None:
        """Cut shuffles by cores and log unless the user said how: Spark's 200 parts cost a small log minutes.

        For a log that does not even fill these parts, planning anew after every stage costs more than it can save.
        """
        context = self.session.sparkContext
        files = [] if log is None else log.rglob("*.parquet") if log.is_dir() else [log]
        parts = math.ceil(sum(file.stat().st_size for file in files) / _BYTES_A_PART)
        least = 2 * context.defaultParallelism
        fitting = {_PARTITIONS: str(max(parts, least))}
        if log is not None:
            fitting[_ADAPTIVE] = str(parts > least).lower()
        user = context.getConf()
        for name, value in fitting.items():
            if not user.contains(name):
                self.session.conf.set(name, value)

    @property
    def _partitions(self) -> int:
        return int(self.session.conf.get(_PARTITIONS) or 200)

    def _wrapped(self, native: "DataFrame") -> Frame:
        frame: Frame = nw.from_native(native)
        return frame

    def _persisted(self, native: "DataFrame") -> "DataFrame":
        kept = native.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        return kept

    @contextmanager
    def _finishing(self) -> Iterator[None]:
        """Run a job, then let go of what was kept for it."""
        with spark_errors():
            try:
                yield
            finally:
                for kept in self._kept:
                    kept.unpersist()
                self._kept.clear()


@contextmanager
def without_pandas_warning() -> Iterator[None]:
    """Silence what pyspark says of pandas 3 wherever that is installed: Arrow goes between the engines, no pandas."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


@contextmanager
def spark_errors() -> Iterator[None]:
    """Turn the failure of a Spark job into an error of one line."""
    from py4j.protocol import Py4JError  # noqa: PLC0415  (comes with pyspark)

    try:
        yield
    except (PySparkException, Py4JError) as failed:
        raise EngineError(
            f"Spark gave up ({_what_happened(failed)}); nothing was written; see the logs of its workers"
        ) from (failed)


def open_session(master: str | None = None, settings: Mapping[str, str] | None = None) -> SparkSession:
    """Open a session, or take the one that is running.

    Args:
        master: see `SparkEngine`.
        settings: Spark settings by their names; they go before what `spark-defaults.conf` says.

    Raises:
        InputError: Java is missing or too old, nothing answers at the master, or a session of another master runs.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        if master is not None and master != running.sparkContext.master:
            raise InputError(f"a Spark session on `{running.sparkContext.master}` is running; stop it, or use that one")
        return _with_meaning(running)
    _check_java()
    master = master or LOCAL
    _check_master(master)
    builder = SparkSession.builder.appName("leadlight").master(master)
    for name, value in {**_defaults(master), **_MEANING, **(settings or {})}.items():
        builder = builder.config(name, value)
    try:
        with without_pandas_warning():
            session = builder.getOrCreate()
    except Exception as failed:  # Java's own exceptions come in several kinds
        if isinstance(failed, LookupError | TypeError | AttributeError):
            raise
        raise EngineError(f"Spark does not start on `{master}` ({_what_happened(failed)})") from failed
    if _is_here(master) and "PYSPARK_PYTHON" not in os.environ:
        session.sparkContext.pythonExec = sys.executable  # its own choice is the first `python3` of the PATH
    return _with_meaning(session)


def _is_here(master: str) -> bool:
    """Tell whether the workers run on this machine."""
    return bool(re.match(rf"local\b|spark://({re.escape(_LOOPBACK)}|localhost):", master))


def _defaults(master: str) -> dict[str, str]:
    terminal = sys.stderr.isatty()
    settings = {"spark.ui.showConsoleProgress": str(terminal).lower(), **_PAGES, **_NO_ORIGINS, **_logging()}
    if _is_here(master):
        settings |= {"spark.driver.host": _LOOPBACK, "spark.driver.bindAddress": _LOOPBACK, "spark.ui.enabled": "false"}
    return settings


def _logging() -> dict[str, str]:
    """Let Java say errors only: from its start on, but where people brought settings of Spark of their own."""
    if {"SPARK_CONF_DIR", "SPARK_HOME"} & set(os.environ):
        return {"spark.log.level": "ERROR"}
    return {"spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"}


def _with_meaning(session: SparkSession) -> SparkSession:
    for name, value in _MEANING.items():
        session.conf.set(name, value)
    return session


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    mend = 'install Java 17 or 21 and set JAVA_HOME, beside: pip install "leadlight[spark]"'
    if java is None:
        raise InputError(f"engine `pyspark` needs Java, which is not there; {mend}")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603  (the user's Java)
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if found is None or int(found[1]) < OLDEST_JAVA:
        version = found[1] if found else "of unknown version"
        raise InputError(f"engine `pyspark` needs Java {OLDEST_JAVA}, and `{java}` is Java {version}; {mend}")


def _check_master(master: str) -> None:
    """Ask whether anything answers at a standalone master: Spark itself would try for a minute.

    Raises:
        InputError: the address is none, or nothing answers at any of its hosts.
    """
    if re.fullmatch(r"local(\[(\*|\d+)(,\s*\d+)?\])?|yarn|k8s://.+|local-cluster\[.+\]", master):
        return
    hosts = re.fullmatch(r"spark://([^/:,]+:\d+(?:,[^/:,]+:\d+)*)", master)
    if hosts is None:
        raise InputError(f"--master `{master}` is none that Spark knows; write spark://HOST:PORT or local[*]")
    for host in hosts[1].split(","):
        name, _, port = host.rpartition(":")
        try:
            socket.create_connection((name, int(port)), _PATIENCE).close()
        except (OSError, OverflowError):
            continue
        return
    raise InputError(f"nothing answers at `{master}`; start the cluster, or correct --master")


def _literal(path: Path, *, escape: bool = True) -> str:
    """Give a local path as Spark reads it; marks that it would take for patterns are escaped."""
    text = str(path.resolve())
    return "file://" + (re.sub(r"([{}\[\]*?\\])", r"\\\1", text) if escape else text)


def _what_happened(error: Any) -> str:
    """Give the line of an error that says what went wrong."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getCause() is not None:
        java = java.getCause()
    text = str(java.toString()) if java is not None else str(error)
    of_python = re.findall(r"^[\w.]*(?:Error|Exception): .*$", text, re.MULTILINE)
    if "Traceback" in text and of_python:
        return str(of_python[-1])[:300]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
