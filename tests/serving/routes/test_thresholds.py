import json
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from leadlight.schema import DAY
from scoring.crossings import Scored, curve
from scoring.thresholds import recommend
from serving.app import create_app
from tests.serving import market


def made_curve(basis, seed):
    random = np.random.default_rng(seed)
    n = 600
    score = random.uniform(0, 100, n)
    label = (random.random(n) < score / 150).astype(float)
    lead = np.arange(n, dtype=np.int64)
    rows = Scored(lead, random.integers(0, 70 * DAY, n), score, np.ones(n, dtype=bool), label)
    return curve(
        rows,
        start=0,
        end=70 * DAY,
        winners=lead[label == 1],
        new_leads=900,
        basis=basis,
        target="sql",
        horizon_us=60 * DAY,
    )


CURVES = {basis: made_curve(basis, seed) for seed, basis in enumerate(("model", "rules"))}
PATH = "/v1/thresholds/recommendation"


@pytest.fixture
def advising(runtime):
    current = runtime.current
    told = replace(current, bundle=replace(current.bundle, thresholds=CURVES))
    with TestClient(create_app(replace(runtime, current=told)), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("basis", ["model", "rules"])
@pytest.mark.parametrize(
    "wish", [{}, {"capacity_per_week": 12}, {"target_low": 0.4, "target_high": 0.6, "current": 40}]
)
def test_it_is_what_the_function_recommends(advising, basis, wish):
    found = advising.get(PATH, params={"basis": basis, **wish}).json()
    expected = recommend(
        CURVES[basis],
        wish.get("target_low", 0.3),
        wish.get("target_high", 0.5),
        wish.get("capacity_per_week"),
        wish.get("current", 50),
    )
    for name in ("value", "mqls_per_week", "sql_rate", "low", "high", "wins_share", "binding", "reason", "reached"):
        assert found[name] == getattr(expected, name)
    assert found["advice"] == list(expected.advice)
    assert (found["basis"], found["target"], found["horizon_days"]) == (basis, "sql", 60)
    assert found["value"] is not None


def test_a_wish_that_nothing_fulfils_is_told_with_what_comes_nearest(advising):
    found = advising.get(PATH, params={"target_low": 0.99, "target_high": 1}).json()
    assert (found["value"], found["reached"]) == (None, False)
    assert found["nearest"] is not None
    assert found["reason"]


def test_the_reasons_come_in_japanese(advising):
    assert "閾値" in advising.get(PATH, params={"lang": "ja"}).json()["reason"]


@pytest.mark.parametrize(
    "query",
    [
        {"target_low": 0.6, "target_high": 0.5},
        {"target_low": -0.1},
        {"target_high": 2},
        {"capacity_per_week": 0},
        {"capacity_per_week": "inf"},
        {"current": "nan"},
        {"basis": "magic"},
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(advising, query):
    answer = advising.get(PATH, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_without_a_curve_it_says_what_to_run(client):
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_threshold_curve")
    assert "leadlight thresholds recommend" in answer.json()["detail"]


def test_data_without_a_clock_is_named_as_the_reason(runtime):
    current = runtime.current
    none = {"model": None, "rules": None, "note": "the data has an order but no clock"}
    told = replace(current, bundle=replace(current.bundle, thresholds=none))
    with TestClient(create_app(replace(runtime, current=told)), base_url="http://127.0.0.1") as client:
        answer = client.get(PATH)
    assert answer.status_code == 404
    assert "no clock" in answer.json()["detail"]


def test_the_report_of_the_workspace_stands_in(client, workspace):
    workspace.write_report("thresholds.json", {"bundle": market.VERSION, "model": CURVES["model"]})
    assert client.get(PATH).json()["value"] == recommend(CURVES["model"]).value
    assert client.get(PATH, params={"basis": "rules"}).status_code == 404


def test_a_report_on_another_bundle_speaks_for_the_rules_only(client, workspace):
    workspace.write_report("thresholds.json", {"bundle": "another", **CURVES})
    assert client.get(PATH).status_code == 404
    assert client.get(PATH, params={"basis": "rules"}).json()["value"] == recommend(CURVES["rules"]).value


@pytest.mark.parametrize(
    "text", ["{", '{"rules": {"rows": [{}], "min_mature": 3}}', '{"rules": {"rows": [3], "min_mature": 3}}']
)
def test_a_damaged_report_is_an_error(client, workspace, text):
    (workspace.reports).mkdir()
    (workspace.reports / "thresholds.json").write_text(text)
    answer = client.get(PATH, params={"basis": "rules"})
    assert (answer.status_code, answer.json()["code"]) == (503, "report_damaged")


def test_the_curve_survives_the_bundle(workspace, monkeypatch):
    from leadlight import bundle

    market.write_bundle(workspace, version="with-curves", thresholds=CURVES)
    loaded = bundle.load(workspace.bundle_path("with-curves"), market.KEY)
    assert json.loads(json.dumps(loaded.thresholds)) == json.loads(json.dumps(CURVES))
