"""A study in PostgreSQL, shared by processes; skips where there is no server binary or no driver."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from leadlight.errors import WorkspaceError
from tests.training import test_study
from tests.training import trials as made
from training.study import Study

BINARIES = ("initdb", "postgres")


def _server_user():
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="module")
def server():
    """Run a server that listens on a socket in its own folder; give its URL."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL (psycopg)")
    missing = [name for name in BINARIES if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no PostgreSQL here ({', '.join(missing)})")
    folder, user = Path(tempfile.mkdtemp(prefix="leadlight-pg-")), _server_user()
    if user is not None:
        shutil.chown(folder, user)
    data, options = str(folder / "data"), {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    initdb = ["initdb", "-D", data, "-U", "leadlight", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, check=True, stderr=subprocess.DEVNULL, **options)
    command = ["postgres", "-D", data, "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) as process:
        try:
            socket, deadline = folder / ".s.PGSQL.5432", time.monotonic() + 30
            while not socket.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            yield f"postgresql://leadlight@/postgres?host={folder}"
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def test_a_study_in_postgresql_is_what_it_is_anywhere(server):
    asked = made.question("tuning-alone")
    with pytest.raises(InterruptedError):
        made.run(10, server, asked=asked, measure=made.interrupted_after(4))
    assert made.run(10, server, asked=asked) == made.run(10)


WORKER = test_study.WORKER.replace("made.url(sys.argv[1])", "sys.argv[1]")


def test_processes_share_a_study(server):
    code = WORKER.format(root=str(made.ROOT), trials=12, pause=0.15)
    words = [sys.executable, "-c", code, server]
    with subprocess.Popen(words, cwd=made.ROOT) as one, subprocess.Popen(words, cwd=made.ROOT) as other:
        pass
    assert (one.returncode, other.returncode) == (0, 0)
    found = made.run(12, server)
    assert [trial["place"] for trial in found] == list(range(12))
    with Study.opened(made.question(), server) as study:
        workers = {trial.user_attrs["claim"]["worker"][1] for trial in study._study.trials}
    assert len(workers) == 2


def test_a_server_that_is_away_is_said(server):
    with pytest.raises(WorkspaceError, match="cannot be used") as said:
        made.run(1, "postgresql://me:hush@/postgres?host=/nowhere")
    assert "hush" not in str(said.value)
