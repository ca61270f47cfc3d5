"""Scores of the cluster are those of one process: the same bundle, the same numbers, the same sentences."""

import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.errors import BundleTamperedError, EngineError, SpecError
from leadlight.schema import DAY
from scoring import batch
from scoring.numbers import SCORES
from scoring.score import LeadScorer
from tests.conftest import SIGNING_KEY
from tests.scoring import market

pytest.importorskip("pyspark", reason="pyspark is not installed")

from features import batch as features
from features.engines.spark import SparkEngine, spark_errors
from features.tables import Tables
from scoring import spark as scoring_spark


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", SIGNING_KEY)


@pytest.fixture(scope="module")
def leads():
    return [market.timeline(seed) for seed in range(40)]


@pytest.fixture(scope="module")
def rows(leads):
    return pl.DataFrame(
        {
            "lead_id": [lead.lead_id for lead in leads],
            "as_of": [market.START + (7 + n) * DAY for n in range(len(leads))],
        }
    )


@pytest.fixture(scope="module")
def bundle_path(tmp_path_factory):
    made = market.bundle()
    folder = tmp_path_factory.mktemp("bundles") / made.version
    bundles.save(made, folder, SIGNING_KEY.encode())
    return folder


def on_cluster(engine, tables):
    frames = (tables.leads, tables.activities, tables.stages, tables.changes)
    return Tables(*(engine.rows(frame.collect()).to_native() for frame in frames))


def fetched(frame):
    with spark_errors():
        return pl.from_arrow(frame.toArrow()).sort("lead_id")


def test_numbers_are_those_of_one_process(spark, leads, rows, bundle_path):
    tables = market.tables(leads)
    found = fetched(scoring_spark.score_tables(on_cluster(SparkEngine(session=spark), tables), rows, bundle_path))
    wanted = batch.score_snapshots(tables, rows, market.bundle()).sort("lead_id")
    assert found.columns == wanted.columns
    assert found["as_of"].equals(wanted["as_of"])
    for name in SCORES:
        assert found[name].to_list() == pytest.approx(wanted[name].to_list(), rel=1e-9, abs=1e-12)


def features_for(spark, leads, rows, **reasons):
    """Give the features, computed by the default engine, as a frame of the cluster."""
    needed = scoring_spark.needed(market.bundle(), **reasons)
    made = features.build(market.tables(leads), rows, needed.specs)
    return spark.createDataFrame(made.to_arrow(compat_level=pl.CompatLevel.oldest())).repartition(3)


@pytest.fixture
def frame(spark, leads, rows):
    return features_for(spark, leads, rows)


def test_reasons_are_those_of_one_process(spark, leads, rows, bundle_path):
    frame = features_for(spark, leads, rows, reasons=True)
    found = fetched(scoring_spark.answer_frame(frame, bundle_path, lang="ja", scored_at=7))
    scorer = LeadScorer(market.bundle())
    answers = sorted(batch.score_leads(market.tables(leads), rows, scorer, now=7, lang="ja"), key=lambda a: a.lead_id)
    assert found.height == len(answers)
    for row, answer in zip(found.iter_rows(named=True), answers, strict=True):
        for name, value in row.items():
            wanted = getattr(answer, name)
            close = pytest.approx(wanted, rel=1e-9, abs=1e-9) if isinstance(wanted, float) else wanted
            assert value == close, name


def test_a_bundle_is_verified_where_it_arrives(frame, bundle_path, monkeypatch):
    shipped = scoring_spark._shipped(bundle_path)
    files = tuple((name, content + b" " if name == "model.txt" else content) for name, content in shipped.files)
    monkeypatch.setattr(scoring_spark, "_shipped", lambda _: scoring_spark.Shipped(shipped.version, files))
    with pytest.raises(EngineError, match=r"`model.txt` was changed"):
        fetched(scoring_spark.score_frame(frame, bundle_path))
    scoring_spark._bundle.cache_clear()
    with pytest.raises(BundleTamperedError):
        scoring_spark._bundle(scoring_spark.Shipped(shipped.version, files))


def test_the_key_is_not_in_what_travels(frame, bundle_path):
    from pyspark.cloudpickle import dumps

    assert SIGNING_KEY.encode() not in dumps(scoring_spark._shipped(bundle_path))
    scored = scoring_spark.score_frame(frame, bundle_path)
    assert SIGNING_KEY not in scored._jdf.queryExecution().toString()
    settings = frame.sparkSession.sparkContext.getConf().getAll()
    assert all(SIGNING_KEY not in value for _, value in settings)


def test_a_feature_of_any_name_is_found(spark):
    name = 'fit.company.業種 `main` "x"'
    frame = spark.createDataFrame([(1.5,)], ["x"]).toDF(name)
    assert frame.select(frame[scoring_spark._quoted(name)]).columns == [name]


def test_a_missing_feature_is_named(frame, bundle_path):
    with pytest.raises(SpecError, match="`decayed` does not exist"):
        scoring_spark.score_frame(frame.withColumnRenamed("decayed", "decaying"), bundle_path)
