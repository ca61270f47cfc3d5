import logging
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from leadlight.errors import TrackingError
from leadlight.workspace import Workspace
from tests.training.tracking_server import free_port
from training import track_database, track_store
from training.track_store import Store, check, model_name, opened


@pytest.fixture
def room(tmp_path):
    return Workspace.at(tmp_path / "ws")


@contextmanager
def web(status, body=b"<html>a shop</html>"):
    """Serve one answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  (the library's name)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def silence():
    """Accept connections and never answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def of(room, monkeypatch, address):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    return Store.chosen(room)


def test_without_a_setting_the_workspace_has_its_own(room, monkeypatch):
    own = Store.chosen(room)
    assert own == Store.own(room)
    assert (own.uri, own.address, own.remote) == (room.mlflow_uri, "workspace", False)
    for elsewhere in ("sqlite:///other.db", "file:///mlruns", "./mlruns", " "):
        assert of(room, monkeypatch, elsewhere) == own


def test_an_address_is_a_server_and_shows_no_password(room, monkeypatch):
    store = of(room, monkeypatch, "https://jane:secret@mlflow.example.com:5000/team/")
    assert store.uri == "https://jane:secret@mlflow.example.com:5000/team/"
    assert store.address == "https://mlflow.example.com:5000/team"
    assert store.remote
    assert store.artifacts is None
    assert "secret" not in store.told()


def test_names_of_experiment_and_models_are_chosen(room, monkeypatch):
    assert (Store.own(room).name, model_name("sql")) == ("leadlight", "leadlight-sql")
    monkeypatch.setenv("LEADLIGHT_MLFLOW_NAME", "leadlight-jane")
    assert model_name("customer", Store.own(room).name) == "leadlight-jane-customer"
    monkeypatch.setenv("LEADLIGHT_MLFLOW_NAME", "a/b")
    with pytest.raises(TrackingError, match="LEADLIGHT_MLFLOW_NAME `a/b`"):
        Store.own(room)


def test_nobody_there_is_told_at_once(room, monkeypatch):
    address = f"http://127.0.0.1:{free_port()}"
    start = time.monotonic()
    with pytest.raises(TrackingError, match=rf"MLflow at `{address}` cannot be reached: .*refused"):
        check(of(room, monkeypatch, address))
    assert time.monotonic() - start < 2


def test_a_server_that_hangs_is_told_within_seconds(room, monkeypatch):
    monkeypatch.setattr(track_store, "HEALTH_SECONDS", 0.2)
    with silence() as address, pytest.raises(TrackingError, match="no answer in time"):
        check(of(room, monkeypatch, address))


def test_a_server_in_trouble_is_told(room, monkeypatch):
    with web(500) as address, pytest.raises(TrackingError, match="answers 500"):
        check(of(room, monkeypatch, address))


@pytest.mark.parametrize("status", [200, 404])
def test_another_page_at_that_address_is_told_in_one_line(room, monkeypatch, status):
    with web(status) as address:
        store = of(room, monkeypatch, address)
        check(store)  # somebody is there, and MLflow tells that it is not the one
        with pytest.raises(TrackingError) as told, opened(store) as client:
            client.get_experiment_by_name("leadlight")
    assert str(told.value).startswith(f"MLflow at `{address}`: ")
    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 400


def test_mlflow_does_not_log_what_we_tell_in_one_line(room, capfd):
    """MLflow's store logs a failed statement as an error, with its traceback, and raises it as well."""
    noisy = logging.getLogger("mlflow.store.db.utils")
    with opened(Store.own(room)):
        noisy.error("SQLAlchemy database error", exc_info=ValueError("disk I/O"))
        assert not noisy.isEnabledFor(logging.ERROR)
    assert noisy.isEnabledFor(logging.ERROR)  # others hear it again
    assert "SQLAlchemy" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["htp://127.0.0.1:5000", "http://", "postgresql://h/db", "databricks://x"])
def test_what_is_no_address_of_a_server_is_told(room, monkeypatch, address):
    with pytest.raises(TrackingError, match="is no address of a server; write http://HOST:PORT"):
        check(of(room, monkeypatch, address))


def test_a_password_is_in_no_message(room, monkeypatch):
    store = of(room, monkeypatch, f"http://jane:secret@127.0.0.1:{free_port()}")
    with pytest.raises(TrackingError) as told:
        check(store)
    assert "secret" not in str(told.value)
    with web(200) as address:
        store = of(room, monkeypatch, address.replace("//", "//jane:secret@"))
        with pytest.raises(TrackingError) as told, opened(store):
            raise ValueError(f"no luck with {store.uri}")
    assert "secret" not in str(told.value)
    assert "no luck with http://127.0.0.1" in str(told.value)


def test_a_store_that_another_process_holds_is_told_within_seconds(room, monkeypatch):
    monkeypatch.setattr(track_database, "LOCK_SECONDS", 0.1)
    room.root.mkdir()
    holder = sqlite3.connect(room.root / "mlflow.db", isolation_level=None)
    holder.execute("CREATE TABLE held (x)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(TrackingError, match=r"mlflow\.db`: database is locked"), opened(Store.own(room)):
            pass
    finally:
        holder.close()


def test_settings_are_as_before_afterwards(room, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    with opened(Store.own(room)):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_nothing_is_reported_to_anybody(room):
    with opened(Store.own(room)):
        pass
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()


def test_importing_the_modules_does_not_import_mlflow():
    code = "import sys, training.track, training.models_cli, training.promotion; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
