import io
import json
import re
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from leadlight import command_line

ROOT = Path(__file__).parents[2]
PACKAGES = ("leadlight", "features", "rules", "scoring", "training", "serving")


def shown(*words):
    app = typer.Typer()

    @app.command()
    def verb(
        workspace: command_line.WorkspaceOption = Path("workspace"), as_json: command_line.JsonOption = False
    ) -> None:
        command_line.say("seen")
        command_line.print_json({"workspace": str(workspace), "json": as_json, "word": "商談"})

    return CliRunner().invoke(app, list(words), env={"LEADLIGHT_WORKSPACE": "/from/environment"})


def test_the_workspace_comes_from_the_option_else_the_environment():
    given = json.loads(shown("--workspace", "/given", "--json").stdout)
    assert given == {"workspace": "/given", "json": True, "word": "商談"}
    assert json.loads(shown().stdout)["workspace"] == "/from/environment"


def test_what_is_for_people_goes_to_stderr():
    found = shown()
    assert found.stderr == "seen\n"
    assert len(found.stdout.splitlines()) == 1
    assert "商談" in found.stdout


def test_both_options_are_declared_nowhere_else():
    declared = re.compile(r'"--json"|envvar="LEADLIGHT_WORKSPACE"')
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "command_line.py":
                assert not declared.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["verb", "--json"], '{"error": "x is wrong"}\n'),
        (["verb"], ""),
        (["verb", "--", "--json"], ""),  # the name of a file
    ],
)
def test_an_error_is_the_json_object_where_one_was_asked_for(capsys, words, out):
    command_line.begin(words)
    command_line.print_error("x is wrong")
    assert capsys.readouterr() == (out, "error: x is wrong\n")


def test_an_object_that_was_printed_stays_the_only_one(capsys):
    command_line.begin(["verb", "--json"])
    command_line.print_json({"n": 1})
    command_line.print_error("x is wrong")
    assert capsys.readouterr() == ('{"n": 1}\n', "error: x is wrong\n")


def test_an_error_is_told_where_stdout_is_broken(capsys, monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    command_line.begin(["verb", "--json"])
    monkeypatch.setattr(sys, "stdout", Broken())
    command_line.print_error("x is wrong")
    assert capsys.readouterr().err == "error: x is wrong\n"


def printed(monkeypatch, answer, *, errors="strict"):
    """Give what an ASCII stdout gets."""
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="ascii", errors=errors))
    command_line.begin(["verb"])
    command_line.print_json(answer, flush=True)
    return held.getvalue().decode("ascii")


def test_what_the_encoding_lacks_is_escaped_and_the_object_stays_whole(monkeypatch):
    answer = {"word": "商談 😀 é", "half": "\udc80"}
    text = printed(monkeypatch, answer)
    assert json.loads(text) == answer
    assert "\\u5546" in text


def test_a_handler_that_was_asked_for_stays(monkeypatch):
    assert printed(monkeypatch, {"word": "商談"}, errors="replace") == '{"word": "??"}\n'
