import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.workspace import Workspace
from tests.training.trials import ROOT, SPACE, USUAL, interrupted_after, question, run, states, url, valley
from training import study as studies
from training.study import Outcome, Study


def test_places_are_tried_in_order_beginning_with_the_usual():
    found = run(9)
    assert [trial["place"] for trial in found] == list(range(9))
    assert found[0]["values"] == USUAL
    assert len({trial["values"]["x"] for trial in found}) == 9
    for name, range_ in SPACE.items():
        assert all(range_.low <= trial["values"][name] <= range_.high for trial in found)
    assert all(isinstance(trial["values"]["depth"], int) for trial in found)


def test_the_seed_decides_what_is_drawn_and_the_storage_does_not(undisturbed, tmp_path):
    assert run(12) == undisturbed
    assert run(12, url(tmp_path)) == undisturbed
    assert run(12, asked=question(seed=4)) != undisturbed


def test_what_was_found_guides_what_comes_after_the_start():
    """Later trials of a wide valley lie nearer to its bottom than those drawn at random."""
    found = [trial["objective"] for trial in run(40)]
    assert sum(found[-10:]) < sum(found[1:11]) / 2


def run_with_pauses(where, cuts, trials):
    done = 0
    for cut in cuts:
        with pytest.raises(InterruptedError):
            run(trials, where, measure=interrupted_after(cut - done))
        done = cut
    return run(trials, where)


@pytest.fixture(scope="module")
def undisturbed():
    return run(12)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 11), min_size=1, max_size=3).map(sorted))
def test_interrupted_and_resumed_it_is_what_an_undisturbed_run_is(undisturbed, cuts):
    storage = optuna.storages.InMemoryStorage()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studies, "connect", lambda *_: storage)
        patch.setattr(type(storage), "engine", SimpleNamespace(dispose=lambda: None), raising=False)
        assert run_with_pauses("sqlite://", cuts, 12) == undisturbed


def test_so_it_is_from_a_file(undisturbed, tmp_path):
    assert run_with_pauses(url(tmp_path), (2, 9), 12) == undisturbed
    assert states(tmp_path).count("FAIL") == 2


def test_a_longer_study_goes_on_where_a_shorter_one_ended(undisturbed, tmp_path):
    first = run(8, url(tmp_path))
    assert first == undisturbed[:8]
    assert run(12, url(tmp_path)) == undisturbed
    assert run(8, url(tmp_path)) == first
    assert states(tmp_path) == ["COMPLETE"] * 12


def test_questions_in_one_file_do_not_mix(tmp_path):
    first = run(3, url(tmp_path))
    other = run(3, url(tmp_path), asked=question("tuning-b", seed=9))
    assert len(other) == 3
    assert other == run(3, asked=question("tuning-b", seed=9))
    assert run(3, url(tmp_path)) == first


def test_progress_begins_with_what_is_there(tmp_path):
    told = []
    with pytest.raises(InterruptedError):
        run(5, url(tmp_path), measure=interrupted_after(2), progress=lambda *counted: told.append(counted))
    assert told == [(1, 5), (2, 5)]
    run(5, url(tmp_path), progress=lambda *counted: told.append(counted))
    assert told[2:] == [(2, 5), (3, 5), (4, 5), (5, 5)]


def test_when_time_is_up_no_new_trial_begins(tmp_path):
    assert len(run(9, url(tmp_path), seconds=0)) == 1
    assert len(run(9, url(tmp_path), seconds=0)) == 1
    assert len(run(9, url(tmp_path), seconds=60)) == 9


def test_a_trial_behind_the_median_is_ended_and_kept_apart(tmp_path):
    hopeful = []

    def measure(attempt):
        objective = 1.0 if attempt.place < 6 else 2.0
        for step in range(4):
            if not attempt.hopeful(step, objective):
                hopeful.append((attempt.place, step))
                return Outcome(objective, {"pruned": True}, pruned=True)
        return Outcome(objective, {"pruned": False})

    found = run(8, url(tmp_path), measure=measure)
    assert hopeful == [(6, 1), (7, 1)]  # never after the first step
    assert [trial["pruned"] for trial in found] == [False] * 6 + [True] * 2
    assert states(tmp_path) == ["COMPLETE"] * 6 + ["PRUNED"] * 2


WORKER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.training import trials as made
def measure(attempt):
    print("began", attempt.place, flush=True)
    time.sleep({pause})
    return made.valley(attempt)
