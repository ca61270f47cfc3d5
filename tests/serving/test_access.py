import pytest
from sqlalchemy.exc import OperationalError

from serving import access, keys


def test_every_route_but_the_probes_asks_for_a_key(locked_client):
    routes = {route.path: route.methods for route in locked_client.app.routes if hasattr(route, "methods")}
    paths = locked_client.get("/openapi.json").json()["paths"]
    assert {"/v1/score", "/v1/events", "/metrics"} <= paths.keys()
    assert routes or paths
    for path, operations in paths.items():
        for method in operations:
            answer = locked_client.request(method, path.replace("{lead_id}", "lead-00001"))
            assert (answer.status_code == 401) == (path not in access.PUBLIC), path
            if answer.status_code == 401:
                assert answer.json()["code"] == "key_required"
                assert answer.headers["www-authenticate"] == "Bearer"


def test_what_does_not_exist_looks_like_what_is_closed(locked_client):
    assert locked_client.get("/v1/nothing").status_code == 401
    assert locked_client.get("/v1/leads/nobody/score").status_code == 401


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "authorization"])
def test_a_key_opens_in_either_header_until_it_is_revoked(locked_client, store, header):
    info, key = keys.create(store, "crm")
    headers = {header: key if header == "X-API-Key" else f"Bearer {key}"}
    assert locked_client.get("/v1/leads/lead-00001/score", headers=headers).status_code == 200
    keys.revoke(store, info.key_id)
    assert locked_client.get("/v1/leads/lead-00001/score", headers=headers).status_code == 401


@pytest.mark.parametrize("value", ["Basic abc", "Bearer", "Bearer ", "Bearer x y", "\xff\xfe"])
def test_other_credentials_do_not(locked_client, value):
    headers = {"Authorization": value.encode("latin-1")}
    assert locked_client.get("/metrics", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8000", 403),
        ("", 403),
    ],
)
def test_an_open_service_answers_under_the_names_of_this_machine_only(client, host, status):
    assert client.get("/v1/leads/lead-00001/score", headers={"Host": host}).status_code == status


def test_without_a_store_nobody_is_let_in(locked_client, monkeypatch):
    def broken(*_):
        raise OperationalError("x", {}, Exception("disk I/O error"))

    monkeypatch.setattr(keys, "is_valid", broken)
    answer = locked_client.get("/metrics", headers={"X-API-Key": "ll_a_b"})
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"] == "5"
