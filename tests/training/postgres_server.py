"""A real PostgreSQL on loopback, in a folder of its own, which tests start and stop."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.training.tracking_server import free_port

SECONDS_TO_START = 60


def binaries() -> dict[str, str] | None:
    """Find `initdb` and `postgres`: on the path, or where Debian keeps them (the newest); None where they are not."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True
    )
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    found = {name: shutil.which(name, path=path) for name in ("initdb", "postgres")}
    return None if None in found.values() else found


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return None
    return "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"


class PostgresServer:
    """The server, with a user `leadlight` whose password is `hush`; `url(name)` makes databases."""

    def __init__(self) -> None:
        self.programs = binaries() or {}
        self.folder, self.user, self.port = Path(tempfile.mkdtemp(prefix="leadlight-pg-")), _server_user(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        word = self.folder / "word"
        word.write_text("hush\n")
        for path in (self.folder, word):
            if self.user is not None:
                shutil.chown(path, self.user)
        options = ["-U", "leadlight", "--auth=scram-sha-256", f"--pwfile={word}", "--no-sync"]
        self._run([self.programs["initdb"], "-D", str(self.folder / "data"), *options])

    def _run(self, words: list[str]) -> None:
        done = subprocess.run(words, user=self.user, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def start(self) -> None:
        """Start it and wait until it answers."""
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", "", "-c", "fsync=off"]
        words = [self.programs["postgres"], "-D", str(self.folder / "data"), *listen]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, user=self.user, cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2_000:])
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether it is there."""
        import psycopg

        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _address(self, name: str) -> str:
        return f"postgresql://leadlight:hush@127.0.0.1:{self.port}/{name}"

    def url(self, name: str) -> str:
        """Make a database and give its URL."""
        import psycopg

        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._address(name)

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        """Stop it, and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def started() -> PostgresServer:
    """Start a server, or skip the test with the reason."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL: pip install 'leadlight[postgres]'")
    if binaries() is None:
        pytest.skip("no PostgreSQL server here (initdb, postgres): install the system package postgresql")
    server = PostgresServer()
    try:
        server.start()
    except BaseException:
        server.remove()
        raise
    return server
