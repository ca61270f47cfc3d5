import pytest

from benchmarks import spark_cluster
from benchmarks.spark_cluster import ClusterError


def test_it_is_a_master_and_two_workers_on_loopback(cluster):
    assert cluster.alive() == 2
    status = cluster.status()
    assert cluster.url == status["url"]
    assert {worker["host"] for worker in status["workers"]} == {spark_cluster.LOOPBACK}
    assert [worker["cores"] for worker in status["workers"]] == [1, 1]
    assert all(process.poll() is None for process in cluster.processes)


def test_without_java_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "Java is not installed" in spark_cluster.missing()
    with pytest.raises(ClusterError, match="Java"), spark_cluster.cluster():
        pass
