from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings

LIMIT = 2_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def small(runtime):
    limited = replace(runtime, settings=Settings(everybody=True, max_body=LIMIT))
    with TestClient(create_app(limited), base_url="http://127.0.0.1") as opened:
        yield opened


def body(size):
    start = b'{"lead_id": "lead-00001"'
    return start + b" " * (size - len(start) - 1) + b"}"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 50, 413)])
def test_the_limit_holds_to_the_byte(small, chunked, size, status):
    whole = body(size)
    content = (whole[at : at + 700] for at in range(0, size, 700)) if chunked else whole
    answer = small.post("/v1/score", content=content, headers=JSON)
    assert answer.status_code == status
    if status == 413:
        assert answer.json()["code"] == "body_too_large"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30, "1e3"])
def test_a_length_that_is_none_is_refused(small, length):
    assert small.post("/v1/score", content=body(100), headers=JSON | {"Content-Length": length}).status_code == 413


def test_an_understated_length_does_not_help(small):
    content = body(LIMIT * 3)
    assert small.post("/v1/score", content=content, headers=JSON | {"Content-Length": "10"}).status_code == 413


def test_routes_without_a_body_are_limited_too(small):
    assert small.request("GET", "/livez", content=b"x" * (LIMIT + 1)).status_code == 413


def test_a_client_that_leaves_half_way_breaks_nothing(runtime):
    import asyncio

    app = create_app(runtime)
    messages = iter([{"type": "http.request", "body": b'{"lead', "more_body": True}, {"type": "http.disconnect"}])
    sent = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/score",
        "raw_path": b"/v1/score",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 400
