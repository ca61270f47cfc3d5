import json

import pytest

from leadlight.__main__ import main
from tests.training import moved
from training import history


@pytest.fixture
def room(trained):
    """Give a workspace whose base rate rose after the training of what serves."""
    found, model = trained
    history.put(found, model.bundle.version, "train", expected=None)
    return moved.publish(found, moved.rarer_failures(), moved.SEEN)


@pytest.fixture
def run(room, capsys):
    def call(*words, status=0, group="shift"):
        with pytest.raises(SystemExit) as left:
            main([group, *words, "--workspace", str(room.root)])
        said = capsys.readouterr()
        assert left.value.code == status, said.err
        return said

    return call


def test_an_alarm_is_shown_corrected_listed_and_undone(room, run):
    before = history.served(room)
    seen = run("check", status=1)
    assert "ALARM, +" in seen.out
    assert "P(features | outcome) is unchanged" in seen.out
    assert "`leadlight shift apply` corrects it" in seen.out
    assert history.served(room) == before
    done = json.loads(run("apply", "--json").out)
    assert done["alarm"]
    assert done["current"] == history.served(room) != before
    assert done["model_card"] == str(room.model_card_path(done["current"]))
    assert json.loads((room.reports / "shift.json").read_text())["current"] == done["current"]
    assert "corrected by +" in run("check").out
    assert f"{done['current']}: corrected by +" in run("list", group="models").out
    assert json.loads(run("undo", "--because", "a fair", "--json").out)["current"] == before
    assert history.served(room) == before
    assert "nothing to undo" in run("undo", status=2).err


def test_quiet_scores_exit_0_and_say_the_assumption(room, run):
    moved.publish(room, moved.as_it_was(), moved.SEEN)
    seen = run("check")
    assert "no alarm: " in seen.out
    assert "P(features | outcome) is unchanged" in seen.out
    assert "nothing is to be done" in seen.out


def test_bad_input_is_one_line(room, run):
    for words, problem in (
        (("check", "--known-from", "once"), "--known-from `once`"),
        (("check", "--known-from", "2030-01-01"), "no outcome from 2030-01-01"),
    ):
        said = run(*words, status=2)
        assert problem in said.err
        assert said.out == ""
    (room.bundles / "current").unlink()
    assert "no current bundle" in run("apply", status=2).err


@pytest.mark.parametrize("verb", ["check", "apply", "undo"])
def test_every_verb_has_an_example(capsys, verb):
    with pytest.raises(SystemExit):
        main(["shift", verb, "--help"])
    assert "Example: leadlight shift" in capsys.readouterr().out
