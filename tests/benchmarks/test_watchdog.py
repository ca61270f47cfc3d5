import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.watchdog import Watchdog, guard

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
OWNER = """
import subprocess, sys, time
from pathlib import Path
from benchmarks.watchdog import Watchdog
watchdog = Watchdog(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], process_group=0)
watchdog.watch(child.pid)
print(child.pid, flush=True)
time.sleep(60)
"""


def sleeper():
    process = subprocess.Popen(SLEEPER, stdout=subprocess.PIPE, process_group=0)
    with process.stdout:
        assert process.stdout.readline() == b"up\n"
    return process


def ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] == "Z"  # dead, but nobody has asked for its exit status


def test_closing_kills_what_is_watched_and_removes_the_folder(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    (folder / "log").write_text("x")
    watched, forgotten = sleeper(), sleeper()
    watchdog = Watchdog(folder)
    for process in (watched, forgotten):
        watchdog.watch(process.pid)
    watchdog.forget(forgotten.pid)
    watchdog.close()
    assert watched.wait(5) == -signal.SIGKILL
    assert forgotten.poll() is None
    forgotten.kill()
    forgotten.wait()
    assert not folder.exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="reads the state of a process from /proc")
def test_the_death_of_the_owner_is_enough(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        child = int(owner.stdout.readline())
        owner.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not (ended(child) and not folder.exists()):
        time.sleep(0.05)
    assert ended(child)
    assert not folder.exists()


def test_a_group_that_ended_by_itself_is_no_error(tmp_path):
    process = sleeper()
    process.kill()
    process.wait()
    guard([f"+{process.pid}\n"], tmp_path / "gone")
