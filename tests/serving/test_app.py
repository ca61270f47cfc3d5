import re

import pytest
from pydantic import BaseModel

from serving import wire
from serving.problems import CODES
from tests.serving.process import ROOT

OPERATIONS = {
    ("post", "/v1/score"): "scoreLead",
    ("post", "/v1/score/batch"): "scoreLeads",
    ("post", "/v1/events"): "recordEvents",
    ("get", "/v1/leads/{lead_id}/score"): "leadScore",
    ("get", "/v1/thresholds/recommendation"): "thresholdRecommendation",
    ("get", "/livez"): "live",
    ("get", "/readyz"): "ready",
    ("get", "/metrics"): "metrics",
}


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json()


def test_the_document_names_every_operation(document):
    assert document["openapi"].startswith("3.1")
    found = {
        (method, path): operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert found == OPERATIONS


def test_names_are_valid_in_apex(document):
    names = [*document["components"]["schemas"], *OPERATIONS.values()]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z](?:_?[A-Za-z0-9])*", name) or len(name) > 80] == []


def test_descriptions_are_short_enough_to_survive(document):
    def descriptions(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "description" and isinstance(value, str):
                    yield value
                yield from descriptions(value)
        elif isinstance(node, list):
            for value in node:
                yield from descriptions(value)

    assert max(map(len, descriptions(document))) <= 1_333


def test_every_reference_leads_somewhere(document):
    def references(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert found <= document["components"]["schemas"].keys()
    assert "Problem" in found


def test_every_operation_says_its_errors_and_who_may_ask(document):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert (operation["security"] == []) == (path in {"/livez", "/readyz"})


def test_request_bodies_refuse_unknown_fields():
    bodies = [model for model in vars(wire).values() if isinstance(model, type) and issubclass(model, wire.Body)]
    assert len(bodies) >= 7
    for model in bodies:
        assert model.model_config["extra"] == "forbid"


def test_no_float_on_the_wire_may_be_infinite_or_nan():
    models = [m for m in vars(wire).values() if isinstance(m, type) and issubclass(m, BaseModel) and m is not BaseModel]
    loose = []
    for model in models:
        for name, field in model.model_fields.items():
            text = f"{field.annotation!r} {field.metadata!r}"
            if "float" in text and "allow_inf_nan=False" not in text:
                loose.append(f"{model.__name__}.{name}")
    assert loose == []


def test_the_documentation_names_every_route_code_and_field():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    names = {path.replace("{lead_id}", "{id}") for _, path in OPERATIONS} | set(OPERATIONS.values())
    names |= set(wire.ScoreAnswer.model_fields) | {"unknown_lead", "no_threshold_curve", "store_unavailable"}
    names |= set(CODES.values()) - {"not_enough_data", "unavailable"}
    assert [name for name in sorted(names) if f"`{name}`" not in page and f" {name}`" not in page] == []


def test_no_page_loads_anything_from_elsewhere(client):
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert client.get(path).status_code == 404
