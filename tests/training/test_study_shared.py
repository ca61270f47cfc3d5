"""A study in PostgreSQL, shared by processes that are killed and resumed; skips where there is no server binary."""

import signal
import subprocess
import sys

import pytest

from leadlight.errors import WorkspaceError
from tests.training import postgres_server, test_study
from tests.training import trials as made
from training.study import CLAIM, Study

pytestmark = pytest.mark.slow
WORKER = test_study.WORKER.replace("made.url(sys.argv[1])", "sys.argv[1]")


@pytest.fixture(scope="module")
def server():
    found = postgres_server.started()
    yield found
    found.remove()


def worker(url, trials, pause):
    code = WORKER.format(root=str(made.ROOT), trials=trials, pause=pause)
    words = [sys.executable, "-c", code, url]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=made.ROOT)


def trials_in(url):
    with Study.opened(made.question(), url) as study:
        return study._study.get_trials(deepcopy=False)


def until_finished(process, trials):
    """Read what a process says until so many trials are finished, by it or by the other."""
    for said in process.stdout:
        word, number = said.split()
        if word == "finished" and int(number) >= trials:
            return
    raise AssertionError(f"the process ended before it said that {trials} are finished")


def test_a_study_in_postgresql_is_what_it_is_anywhere(server):
    url = server.url("alone")
    with pytest.raises(InterruptedError):
        made.run(10, url, measure=made.interrupted_after(4))
    assert made.run(10, url) == made.run(10)


def test_processes_share_a_study(server):
    url = server.url("shared")
    with worker(url, 12, 0.3) as one, worker(url, 12, 0.3) as other:
        said = [process.stdout.read() for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    assert all("began" in text for text in said), "one of them did everything"
    found = made.run(12, url)
    assert [trial["place"] for trial in found] == list(range(12))
    assert len({trial.user_attrs[CLAIM]["worker"][1] for trial in trials_in(url)}) == 2


def test_both_are_killed_and_resumed_and_no_finished_trial_is_lost(server):
    url = server.url("killed")
    with worker(url, 60, 0.3) as one, worker(url, 60, 0.3) as other:
        for process, trials in ((one, 3), (other, 5)):
            until_finished(process, trials)
            process.send_signal(signal.SIGKILL)
    before = {trial.number: (trial.params, trial.value) for trial in trials_in(url) if trial.state.name == "COMPLETE"}
    assert len(before) >= 5
    total = len(before) + 5
    with worker(url, total, 0.05) as one, worker(url, total, 0.05) as other:
        for process in (one, other):
            process.stdout.read()
    assert (one.returncode, other.returncode) == (0, 0)
    trials = trials_in(url)
    after = {trial.number: (trial.params, trial.value) for trial in trials if trial.state.name == "COMPLETE"}
    assert before.items() <= after.items()
    assert [trial["place"] for trial in made.run(total, url)] == list(range(total))
    assert not [trial for trial in trials if trial.state.name == "RUNNING"]


def test_a_server_that_goes_away_while_trying_is_said_and_loses_nothing(server):
    url = server.url("away")

    def measure(attempt):
        if attempt.place == 3 and server.process is not None:
            server.stop()
        return made.valley(attempt)

    try:
        with pytest.raises(WorkspaceError, match="every finished trial is kept") as said:
            made.run(6, url, measure=measure)
    finally:
        server.start()
    assert "hush" not in str(said.value)
    assert len(made.run(3, url)) == 3
    assert [trial["place"] for trial in made.run(6, url)] == list(range(6))


def test_a_server_that_is_away_is_said():
    pytest.importorskip("psycopg")
    with pytest.raises(WorkspaceError, match="cannot be used") as said:
        made.run(1, "postgresql://me:hush@127.0.0.1:9/none")
    assert "hush" not in str(said.value)
    assert "\n" not in str(said.value)


def test_a_name_or_password_that_is_refused_is_said(server):
    with pytest.raises(WorkspaceError, match="cannot be used") as said:
        made.run(1, server.url("refused").replace("hush", "wrong"))
    assert "wrong" not in str(said.value)
