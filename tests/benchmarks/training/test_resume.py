import pytest

from benchmarks.training import resume


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(resume, "LEADS", 200)


def test_nothing_is_lost_by_kills_and_the_result_is_the_same():
    found = resume.measure(kills=1, trials=3)
    assert found == {"resume_lost_trials": 0, "resume_kills": 1, "resume_same_result": True, "trials": 3}


def test_what_is_missing_in_the_file_is_counted(monkeypatch):
    lives = iter([(2, None), (3, None), (4, {"recipe": None})])
    kept = iter([1, 1, 4])
    monkeypatch.setattr(resume, "_one_life", lambda *_: next(lives))
    monkeypatch.setattr(resume, "_finished", lambda _: next(kept))
    monkeypatch.setattr(resume.tune, "tune", lambda *_, **__: None)
    monkeypatch.setattr(resume, "_plain", lambda _: {"recipe": "another"})
    found = resume.measure(kills=2, trials=4)
    assert found["resume_lost_trials"] == 3
    assert found["resume_same_result"] is False


def test_the_exit_status_says_whether_something_was_lost(monkeypatch, capsys):
    found = {"resume_lost_trials": 1, "resume_kills": 2, "resume_same_result": True, "trials": 4}
    monkeypatch.setattr(resume, "measure", lambda *_: found)
    assert resume.run(["--json"]) == 1
    assert '"resume_lost_trials": 1' in capsys.readouterr().out
    monkeypatch.setattr(resume, "measure", lambda *_: found | {"resume_lost_trials": 0})
    assert resume.run([]) == 0
    assert "killed 2 times: 0 finished trials lost" in capsys.readouterr().out
