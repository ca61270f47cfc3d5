import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from leadlight.errors import InputError, LeadlightError, WorkspaceError
from tests.training import trials as made
from training import study
from training import study_database as database


def failing(trials, where):
    with pytest.raises(LeadlightError) as said:
        made.run(trials, where)
    text = str(said.value)
    assert "\n" not in text
    return text


def test_a_file_that_is_no_study_is_named_and_left_alone(tmp_path):
    path = tmp_path / "studies.db"
    path.write_bytes(os.urandom(40_000))
    before = path.read_bytes()
    said = failing(3, made.url(tmp_path))
    assert f"the studies `{path}` are damaged" in said
    assert "move the file away" in said
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["studies.db"]


def test_before_a_long_run_damage_is_found_and_nothing_is_made(tmp_path):
    path = tmp_path / "studies.db"
    database.check(made.url(tmp_path))
    assert not path.exists()
    made.run(1, made.url(tmp_path))
    database.check(made.url(tmp_path))
    path.write_bytes(os.urandom(20_000))
    with pytest.raises(WorkspaceError, match="are damaged"):
        database.check(made.url(tmp_path))
    with pytest.raises(LeadlightError):
        database.check("postgresql://nobody@localhost:1/none")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_half_a_file_is_named_as_damaged(tmp_path, keep):
    made.run(4, made.url(tmp_path))
    path = tmp_path / "studies.db"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert f"the studies `{path}` are damaged" in failing(8, made.url(tmp_path))


@pytest.mark.parametrize("key", [study.CLAIM, study.FOUND])
@pytest.mark.parametrize("broken", ["{", "UPDATE"])
def test_a_trial_that_cannot_be_read_is_damage_too(tmp_path, key, broken):
    made.run(2, made.url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "studies.db")) as file:
        if broken == "{":
            file.execute("UPDATE trial_user_attributes SET value_json = '{' WHERE key = ?", (key,))
        else:
            file.execute("DELETE FROM trial_user_attributes WHERE key = ?", (key,))
        file.commit()
    assert "are damaged" in failing(4, made.url(tmp_path))


def test_a_state_that_does_not_exist_is_damage_too(tmp_path):
    made.run(2, made.url(tmp_path))
    with closing(sqlite3.connect(tmp_path / "studies.db")) as file:
        file.execute("PRAGMA ignore_check_constraints = ON")
        file.execute("UPDATE trials SET state = 'GONE'")
        file.commit()
    assert "are damaged" in failing(4, made.url(tmp_path))


@pytest.mark.parametrize("problem", [ValueError("ours"), KeyError("ours"), TypeError("ours")])
def test_a_defect_of_the_program_is_not_told_as_damage(tmp_path, monkeypatch, problem):
    """Nor is it hidden: it passes as it is, wherever the database is asked for something at the same time."""

    def fail(*_):
        raise problem

    with monkeypatch.context() as patch:
        patch.setattr(study._Sampler, "sample_independent", fail)
        with pytest.raises(type(problem), match="ours"):
            made.run(3, made.url(tmp_path))
    with pytest.raises(type(problem), match="ours"), database.told_clearly("somewhere"):
        fail()
    with pytest.raises(WorkspaceError, match="`somewhere` are damaged"), database.read_clearly("somewhere"):
        fail()


def test_what_cannot_be_written_as_json_is_no_damage(tmp_path):
    def measure(attempt):
        return study.Outcome(made.valley(attempt).objective, {"place": object()})

    with pytest.raises(TypeError, match="JSON"):
        made.run(2, made.url(tmp_path), measure=measure)
    assert made.states(tmp_path) == ["FAIL"]


def test_another_database_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "studies.db")) as file:
        file.execute("CREATE TABLE trials (mine TEXT)")
        file.commit()
    assert "are damaged" in failing(2, made.url(tmp_path))


def test_another_programs_database_stays_as_it_is(tmp_path):
    path = tmp_path / "studies.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE studies (mine TEXT)")
        file.execute("CREATE TABLE invoices (mine TEXT)")
        file.commit()
    before = path.read_bytes()
    assert "the database of another program" in failing(2, made.url(tmp_path))
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    said = failing(1, f"sqlite:///{tmp_path}/file/studies.db")
    assert "cannot be written" in said
    assert "choose another place" in said
    assert "cannot be" in failing(1, "sqlite:////proc/leadlight/studies.db")


def test_a_file_that_may_only_be_read_is_named(tmp_path):
    made.run(2, made.url(tmp_path))
    said = failing(4, f"sqlite:///file:{tmp_path}/studies.db?mode=ro&uri=true")
    assert "readonly" in said
    assert "make it writable" in said
    assert len(made.run(2, made.url(tmp_path))) == 2


def test_a_locked_file_is_said_to_be_held(tmp_path, monkeypatch):
    made.run(2, made.url(tmp_path))
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as file:
        file.execute("BEGIN EXCLUSIVE")
        assert "another process holds it" in failing(4, made.url(tmp_path))
    assert len(made.run(4, made.url(tmp_path))) == 4


LIMITED = """
import os, resource, sys
sys.path.insert(0, {root!r})
from leadlight.errors import WorkspaceError
from tests.training import trials as made
path = made.Path(sys.argv[1]) / "studies.db"
size = path.stat().st_size + 3_000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    made.run(200, made.url(sys.argv[1]))
except WorkspaceError as error:
    print(error)
"""


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    made.run(3, made.url(tmp_path))
    command = [sys.executable, "-c", LIMITED.format(root=str(made.ROOT)), str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=made.ROOT)
    assert "cannot be used" in said.stdout
    assert "raise the limit of file sizes" in said.stdout
    assert "Traceback" not in said.stderr
    assert made.run(12, made.url(tmp_path)) == made.run(12)
    assert made.states(tmp_path)[:3] == ["COMPLETE"] * 3


def test_a_url_that_cannot_be_read_and_a_missing_driver_are_said():
    with pytest.raises(InputError, match="URL of the studies cannot be read"):
        made.run(1, "no url at all")
    with pytest.raises(InputError, match="driver that is not installed") as said:
        made.run(1, "mssql+pymssql://somebody:hush@host/name")
    assert "hush" not in str(said.value)
    with pytest.raises(InputError, match="driver that is not installed"):
        made.run(1, "nosuchdatabase://host/name")


def test_a_password_is_not_told():
    assert database.without_password("postgresql://me:hush@host/name") == "postgresql://me:***@host/name"


def test_an_error_of_the_database_while_trying_ends_the_run(tmp_path, monkeypatch):
    def measure(attempt):
        (tmp_path / "studies.db").write_bytes(b"gone" * 5_000)
        return made.valley(attempt)

    with pytest.raises(WorkspaceError, match="studies"):
        made.run(2, made.url(tmp_path), measure=measure)