made.run({trials}, made.url(sys.argv[1]), measure=measure, progress=lambda done, _: print("finished", done, flush=True))
"""


def worker(folder, trials, pause):
    code = WORKER.format(root=str(ROOT), trials=trials, pause=pause)
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_process_that_is_killed_loses_no_finished_trial(undisturbed, tmp_path):
    with worker(tmp_path, 10, 0.05) as process:
        for line in process.stdout:
            if line == "began 4\n":
                process.send_signal(signal.SIGKILL)
                break
    assert states(tmp_path) == ["COMPLETE"] * 4 + ["RUNNING"]
    assert run(10, url(tmp_path)) == undisturbed[:10]
    assert states(tmp_path) == ["COMPLETE"] * 4 + ["FAIL"] + ["COMPLETE"] * 6


def test_two_processes_share_a_study(tmp_path):
    with worker(tmp_path, 8, 0.2) as one, worker(tmp_path, 8, 0.2) as other:
        said = [process.stdout.read() for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0)
    found = run(8, url(tmp_path))
    assert [trial["place"] for trial in found] == list(range(8))
    assert all("began" in text for text in said), "one of them did everything"


def begun(study, worker, place=0, **said):
    """Leave a running trial behind."""
    asked = study._study.ask()
    asked.set_user_attr(studies.CLAIM, {"place": place, "worker": list(worker), "at": time.time()} | said)
    return study._study.trials[-1]


ELSEWHERE = ("elsewhere", 1, "1", "x")


def test_a_trial_is_given_up_when_its_worker_is_gone_or_silent():
    here, pid = studies.platform.node(), os.getpid()
    long_ago = time.time() - studies.GRACE - 1
    with Study.opened(question(), None) as study:
        assert not studies._abandoned(begun(study, ELSEWHERE))
        assert studies._abandoned(begun(study, ELSEWHERE, at=long_ago))
        assert studies._abandoned(begun(study, (here, pid, studies._began(pid), "left behind")))
        assert studies._abandoned(begun(study, (here, pid, "0", "x")))
        assert not studies._abandoned(begun(study, (here, 1, studies._began(1), "x")))
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        assert studies._abandoned(begun(study, (here, ended.pid, "?", "x")))
        quiet = begun(study, ELSEWHERE, at=long_ago)
        study._study._storage.set_trial_user_attr(quiet._trial_id, studies.HEARD, time.time())
        assert not studies._abandoned(study._study.trials[-1])
        study._study.ask()
        assert not studies._abandoned(study._study.trials[-1])


def test_a_long_trial_says_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(studies, "BEAT", 0.0)

    def measure(attempt):
        assert attempt.hopeful(0, 1.0)
        return valley(attempt)

    with Study.opened(question(), None) as study:
        study.run(measure, 1)
        (trial,) = study._study.trials
    assert trial.user_attrs[studies.HEARD] >= trial.user_attrs[studies.CLAIM]["at"]


def test_where_others_are_at_work_on_the_rest_it_is_waited_for(monkeypatch):
    waited = []
    with Study.opened(question(), None) as study:
        study.run(valley, 1)
        other = begun(study, ELSEWHERE, place=1)

        def pause(seconds):
            waited.append(seconds)
            study._study.tell(other.number, state=optuna.trial.TrialState.FAIL)

        monkeypatch.setattr(studies.time, "sleep", pause)
        assert len(study.run(valley, 2)) == 2
    assert waited == [studies.PAUSE]


def test_a_trial_that_another_process_gave_up_is_let_go():
    with Study.opened(question(), None) as study:
        given_up = []

        def measure(attempt):
            if not given_up:
                given_up.append(attempt.place)
                study._study.tell(0, state=optuna.trial.TrialState.FAIL)
            return valley(attempt)

        assert study.run(measure, 2) == run(2)


def test_a_fingerprint_tells_questions_apart():
    assert studies.fingerprint("a", b"b") == studies.fingerprint("a", "b")
    assert studies.fingerprint("a", "b") != studies.fingerprint("ab", "")
    assert studies.fingerprint("a").startswith("tuning-")


def test_studies_lie_in_the_workspace_unless_a_url_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv(studies.VARIABLE, raising=False)
    room = Workspace.at(tmp_path / "ws")
    assert studies.address(room) == f"sqlite:///{tmp_path}/ws/studies.db"
    assert studies.address(room, "postgresql://host/name") == "postgresql://host/name"
    run(1, studies.address(room))
    assert room.studies_db.is_file()
    monkeypatch.setenv(studies.VARIABLE, "postgresql://team/name")
    assert studies.address(room) == "postgresql://team/name"
    assert studies.address(room, "postgresql://host/name") == "postgresql://host/name"


def test_what_a_trial_found_is_json(tmp_path):
    found = run(2, url(tmp_path))
    assert json.loads(json.dumps(found)) == found
