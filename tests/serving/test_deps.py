from dataclasses import FrozenInstanceError

import pytest

from serving.deps import Runtime


def test_a_runtime_is_shared_and_never_changed(runtime):
    assert isinstance(runtime, Runtime)
    with pytest.raises(FrozenInstanceError):
        runtime.current = None


def test_every_request_works_with_the_runtime_of_its_app(client, runtime):
    assert client.app.state.runtime is runtime
    client.get("/livez")
    assert "/livez" in runtime.metrics.render(degraded=False)


@pytest.mark.parametrize("query", [{"explain": "perhaps"}, {"lang": "EN"}, {"as_of": "2026-01-20T00:00:00 09:00"}])
def test_a_query_that_cannot_be_read_is_named(client, query):
    answer = client.get("/v1/leads/lead-00001/score", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


@pytest.mark.parametrize("as_of", ["2026-01-20T09:00:00%2B09:00", "2026-01-20T00:00:00Z"])
def test_an_instant_in_the_query(client, as_of):
    answer = client.get(f"/v1/leads/lead-00001/score?as_of={as_of}")
    assert answer.json()["feature_as_of"] == "2026-01-20T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "query", "meant"),
    [
        ("/v1/thresholds/recommendation", "capacity=40", "capacity_per_week"),
        ("/v1/leads/lead-00001/score", "explane=true", "explain"),
        ("/livez", "verbose=1", None),
    ],
)
def test_an_unknown_query_parameter_is_refused_with_the_nearest_known(client, path, query, meant):
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    name = query.split("=")[0]
    assert f"unknown query parameter `{name}`" in answer.json()["detail"]
    assert meant is None or f"did you mean `{meant}`" in answer.json()["detail"]
