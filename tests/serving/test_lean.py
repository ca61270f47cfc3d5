import json
import subprocess
import sys

from serving.lean import HEAVY
from tests.serving.process import ROOT

SCORE_ONE = """
import json, sys
from serving.lean import refuse_heavy_imports
refuse_heavy_imports()
from fastapi.testclient import TestClient
from leadlight.workspace import Workspace
from serving.app import create_app
from serving.settings import Settings
from serving.server import prepare
runtime = prepare(Workspace.at(sys.argv[1]), Settings(everybody=True), None)
with TestClient(create_app(runtime), base_url="http://127.0.0.1") as client:
    answers = [client.get(f"/v1/leads/lead-0000{n}/score?explain=true").json() for n in range(5)]
    client.get("/v1/thresholds/recommendation")
    client.post("/v1/events", json={"lead_id": "x", "type": "y", "occurred_at": "2026-01-01T00:00:00Z"})
print(json.dumps([sorted({name.partition(".")[0] for name in sys.modules}), answers]))
"""


def test_a_process_that_serves_loads_nothing_heavy(workspace, client):
    done = subprocess.run(
        [sys.executable, "-c", SCORE_ONE, str(workspace.root)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded, answers = json.loads(done.stdout.splitlines()[-1])
    assert set(loaded) & HEAVY == set()
    assert "lightgbm" in loaded
    assert [answer["degraded"] for answer in answers] == [False] * 5
    here = client.get("/v1/leads/lead-00001/score", params={"as_of": answers[1]["feature_as_of"]}).json()
    assert here["score"] == answers[1]["score"]


def test_a_heavy_module_counts_as_not_installed():
    code = (
        "from serving.lean import refuse_heavy_imports as refuse; refuse(); refuse(); import sys\n"
        "assert sum(type(f).__name__ == 'Refusal' for f in sys.meta_path) == 1\n"
        "try:\n    import pandas\nexcept ModuleNotFoundError as error:\n    print(error.name)\nimport json"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pandas"
