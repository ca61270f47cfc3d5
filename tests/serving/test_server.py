import json
import os
import random
import shlex
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from dataclasses import replace

import httpx2
import pytest

from leadlight.errors import ServiceError
from serving import answers, keys
from serving.clock import to_us
from serving.server import address, bound, curl, end_of_order, prepare
from serving.settings import Settings
from serving.store.database import open_store
from tests.serving import market
from tests.serving.process import run, serving


def test_the_main_way_from_start_to_end(workspace):
    with serving(workspace, "--open") as (process, told, client):
        assert (told["leads"], told["activities"], told["keys"]) == (5, 60, None)
        assert (told["model_version"], told["degraded"], told["problem"]) == (market.VERSION, False, None)
        assert client.get("/readyz").json()["status"] == "ready"
        answer = subprocess.run(shlex.split(told["curl"]), capture_output=True, text=True, check=True)
        assert json.loads(answer.stdout)["lead_id"] == "lead-00000"
        event = {"activity_id": "kept", "lead_id": "lead-00001", "type": "x", "occurred_at": "2026-01-20T00:00:00Z"}
        assert client.post("/v1/events", json=event).json()["stored"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""
    with serving(workspace, "--open") as (process, told, client):
        assert told["activities"] == 61
        assert client.post("/v1/events", json=event).json()["duplicates"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_keys_are_asked_for_made_and_revoked_while_it_runs(workspace):
    with serving(workspace) as (_process, told, client):
        assert told["keys"] == 0
        assert "$LEADLIGHT_API_KEY" in told["curl"]
        assert client.get("/v1/leads/lead-00001/score").status_code == 401
        store = open_store(workspace.serve_db)
        info, key = keys.create(store, "crm")
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.get("/v1/leads/lead-00001/score").status_code == 200
        keys.revoke(store, info.key_id)
        assert client.get("/v1/leads/lead-00001/score").status_code == 401
        store.close()


def test_a_tampered_bundle_is_not_used(workspace):
    path = workspace.bundle_path(market.VERSION) / "model.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with serving(workspace, "--open") as (_process, told, client):
        assert told["degraded"] is True
        assert "was changed" in told["problem"]
        assert client.get("/v1/leads/lead-00001/score").json()["degraded"] is True
        assert client.get("/readyz").json()["status"] == "degraded"


def test_a_busy_port_is_told_before_anything_is_imported(workspace):
    with bound("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        ended = run("serve", "--workspace", str(workspace.root), "--port", port, "--open")
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}")
    assert len(ended.stderr.splitlines()) == 1
    assert not workspace.serve_db.exists()


def test_kill_9_loses_nothing_that_was_acknowledged(workspace):
    acknowledged = []
    for round_ in range(3):
        with serving(workspace, "--open") as (process, told, _client):
            stop = threading.Event()
            writers = [
                threading.Thread(target=post_until_dead, args=(told["address"], f"{round_}-{n}", acknowledged, stop))
                for n in range(3)
            ]
            before = len(acknowledged)
            for writer in writers:
                writer.start()
            patience = time.monotonic() + 60
            while len(acknowledged) < before + 30 and time.monotonic() < patience:  # a busy machine takes its time
                time.sleep(0.01)
            time.sleep(random.uniform(0.0, 0.4))
            os.kill(process.pid, signal.SIGKILL)
            stop.set()
            for writer in writers:
                writer.join()
    database = sqlite3.connect(workspace.serve_db)
    stored = {row[0] for row in database.execute("SELECT activity_id FROM activities WHERE origin = 'api'")}
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert len(acknowledged) > 30
    assert set(acknowledged) <= stored
    batches = {}
    for key in stored:
        batches.setdefault(key.rpartition("/")[0], set()).add(key)
    assert {len(batch) for batch in batches.values()} == {3}


def post_until_dead(url, name, acknowledged, stop):
    with httpx2.Client(base_url=url, timeout=10) as client:
        for number in range(100_000):
            ids = [f"{name}/{number}/{part}" for part in range(3)]
            events = [
                {"activity_id": key, "lead_id": "lead-00001", "type": "x", "occurred_at": "2026-01-20T00:00:00Z"}
                for key in ids
            ]
            try:
                if client.post("/v1/events", json=events).status_code == 200:
                    acknowledged.extend(ids)
            except httpx2.HTTPError:
                return
            if stop.is_set():
                return


def test_an_empty_workspace_serves_inline_leads_by_the_card(tmp_path):
    from leadlight.workspace import Workspace

    with serving(Workspace.at(tmp_path / "new"), "--open") as (_process, told, _client):
        assert (told["leads"], told["model_version"]) == (0, "rules:standard")
        answer = subprocess.run(shlex.split(told["curl"]), capture_output=True, text=True, check=True)
        assert json.loads(answer.stdout)["rule_points"] == 20


def test_where_instants_are_ranks_a_lead_is_scored_at_the_end_of_the_record(workspace):
    assert end_of_order(workspace) is None
    info = workspace.tables_info()
    workspace.publish_tables(replace(info, clock="order", observed_until=1_768_000_000_000_000))
    runtime = prepare(workspace, Settings(everybody=True), None)
    found = answers.score_known(runtime, "lead-00001", None, "en", explain=False)
    runtime.store.close()
    assert to_us(found.feature_as_of) == 1_768_000_000_000_000


def test_addresses():
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert address("::1", 80) == "http://[::1]:80"
    assert address("0.0.0.0", 80) == "http://localhost:80"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.9", "a b"])
def test_a_host_that_is_not_ours_is_refused(host):
    with pytest.raises(ServiceError, match="cannot listen on"):
        bound(host, 0)


def test_a_socket_is_closed_when_it_cannot_listen():
    with bound("127.0.0.1", 0) as taken:
        with pytest.raises(ServiceError, match="choose another --port"):
            bound("127.0.0.1", taken.getsockname()[1])
        assert isinstance(taken, socket.socket)


def test_the_example_survives_the_shell():
    hostile = 'it\'s $(rm -rf) `x` "q"'
    words = shlex.split(curl("http://h", hostile, with_key=False))
    assert json.loads(words[-1]) == {"lead_id": hostile}
