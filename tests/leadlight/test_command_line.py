import json
import re
from pathlib import Path

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
