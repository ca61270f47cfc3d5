import json
from dataclasses import replace

import pytest

from features import tables
from leadlight.bundle import Bundle, Isotonic, VennAbers
from leadlight.schema import DAY
from leadlight.vocabulary import LANGS
from scoring.score import LeadScorer
from serving.clock import to_us
from tests.serving import market

AT = "2026-01-20T00:00:00Z"
JSON = {"Content-Type": "application/json"}
FLAT = {
    "lead_id",
    "score",
    "score_basis",
    "probability",
    "interval",
    "rule_points",
    "temperature",
    "fit_grade",
    "engagement_level",
    "reason_1",
    "reason_2",
    "reason_3",
    "reason_rest",
    "model_version",
    "feature_as_of",
    "scored_at",
    "degraded",
    "age_note",
}


def inline(lead_id="new", **changes):
    return {
        "lead_id": lead_id,
        "created_at": "2026-01-01T00:00:00+09:00",
        "attributes": {"employees": 120, "industry": "software", "other": None},
        "activities": [
            {"type": "pricing_view", "occurred_at": "2026-01-10T00:00:00Z", "content": "/pricing"},
            {"type": "pricing_view", "occurred_at": "2026-01-11T00:00:00Z", "value": 2},
        ],
        "stages": [{"stage": "lead", "entered_at": "2026-01-01T00:00:00Z"}],
    } | changes


