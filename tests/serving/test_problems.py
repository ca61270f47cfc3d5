import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from leadlight.errors import NotEnoughDataError, ServiceError, UnknownLeadError
from serving import answers, problems
from serving.app import create_app

KEYS = {"type", "title", "status", "code", "detail", "errors"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("DELETE", "/v1/score", 405, "method_not_allowed"),
        ("GET", "/v1/score", 405, "method_not_allowed"),
        ("POST", "/v1/score", 415, "not_json"),
        ("GET", "/v1/leads/nobody/score", 404, "unknown_lead"),
        ("GET", "/v1/leads/a%00b/score", 422, "invalid_request"),
        ("GET", "/v1/leads//score", 422, "invalid_request"),
        ("GET", "/v1/leads/%ff/score", 404, "unknown_lead"),
        ("GET", "/v1/leads/lead-00001/score?lang=fr", 422, "invalid_request"),
        ("GET", "/v1/leads/lead-00001/score?as_of=2026-02-30T00:00:00Z", 422, "invalid_request"),
        ("GET", "/v1/leads/lead-00001/score?as_of=2025-01-01T00:00:00Z", 422, "invalid_request"),
    ],
)
def test_every_error_is_a_problem(client, method, path, status, code):
    answer = client.request(method, path)
    found = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert found.keys() == KEYS


def test_a_refused_method_names_those_allowed(client):
    assert client.get("/v1/score").headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"lead_id": "x", "lead": None, "scor": 1}, "scor", "unknown field"),
        ({"lead_id": 3}, "lead_id", "Input should be a valid string"),
        (
            {"lead": {"lead_id": "x", "created_at": "2026-01-01T00:00:00Z", "activities": [{"type": "t"}]}},
            "lead.activities[0].occurred_at",
            "Field required",
        ),
        (
            {"lead": {"lead_id": "x", "created_at": "2026-01-01T00:00:00Z", "stages": [{"stage": "won"}]}},
            "lead.stages[0].stage",
            "Input should be",
        ),
        ({}, "", "give either"),
    ],
)
def test_the_field_is_named(client, body, field, message):
    found = client.post("/v1/score", json=body).json()
    assert found["status"] == 422
    named = {error["field"]: error["message"] for error in found["errors"]}
    assert named[field].startswith(message)


def test_what_was_sent_does_not_come_back(client):
    answer = client.post("/v1/score", json={"lead_id": ["<script>secret</script>"]})
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_many_errors_are_cut(client):
    answer = client.post("/v1/score", json={str(number): 1 for number in range(500)})
    assert len(answer.json()["errors"]) == problems.MAX_ERRORS
    assert "more)" in answer.json()["detail"]


def test_a_defect_tells_nothing_of_the_inside(runtime, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr(answers, "score_known", broken)
    with TestClient(create_app(runtime), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        answer = client.get("/v1/leads/lead-00001/score")
    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert "secret" not in answer.text


def test_a_store_that_does_not_answer_is_503(client, monkeypatch, caplog):
    def broken(*_):
        raise OperationalError("SELECT secret", {"lead_id": "somebody"}, Exception("disk I/O error"))

    monkeypatch.setattr(answers, "score_known", broken)
    answer = client.get("/v1/leads/lead-00001/score")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "SELECT" not in answer.text
    assert "disk I/O error" in caplog.text
    assert "somebody" not in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [(UnknownLeadError("x"), 404), (NotEnoughDataError("x"), 409), (ServiceError("/secret"), 500)],
)
def test_our_own_errors_have_their_status(error, status):
    found = problems.of_error(error)
    assert found.status == status
    assert "secret" not in found.model_dump_json()


def test_paths_are_readable():
    assert problems.path(("body", "one", "lead_id")) == "lead_id"
    assert problems.path(("body", 3, "type")) == "[3].type"
    assert problems.path(("query", "as_of")) == "as_of"
    assert len(problems.path(("body", "x" * 1_000))) < 120
    assert json.loads(problems.response(problems.problem(404, "x")).body)["title"] == "Not Found"
