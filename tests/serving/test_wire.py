"""Whatever is sent, the answer is a clean one: never a defect (5xx), always JSON of a known shape."""

import json
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from serving import wire
from serving.app import create_app

ROUTES = ("/v1/score", "/v1/score/batch", "/v1/events")
GETS = ("/v1/leads/{}/score", "/v1/{}", "/{}")
JSON = {"Content-Type": "application/json"}
WORDS = st.sampled_from(
    [
        "lead_id",
        "lead",
        "as_of",
        "items",
        "activities",
        "stages",
        "attributes",
        "type",
        "occurred_at",
        "value",
        "lead-00001",
        "2026-01-05T00:00:00Z",
        "created_at",
        "pricing_view",
        "stage",
        "sql",
        "entered_at",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["lead-00001", "2026-01-05T00:00:00Z", "\ud800", "\u0000", "1e999"])
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5)
)
RECENT = {"min_value": datetime(2026, 1, 1), "max_value": datetime(2026, 3, 1)}  # noqa: DTZ001  (as st.datetimes asks)
INSTANTS = st.one_of(st.datetimes(**RECENT, timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC))).map(
    lambda at: at.isoformat()
)
PRINTABLE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
TEXTS = PRINTABLE | PRINTABLE | PRINTABLE | st.text(max_size=12)
ACTIVITIES = st.fixed_dictionaries(
    {"type": TEXTS, "occurred_at": INSTANTS},
    optional={
        "activity_id": TEXTS,
        "received_at": INSTANTS,
        "actor": st.sampled_from(["lead", "sales", "x"]),
        "channel": TEXTS,
        "content": TEXTS,
        "detail": TEXTS,
        "value": st.floats() | st.integers(),
    },
)
LEADS = st.fixed_dictionaries(
    {"lead_id": TEXTS, "created_at": INSTANTS},
    optional={
        "attributes": st.dictionaries(
            st.sampled_from(["employees", "industry"]) | TEXTS, LEAVES.filter(lambda leaf: not isinstance(leaf, bool))
        ),
        "activities": st.lists(ACTIVITIES, max_size=5),
        "stages": st.lists(
            st.fixed_dictionaries({"stage": st.sampled_from(["lead", "sql", "lost"]), "entered_at": INSTANTS}),
            max_size=3,
        ),
    },
)


@pytest.fixture
def fuzzed(runtime):
    """Give one client for all examples; a defect is an answer here, not an exception."""
    with TestClient(create_app(runtime), base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def fuzzing(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def check(answer):
    assert answer.status_code < 500, answer.text
    found = json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
    if answer.status_code >= 400:
        assert {"type", "title", "status", "code", "detail", "errors"} == found.keys()


@fuzzing(150)
@given(path=st.sampled_from(ROUTES), content=TREES.map(json.dumps))
def test_any_json_is_answered_cleanly(fuzzed, path, content):
    check(fuzzed.post(path, content=content, headers=JSON))


@fuzzing(80)
@given(path=st.sampled_from(ROUTES), content=st.binary(max_size=60))
def test_any_bytes_are_answered_cleanly(fuzzed, path, content):
    check(fuzzed.post(path, content=content, headers=JSON))


@fuzzing(120)
@given(lead=LEADS, as_of=st.none() | INSTANTS)
def test_nearly_right_leads_are_answered_cleanly(fuzzed, lead, as_of):
    body = {"lead": lead, "as_of": as_of}
    check(fuzzed.post("/v1/score?explain=true&lang=ja", content=json.dumps(body), headers=JSON))
    batch = fuzzed.post("/v1/score/batch", content=json.dumps({"items": [body, lead]}), headers=JSON)
    check(batch)


@fuzzing(60)
@given(events=st.lists(ACTIVITIES.map(lambda event: event | {"lead_id": "lead-00001"}), min_size=1, max_size=4))
def test_nearly_right_events_are_answered_cleanly_and_leave_a_lead_that_can_be_scored(fuzzed, events):
    check(fuzzed.post("/v1/events", content=json.dumps(events), headers=JSON))
    assert fuzzed.get("/v1/leads/lead-00001/score?explain=true").status_code == 200


@fuzzing(80)
@given(path=st.sampled_from(GETS), part=st.text(max_size=20), query=st.dictionaries(WORDS, st.text(max_size=10)))
def test_any_path_and_query_are_answered_cleanly(fuzzed, path, part, query):
    from urllib.parse import quote

    url = path.format(quote(part.encode("utf-8", "replace"), safe=""))
    answer = fuzzed.get(url, params=query)
    assert answer.status_code < 500


@pytest.mark.parametrize("text", ["2026-01-05T00:00:00Z", "2026-01-05 09:00:00+09:00", "2026-01-05T00:00:00.000001Z"])
def test_instants_that_are_taken(text):
    assert wire.ScoreRequest.model_validate({"lead_id": "x", "as_of": text}).as_of is not None


@pytest.mark.parametrize("wrong", [5, 5.0, "5", "2026-01-05", "2026-01-05T00:00:00", "05.01.2026", True, "now"])
def test_instants_that_would_have_to_be_guessed(wrong):
    with pytest.raises(ValidationError):
        wire.ScoreRequest.model_validate({"lead_id": "x", "as_of": wrong})
