from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from rules import parse
from scoring.score import LeadScorer
from serving.app import create_app
from serving.current import Current
from serving.store.database import Store
from tests.serving import market


def ready(client):
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["status"], {check["name"]: check for check in answer.json()["checks"]}


def test_the_probes_need_no_key(locked_client):
    assert locked_client.get("/livez").json() == {"status": "alive"}
    assert ready(locked_client)[:2] == (200, "ready")


def test_ready_names_what_answers(client):
    _, _, checks = ready(client)
    assert checks["bundle"]["detail"] == market.VERSION
    assert "g1" in checks["tables"]["detail"]


def test_without_a_bundle_it_is_degraded_and_says_why(runtime):
    problem = "bundle `x`: the signature does not hold; see `/srv/secret/place`"
    current = Current(LeadScorer(None, parse.builtin("standard")), None, problem)
    with TestClient(create_app(replace(runtime, current=current)), base_url="http://127.0.0.1") as client:
        status, word, checks = ready(client)
        assert "leadlight_degraded 1" in client.get("/metrics").text
    assert (status, word) == (200, "degraded")
    assert "signature does not hold" in checks["bundle"]["detail"]
    assert "secret" not in checks["bundle"]["detail"]


@pytest.mark.parametrize("damage", ["newer", "broken"])
def test_tables_that_are_not_imported_are_told(client, workspace, damage):
    if damage == "newer":
        market.write_tables(workspace, generation="g2")
    else:
        (workspace.root / "tables.json").write_text("{")
    status, word, checks = ready(client)
    assert (status, word, checks["tables"]["ok"]) == (200, "degraded", False)
    assert str(workspace.root.parent) not in checks["tables"]["detail"]


def test_without_a_store_it_is_not_ready(client, monkeypatch):
    def broken(_self):
        raise OperationalError("x", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Store, "ping", broken)
    status, word, checks = ready(client)
    assert (status, word, checks["store"]["ok"]) == (503, "unavailable", False)
    assert client.get("/livez").status_code == 200
