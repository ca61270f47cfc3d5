import pytest

from serving.body import is_json

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"{",
        b"{'lead_id': 1}",
        b'{"lead_id": NaN}',
        b'{"lead_id": Infinity}',
        b'{"lead_id": -Infinity}',
        b'{"lead_id": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"lead_id": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b"9" * 10_000,
        b'{"lead_id": "x"} trailing',
        "{}".encode("utf-16"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch", "/v1/events"])
def test_what_is_not_json_is_refused(client, path, content):
    answer = client.post(path, content=content, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) in {(400, "malformed_body"), (422, "invalid_request")}
    assert answer.status_code == 400 or content == b""


@pytest.mark.parametrize("media", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ";"])
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch", "/v1/events"])
def test_another_media_type_is_refused(client, path, media):
    headers = {} if media is None else {"Content-Type": media}
    answer = client.post(path, content=b'{"lead_id": "lead-00001"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")


@pytest.mark.parametrize(
    ("media", "taken"),
    [
        ("application/json", True),
        ("Application/JSON", True),
        ('application/json; charset="UTF-8"', True),
        ("application/json; charset=shift_jis", False),
        ("application/jsonp", False),
        ("", False),
    ],
)
def test_media_types(media, taken):
    assert is_json(media) is taken
