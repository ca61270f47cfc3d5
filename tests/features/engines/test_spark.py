import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from features import batch
from features.engines import registry
from features.tables import Tables
from leadlight.errors import EngineError, InputError
from leadlight.schema import DAY, TABLES
from tests.features import market

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed")

from features.engines import spark as engine_module  # noqa: E402  (it imports pyspark)
from features.engines.spark import SparkEngine, open_session  # noqa: E402

NAMES = ("leads", "activities", "stages", "attribute_changes")
WANTED = ("count", "days_since_last", "gap_mean", "last_type", "followed", "colleagues", "number", "days_since_stage")


def some_specs():
    """Give one specification of each of a few measures."""
    first = {}
    for spec in market.SPECS:
        first.setdefault(spec.measure, spec)
    return [first[measure] for measure in WANTED]


def snapshots():
    leads = [f"p{number:03}" for number in range(60)]
    pairs = [(lead, market.BASE + day * DAY) for lead in leads for day in (2, 4)]
    return pl.DataFrame(pairs, schema={"lead_id": pl.String, "as_of": pl.Int64}, orient="row")


def frames(tables):
    return dict(zip(NAMES, (tables.leads, tables.activities, tables.stages, tables.changes), strict=True))


def as_written(frame, name):
    instants = [column for column, kind in TABLES[name].items() if kind == "instant"]
    return frame.with_columns(pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC") for at in instants)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the record of a company as partitioned Parquet, one table of it by `column=value`."""
    root = tmp_path_factory.mktemp("a [strange] name")
    for name, frame in frames(market.tables(*market.crowd())).items():
        whole = as_written(frame, name).collect()
        if name == "activities":
            whole.write_parquet(root / name, partition_by=["type"], mkdir=True)
            continue
        (root / name).mkdir()
        for part in range(2):
            whole[part::2].write_parquet(root / name / f"part-{part}.parquet")
    return root


@pytest.fixture(scope="module")
def expected():
    return batch.build(market.tables(*market.crowd()), snapshots(), some_specs())


def test_partitioned_parquet_to_partitioned_parquet_on_the_cluster(spark, folder, expected, tmp_path):
    engine, specs = SparkEngine(session=spark), some_specs()
    tables = engine.read({name: folder / name for name in NAMES})
    assert not spark.sparkContext.master.startswith("local")
    frame = batch.compute(engine, tables, snapshots(), specs)
    out = tmp_path / "features"
    out.mkdir()
    engine.write(frame, out / "part.parquet", {batch.column(place): spec.name for place, spec in enumerate(specs)})
    assert {path.suffix for path in out.iterdir()} == {".parquet"}
    read = pl.read_parquet(out / "*.parquet").sort("lead_id", "as_of")
    assert read.schema["as_of"] == pl.Datetime("us", "UTC")
    found = read.with_columns(pl.col("as_of").cast(pl.Int64))
    wanted = expected.sort("lead_id", "as_of")
    assert found.columns == wanted.columns
    assert found.select("lead_id", "as_of").equals(wanted.select("lead_id", "as_of"))
    assert np.allclose(batch.matrix(found, specs), batch.matrix(wanted, specs), rtol=1e-9, atol=1e-12, equal_nan=True)
    assert not spark.sparkContext._jsc.getPersistentRDDs()


def test_tables_of_a_session_find_their_engine(spark, expected):
    engine = SparkEngine(session=spark)
    native = {
        name: engine.rows(frame.collect()).to_native() for name, frame in frames(market.tables(*market.crowd())).items()
    }
    tables = Tables(native["leads"], native["activities"], native["stages"], native["attribute_changes"])
    assert isinstance(registry.of(tables), SparkEngine)
    specs = some_specs()[:2]
    found = batch.build(tables, snapshots(), specs)
    wanted = expected.select(found.columns)
    assert np.allclose(batch.matrix(found, specs), batch.matrix(wanted, specs), rtol=1e-9, atol=1e-12, equal_nan=True)


def test_a_job_that_fails_is_one_line(spark, tmp_path):
    engine = SparkEngine(session=spark)
    frame = spark.sql("SELECT 1L AS __row, 'x' AS lead_id, 1L AS as_of, raise_error('a broken row') AS f0")
    with pytest.raises(EngineError, match="Spark gave up") as failed:
        engine.to_polars(base_frame(frame))
    assert "\n" not in str(failed.value)
    with pytest.raises(EngineError, match="a broken"):
        engine.write(base_frame(frame), tmp_path / "part.parquet", {"f0": "a.b"})
    assert not list(tmp_path.glob("*.parquet"))


def base_frame(native):
    import narwhals as nw

    return nw.from_native(native)


def test_a_folder_that_is_no_table_is_named(spark, tmp_path):
    with pytest.raises(InputError, match="table `leads` cannot be read"):
        SparkEngine(session=spark).read({"leads": tmp_path / "absent"})


def test_another_master_than_the_running_one_is_refused(spark):
    assert open_session() is spark
    assert open_session(spark.sparkContext.master) is spark
    with pytest.raises(InputError, match="is running"):
        open_session("local[1]")


@pytest.mark.parametrize(
    ("master", "problem"),
    [("spark://127.0.0.1:1", "nothing answers"), ("http://x", "none that Spark knows"), ("spark://x", "none that")],
)
def test_a_master_that_cannot_be_is_refused_at_once(master, problem):
    with pytest.raises(InputError, match=problem):
        engine_module._check_master(master)


@pytest.mark.parametrize("master", ["local", "local[*]", "local[2]", "yarn", "k8s://https://x:1"])
def test_other_masters_are_left_to_spark(master):
    engine_module._check_master(master)


def test_without_java_the_engine_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"install Java 17 or 21 .*leadlight\[spark\]"):
        engine_module._check_java()


@pytest.mark.parametrize(
    ("said", "problem"), [('openjdk version "1.8.0_402"', "is Java 8"), ("what?", "of unknown version")]
)
def test_an_old_java_is_refused(monkeypatch, tmp_path, said, problem):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=problem):
        engine_module._check_java()
    assert subprocess.run([java], check=True, capture_output=True, text=True).stderr.strip() == said
    assert os.access(java, os.X_OK)


def test_people_s_own_settings_of_spark_decide_what_java_says(monkeypatch):
    for name in ("SPARK_CONF_DIR", "SPARK_HOME"):
        monkeypatch.delenv(name, raising=False)
    told = engine_module._defaults("local")
    assert told["spark.driver.defaultJavaOptions"].endswith("/features/engines/log4j2.properties")
    monkeypatch.setenv("SPARK_CONF_DIR", "/etc/spark")
    own = engine_module._defaults("local")
    assert "spark.driver.defaultJavaOptions" not in own
    assert own["spark.log.level"] == "ERROR"


LOGGING = """
from features.engines.spark import open_session
session = open_session("local[1]")
logger = session._jvm.org.apache.logging.log4j.LogManager.getLogger("leadlight.test")
logger.warn("a warning")
logger.error("an error")
session.range(1).count()
session.stop()
"""


@pytest.mark.slow
def test_java_says_errors_and_nothing_else():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    said = [line for line in done.stderr.splitlines() if "incubator modules" not in line]  # Java's own, of any program
    assert len(said) == 1
    assert said[0].endswith("ERROR test: an error")


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "features.engines.spark", None)
    with pytest.raises(InputError, match=r"leadlight\[spark\]"):
        registry.get("pyspark")
