"""A real `leadlight serve` in another process, for the tests that need one."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "leadlight")


@contextmanager
def serving(workspace, *options):
    """Start a service on a free port and give its process, what it told, and a client."""
    words = [*COMMAND, "serve", "--workspace", str(workspace.root), "--port", "0", "--json", *options]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(process.stderr.read())
            told = json.loads(line)
            with httpx2.Client(base_url=told["address"], timeout=30) as client:
                yield process, told, client
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)


def run(*words, **options):
    """Run `leadlight` to its end."""
    return subprocess.run(
        [*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, **options
    )
