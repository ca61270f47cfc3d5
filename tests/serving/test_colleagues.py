"""What colleagues do moves a score through the API exactly as it moves the score of a batch."""

from dataclasses import replace

import lightgbm
import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from features import online, tables
from leadlight import bundle as bundles
from leadlight.bundle import Bundle
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.workspace import Workspace
from scoring import batch
from scoring.score import LeadScorer
from serving import importer
from serving.app import create_app
from serving.clock import to_us
from serving.current import Current
from serving.deps import Runtime
from serving.settings import Settings
from serving.store import leads
from serving.store.database import open_store
from tests.serving import market

SPECS = (
    FeatureSpec("active_5d", "company", "colleagues_active", window_days=5),
    FeatureSpec("most", "company", "most_active_colleague", types=("pricing_view",)),
    FeatureSpec("recency", "company", "colleague_recency", actor="lead"),
    FeatureSpec("industries", "company", "roles", attribute="industry"),
    FeatureSpec("colleagues", "company", "colleagues"),
    FeatureSpec("count", "frequency", "count"),
)
ACCOUNTS = ["x", "x", "x", "y", "y", "x", None, None]
INSTANTS = [to_us(market.instant(days)) for days in (0.5, 3, 5.01, 9.35, 40)]


def scorer():
    random = np.random.default_rng(5)
    X = random.uniform(0, 8, (500, len(SPECS)))
    y = (random.random(500) < 1 / (1 + np.exp(3 - X.sum(axis=1) / 8))).astype(int)
    data = lightgbm.Dataset(X, y, init_score=np.full(500, -1.0))
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1, "boost_from_average": False, "seed": 1}
    model = lightgbm.train(parameters, data, num_boost_round=60)
    base = model.predict(np.zeros((1, len(SPECS))), pred_contrib=True)[0, -1]
    return replace(market.scorer(), specs=SPECS, booster=model, expected_value=float(base))


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Give a workspace with accounts, and a bundle that looks at colleagues."""
    workspace = Workspace.at(tmp_path_factory.mktemp("company") / "workspace")
    market.write_tables(workspace, leads=len(ACCOUNTS), per_lead=9, accounts=ACCOUNTS)
    version = "20260101T000000Z-company"
    bundles.save(Bundle(version, scorer()), workspace.bundle_path(version), market.KEY)
    workspace.set_current(version)
    return workspace


@pytest.fixture
def runtime(room, tmp_path):
    store = open_store(tmp_path / "serve.db")
    importer.import_tables(store, room, lambda _name, _rows: None)
    yield Runtime(room, store, Current.load(room), Settings(everybody=True))
    store.close()


@pytest.fixture
def client(runtime):
    with TestClient(create_app(runtime), base_url="http://127.0.0.1") as opened:
        yield opened


def asked(client, lead_id, as_of):
    at = np.datetime64(as_of, "us")
    return client.get(f"/v1/leads/{lead_id}/score", params={"as_of": f"{at}Z", "explain": "true"}).json()


def test_the_service_scores_as_the_batch_does(client, runtime):
    ids = [f"lead-{number:05d}" for number in range(len(ACCOUNTS))]
    rows = pl.DataFrame([(lead_id, at) for lead_id in ids for at in INSTANTS], ["lead_id", "as_of"], orient="row")
    answers = list(batch.score_leads(tables.read(runtime.workspace), rows, runtime.current.scorer, now=0))
    for wanted in answers:
        found = asked(client, wanted.lead_id, wanted.feature_as_of)
        assert found["explanation"]["log_odds"] == pytest.approx(wanted.log_odds, abs=1e-9)
        assert (found["score"], found["reason_1"]) == (wanted.score, wanted.reason_1)


def test_colleagues_move_the_score(client, runtime):
    """The same lead without them would have another score, so that the test above can fail."""
    with runtime.store.reading() as connection:
        alone = leads.timeline(connection, "lead-00000")
    as_of = INSTANTS[3]
    without = runtime.current.scorer.score(alone, as_of).log_odds
    assert asked(client, "lead-00000", as_of)["explanation"]["log_odds"] != pytest.approx(without, abs=1e-3)


def test_a_lead_that_was_sent_whole_has_no_colleagues(client):
    lead = {"lead_id": "lead-00000", "created_at": "2026-01-01T00:00:00Z"}
    body = {"lead": lead, "as_of": "2026-01-09T00:00:00Z"}
    answer = client.post("/v1/score?explain=true", json=body).json()
    values = {part["name"]: part["value"] for part in answer["explanation"]["contributions"]}
    assert (values["active_5d"], values["colleagues"], values["recency"]) == (0, 0, None)


def test_colleagues_are_read_only_for_a_bundle_that_looks_at_them(runtime, client, monkeypatch):
    read = []
    original = leads.colleagues
    monkeypatch.setattr(leads, "colleagues", lambda *arguments: read.append(arguments[1]) or original(*arguments))
    asked(client, "lead-00001", INSTANTS[3])
    assert read == ["lead-00001"]
    alone = replace(runtime, current=replace(runtime.current, scorer=LeadScorer(None)))
    with TestClient(create_app(alone), base_url="http://127.0.0.1") as other:
        asked(other, "lead-00001", INSTANTS[3])
    assert read == ["lead-00001"]


def test_the_store_need_not_give_what_lies_before_the_windows(runtime):
    windowed = online.Plan([spec for spec in SPECS if spec.name not in {"most", "recency"}])
    as_of = INSTANTS[3]
    assert windowed.colleagues_since(as_of) == as_of - 5 * DAY
    assert online.Plan(SPECS).colleagues_since(as_of) is None
    assert online.Plan(SPECS[3:]).colleagues_since(as_of) == as_of
    with runtime.store.reading() as connection:
        lead = leads.timeline(connection, "lead-00000")
        some = leads.colleagues(connection, "lead-00000", as_of, as_of - 5 * DAY)
        everything = leads.colleagues(connection, "lead-00000", as_of, None)
        nothing = leads.colleagues(connection, "lead-00000", as_of, as_of)
    sizes = [sum(len(one.activities) for one in found) for found in (nothing, some, everything)]
    assert sizes[0] == 0 < sizes[1] < sizes[2]
    np.testing.assert_array_equal(windowed.row(lead, as_of, some), windowed.row(lead, as_of, everything))