def score(client, **query):
    answer = client.post("/v1/score", json={"lead": inline(), "as_of": AT}, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_answer_is_flat_and_typed(client):
    found = score(client)
    assert found.keys() == FLAT
    assert all(value is None or isinstance(value, str | float | int | bool) for value in found.values())
    assert found["interval"] is None
    assert (found["lead_id"], found["score_basis"], found["degraded"]) == ("new", "model", False)
    assert found["model_version"] == market.VERSION
    assert found["feature_as_of"] == AT
    assert 0 <= found["score"] <= 100
    assert 0 < found["probability"] < 1
    assert "pricing page" in found["reason_1"]


def test_an_explanation_adds_up(client):
    why = score(client, explain=True)["explanation"]
    points = sum(part["points"] for part in why["contributions"])
    log_odds = sum(part["log_odds"] for part in why["contributions"])
    assert why["base_points"] + points == pytest.approx(why["raw_score"], abs=1e-9)
    assert why["base_log_odds"] + log_odds == pytest.approx(why["log_odds"], abs=1e-9)


def served(runtime, bundle):
    """Give a client of a service that serves another bundle."""
    from fastapi.testclient import TestClient

    from serving.app import create_app
    from serving.current import Current

    current = Current(LeadScorer(bundle), bundle, None)
    return TestClient(create_app(replace(runtime, current=current)), base_url="http://127.0.0.1")


def test_the_interval_holds_the_probability(runtime):
    interval = VennAbers((-1.0, 0.0), (0.05, 0.2, 0.4), (0.2, 0.4, 0.8))
    with served(runtime, Bundle("v", replace(market.scorer(), interval=interval))) as client:
        found = score(client)
    assert found.keys() == FLAT
    assert found["interval"].keys() == {"low", "high"}
    assert 0 <= found["interval"]["low"] <= found["probability"] <= found["interval"]["high"] <= 1


def test_a_step_of_calibration_and_a_corrected_base_rate_are_told(runtime):
    isotonic = Isotonic((-1.0, 0.0), (-1.4, -0.3, 0.8))
    bundle = Bundle(
        "v", replace(market.scorer(), isotonic=isotonic, shift=0.7), training={"shift": {"before": 0.05, "after": 0.1}}
    )
    with served(runtime, bundle) as client:
        why = score(client, explain=True)["explanation"]
        assert "補正" in score(client, explain=True, lang="ja")["explanation"]["base_note"]
    assert [part["name"] for part in why["contributions"] if part["kind"] == "calibration"] == ["calibration"]
    log_odds = sum(part["log_odds"] for part in why["contributions"])
    assert why["base_log_odds"] + log_odds == pytest.approx(why["log_odds"], abs=1e-9)
    assert why["base_note"] == "the base rate was corrected from 5 % to 10 %"


def test_a_lead_older_than_what_was_tested_is_told(runtime):
    young, old = (Bundle("v", market.scorer(), training={"ages_us": [days * DAY]}) for days in (60, 1))
    with served(runtime, young) as client:
        assert score(client)["age_note"] is None
    with served(runtime, old) as client:
        assert "older than the oldest age that was learnt and tested (1d)" in score(client)["age_note"]
        assert "1d" in score(client, lang="ja")["age_note"]
        assert "未検証" in score(client, lang="ja")["age_note"]


def test_the_interval_is_documented(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["IntervalAnswer"]["properties"].keys() == {"low", "high"}
    assert "interval" in schemas["ScoreAnswer"]["required"]


def test_japanese_reasons(client):
    assert "料金ページ" in score(client, lang="ja")["reason_1"]
    assert LANGS == ("en", "ja")


def test_by_id_gives_what_the_scorer_gives_on_the_tables(client, workspace, runtime):
    scorer: LeadScorer = runtime.current.scorer
    as_of = to_us(market.instant(19))
    for lead_id, timeline in tables.timelines(tables.read(workspace)).items():
        expected = scorer.score(timeline, as_of)
        for answer in (
            client.post("/v1/score", json={"lead_id": lead_id, "as_of": AT}),
            client.get(f"/v1/leads/{lead_id}/score", params={"as_of": AT}),
        ):
            found = answer.json()
            assert found["score"] == expected.score
            assert found["probability"] == expected.probability
            assert [found[f"reason_{n}"] for n in (1, 2, 3)] == [
                expected.reason_1,
                expected.reason_2,
                expected.reason_3,
            ]


def test_the_default_instant_is_now(client, runtime):
    before = runtime.clock()
    from datetime import datetime

    found = client.get("/v1/leads/lead-00001/score").json()
    assert before <= to_us(datetime.fromisoformat(found["feature_as_of"])) <= runtime.clock()


def test_a_lead_created_ahead_of_our_clock_is_scored_at_its_creation(client):
    found = client.post("/v1/score", json={"lead": inline(created_at="2199-01-01T00:00:00Z")}).json()
    assert found["feature_as_of"] == "2199-01-01T00:00:00Z"


def test_an_instant_before_the_lead_was_created_is_refused(client):
    answer = client.post("/v1/score", json={"lead": inline(), "as_of": "2025-12-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "before the lead was created" in answer.json()["detail"]


def test_repeated_activities_and_their_order_change_nothing(client):
    activities = [
        {"activity_id": f"a{day}", "type": "pricing_view", "occurred_at": f"2026-01-{day}T00:00:00Z"}
        for day in range(10, 15)
    ]
    lead = inline(activities=activities)
    mixed = inline(activities=[*activities[::-1], *activities[:2]])
    one, two = (client.post("/v1/score", json={"lead": body, "as_of": AT}).json() for body in (lead, mixed))
    assert one | {"scored_at": ""} == two | {"scored_at": ""}


@pytest.mark.parametrize(
    "body",
    [
        {"lead_id": "lead-00001", "lead": inline()},
        {"lead": None},
        {"lead_id": ""},
        {"lead_id": "a\u0000b"},
        {"lead_id": "a\nb"},
        {"lead_id": "x" * 201},
        {"lead_id": "lead-00001", "as_of": 1_767_225_600},
        {"lead_id": "lead-00001", "as_of": "1767225600"},
        {"lead_id": "lead-00001", "as_of": "2026-01-20"},
        {"lead_id": "lead-00001", "as_of": "2026-01-20T00:00:00"},
        {"lead_id": "lead-00001", "as_of": "0001-01-01T00:00:00+14:00"},
        {"lead_id": "lead-00001", "as_of": "9999-12-31T23:59:59-14:00"},
        {"lead": inline(lead_id=None)},
        {"lead": inline(surprise=1)},
        {"lead": inline(attributes={"employees": True})},
        {"lead": inline(attributes={"employees": [1]})},
        {"lead": inline(attributes={"employees": 1e300})},
        {"lead": inline(attributes={"a\u0000": 1})},
        {"lead": inline(attributes={"a": "\u0000"})},
        {"lead": inline(activities=[{"type": "t", "occurred_at": AT, "actor": "robot"}])},
        {"lead": inline(activities=[{"type": "t", "occurred_at": AT, "value": "3"}])},
        {"lead": inline(activities={})},
        {"lead": inline(stages=[{"stage": "lead", "entered_at": AT}] * 201)},
        [],
        3,
        None,
    ],
)
def test_what_is_not_a_request_is_refused(client, body):
    answer = client.post("/v1/score", content=json.dumps(body), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e300"])
def test_numbers_beyond_all_bounds_are_refused(client, number):
    body = json.dumps({"lead": inline(attributes={"employees": "NUMBER"})}).replace('"NUMBER"', number)
    answer = client.post("/v1/score", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "lead.attributes.employees"


@pytest.mark.parametrize("lead_id", ["a/b", "a b", "リード", "..", "%", "a?b#c", "score"])
def test_any_printable_id_works_in_a_path(client, store, lead_id):
    from urllib.parse import quote

    from sqlalchemy import insert

    from serving.store.tables import LEADS

    with store.writing() as connection:
        connection.execute(insert(LEADS), {"lead_id": lead_id, "created_at": 0, "attributes": {}})
    quoted = quote(lead_id, safe="").replace(".", "%2E")
    answer = client.get(f"/v1/leads/{quoted}/score")
    assert answer.status_code == 200, answer.text
    assert answer.json()["lead_id"] == lead_id


def test_a_batch_answers_each_item_in_order(client):
    items = [
        {"lead_id": "lead-00001", "as_of": AT},
        {"lead_id": "nobody"},
        {"lead": inline("b"), "as_of": AT},
        {"lead": inline("c", surprise=1)},
        "nonsense",
        None,
        {"lead_id": "lead-00001", "as_of": "2020-01-01T00:00:00Z"},
    ]
    answer = client.post("/v1/score/batch", json={"items": items}, params={"explain": True, "lang": "ja"})
    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [item["index"] for item in results] == list(range(7))
    assert [item["status"] for item in results] == [200, 404, 200, 422, 422, 422, 422]
    assert [("result" in item) != ("error" in item) for item in results] == [True] * 7
    assert results[3]["error"]["errors"] == [{"field": "lead.surprise", "message": "unknown field"}]
    assert results[2]["result"]["explanation"]["contributions"]
    assert results[1]["error"]["type"] == "about:blank"
    alone = client.post("/v1/score", json=items[0], params={"explain": True, "lang": "ja"}).json()
    assert results[0]["result"] | {"scored_at": ""} == alone | {"scored_at": ""}


@pytest.mark.parametrize(("size", "status"), [(0, 422), (1, 200), (100, 200), (101, 422)])
def test_a_batch_holds_1_to_100(client, size, status):
    items = [{"lead_id": "lead-00001"}] * size
    answer = client.post("/v1/score/batch", json={"items": items})
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["results"]) == size


def test_without_a_bundle_the_card_answers_and_says_so(runtime):
    from fastapi.testclient import TestClient

    from rules import parse
    from serving.app import create_app
    from serving.current import Current

    current = Current(LeadScorer(None, parse.builtin("standard")), None, "why not")
    with TestClient(create_app(replace(runtime, current=current)), base_url="http://127.0.0.1") as client:
        found = score(client, explain=True)
    assert (found["degraded"], found["score_basis"], found["probability"]) == (True, "rules", None)
    assert found["model_version"] == "rules:standard"
    assert found["explanation"]["log_odds"] is None
    assert found["rule_points"] == found["explanation"]["raw_score"]
