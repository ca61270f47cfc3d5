"""Settings for every test, how they are shared out among processes, and the Spark cluster that some share.

Hypothesis prints what reproduces a failure and does not shrink for minutes. Under `pytest -n 2 --dist loadfile` a
process takes whole modules, so that what a module shares is made once; tests of the cluster, whose names say so, are
taken by one process, so that there is one cluster. Those that take long start first (`--no-loadscope-reorder` keeps
the order). The marks of `--dist loadgroup` are not asked: pytest-xdist 3.8 does not see them under pytest 9.2.

The threads of OpenMP and OpenBLAS are not to spin while they wait: it takes the cores from the other processes.
"""

import os
import re

import pytest
from hypothesis import Phase, settings

from benchmarks import spark_cluster

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # both are read when numpy and lightgbm are loaded
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile(
    "leadlight", deadline=None, print_blob=True, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile("leadlight")

SIGNING_KEY = "a key for tests only"
ON_CLUSTER = re.compile("cluster|spark")
SMALL_SPARK = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": spark_cluster.QUICK_JAVA,
    "spark.executor.memory": "768m",
    "spark.executor.extraJavaOptions": spark_cluster.QUICK_JAVA,
    "spark.sql.shuffle.partitions": "2",
}


def group_of(nodeid):
    """Say with which tests one shares a process: with those of the cluster, or of its module."""
    return "cluster" if ON_CLUSTER.search(nodeid.partition("[")[0]) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share tests out by groups."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    return ByGroup(config, log)


def pytest_collection_modifyitems(config, items):
    """Put first what takes long, where processes share the work."""
    for item in items:
        if {"spark", "cluster"} & set(getattr(item, "fixturenames", ())) and group_of(item.nodeid) != "cluster":
            raise pytest.UsageError(f"{item.nodeid} is a test of the cluster: let its name say so")
    if hasattr(config, "workerinput"):
        slow = {group_of(item.nodeid) for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: (group_of(item.nodeid) != "cluster", group_of(item.nodeid) not in slow))


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
