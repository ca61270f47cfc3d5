"""The demo from the command line to an answer of the service. One full run is shared; it takes most of a minute."""

import json
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from leadlight.workspace import Workspace
from serving.server import bound
from tests.serving.process import COMMAND, ROOT, serving

pytestmark = pytest.mark.slow

KEYS = {
    *("leads", "activities", "target", "horizon_days", "split", "n_test", "positives", "auc", "log_loss", "brier"),
    *("ece", "lift10", "reasons_max_error", "threshold", "seconds"),
}
THRESHOLD_KEYS = {"value", "mqls_per_week", "sql_rate", "low", "high", "wins_share", "binding", "reason"}
METRICS = ("auc", "log_loss", "brier", "ece", "lift10")
SCORERS = {"model", "rules", "logistic", "odoo", "base_rate", "oracle"}
# The demo with one rung, little tuning, few replicates and no MLflow: for what does not depend on them.
QUICK = """
import dataclasses, functools, sys
from leadlight import demo
from leadlight.__main__ import main
from training import evaluate
evaluate.compare = functools.partial(evaluate.compare, replicates=50)
usual = demo._Tour.options
demo._Tour.options = lambda tour, seed: dataclasses.replace(usual(tour, seed), trials=1, rung="model")
def settle(tour, trained, options):
    from training import promotion
    promotion.settle(tour.room, trained)
demo._Tour.track = settle
main(sys.argv[1:])
"""


@pytest.fixture(scope="module", autouse=True)
def own_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", "a key for the tests of the demo")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


def leadlight(*words):
    return subprocess.run([*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def shown(own_home, tmp_path_factory):
    """Run the demo; give (its workspace, how it ended)."""
    room = Workspace.at(tmp_path_factory.mktemp("demo") / "work space")
    return room, leadlight("demo", "--no-serve", "--json", "--leads", "2000", "--workspace", str(room.root))


def test_it_ends_well_with_one_json_object_and_a_commentary(shown):
    room, ended = shown
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert answer.keys() >= KEYS
    assert answer["leads"] == 2_000
    assert answer["activities"] == room.tables_info().rows["activities"]
    assert answer["target"] == "sql"
    assert answer["threshold"].keys() >= THRESHOLD_KEYS
    assert 0 < answer["positives"] < answer["n_test"]
    assert answer["seconds"]["total"] > 0
    for step in ("simulate", "ingest", "train", "track", "explain", "threshold"):
        assert f"\n{step}  " in ended.stderr


def test_every_metric_is_given_of_every_scorer(shown):
    answer = json.loads(shown[1].stdout)
    for metric in METRICS:
        assert set(answer[metric]) == SCORERS
        for value in answer[metric].values():
            assert value is None or value["low"] <= value["value"] <= value["high"]


def test_reasons_add_up(shown):
    assert json.loads(shown[1].stdout)["reasons_max_error"] <= 1e-9


def test_a_service_on_its_workspace_scores_within_the_record(shown):
    room = shown[0]
    lead = room.scan("leads").select("lead_id", "created_at").head(1).collect().row(0, named=True)
    with serving(room, "--open") as (process, told, client):
        assert told["leads"] == 2_000
        asked = {"lead_id": lead["lead_id"], "as_of": lead["created_at"].isoformat()}
        answer = client.post("/v1/score", json=asked)
        assert answer.status_code == 200
        assert answer.json()["degraded"] is False
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0


def test_again_in_the_same_workspace_and_then_served_until_ctrl_c(shown):
    """Less is tuned here than in the full run; the rest, the service included, is as usual."""
    room = shown[0]
    with bound("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    words = ["demo", "--json", "--leads", "2000", "--port", str(port), "--workspace", str(room.root)]
    command = [sys.executable, "-c", QUICK, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            told = until_served(process)
            lines = dict(line.split(maxsplit=1) for line in told if line.startswith(("address", "try", "MLflow")))
            own = next(line.split(maxsplit=1)[1].strip() for line in told if line.startswith("try"))
            assert lines["address"].strip() == f"http://127.0.0.1:{port}"
            assert shlex.split(lines["MLflow"])[:4] == ["mlflow", "server", "--backend-store-uri", room.mlflow_uri]
            answer = ask(own)
            asked = json.loads(shlex.split(own)[-1])
            assert answer["lead_id"] == asked["lead_id"]
            assert answer["degraded"] is False
            assert answer["model_version"] == room.current_version()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
            assert process.returncode == 0, err
        finally:
            process.kill()
    assert json.loads(out)["leads"] == 2_000
    assert "Traceback" not in err
    assert len(room.bundle_versions()) in {1, 2}  # the model, and the rules where they serve: none of the first run


def until_served(process):
    """Read what the demo says until the service below it says `try` too."""
    told = []
    for line in process.stderr:
        told.append(line)
        if sum(seen.startswith("try ") for seen in told) == 2:
            return told
    raise AssertionError("".join(told))


def ask(command):
    """Run a printed `curl`, or where there is no curl send what it would."""
    if Path("/usr/bin/curl").exists():
        ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True, timeout=30)
        return json.loads(ended.stdout)
    words = shlex.split(command)
    request = urllib.request.Request(words[2], words[-1].encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_foreign_tables_are_refused_and_left_alone(tmp_path):
    (tmp_path / "tables.json").write_text("{}")
    (tmp_path / "tables" / "mine").mkdir(parents=True)
    ended = leadlight("demo", "--no-serve", "--json", "--workspace", str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr == f"error: {json.loads(ended.stdout)['error']}\n"
    assert ended.stderr.startswith("error: workspace ")
    assert "choose another --workspace" in ended.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "tables", "tables.json"]


def test_a_busy_port_is_refused_before_any_work(tmp_path):
    with bound("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        ended = leadlight("demo", "--port", port, "--workspace", str(tmp_path / "ws"))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}")
    assert not (tmp_path / "ws").exists()
