"""Settings for every test, and the Spark cluster that some share.

Hypothesis prints what reproduces a failure and does not shrink for minutes. All tests that take `spark` run in one
process (`pytest --dist loadgroup`), so that there is one cluster.
"""

import pytest
from hypothesis import Phase, settings

from benchmarks import spark_cluster

settings.register_profile(
    "leadlight", deadline=None, print_blob=True, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile("leadlight")

SIGNING_KEY = "a key for tests only"
SMALL_SPARK = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": spark_cluster.QUICK_JAVA,
    "spark.executor.memory": "768m",
    "spark.executor.extraJavaOptions": spark_cluster.QUICK_JAVA,
    "spark.sql.shuffle.partitions": "2",
}


def pytest_collection_modifyitems(items):
    """Keep the tests that share the cluster together."""
    for item in items:
        if {"spark", "cluster"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("spark"))


@pytest.fixture(scope="session")
def cluster():
    """Run a master and two workers on loopback, whose executors find the signing key in their environment."""
    lacking = spark_cluster.missing()
    if lacking is not None:
        pytest.skip(lacking)
    with spark_cluster.cluster(environment={"LEADLIGHT_SIGNING_KEY": SIGNING_KEY}) as running:
        yield running


@pytest.fixture(scope="session")
def spark(cluster):
    """Give a session on the cluster."""
    from features.engines.spark import open_session

    session = open_session(cluster.url, SMALL_SPARK)
    yield session
    session.stop()
