"""The page of all verbs runs as it stands: every line in order, in an empty folder."""

import json
import re
import shlex
from pathlib import Path

import pytest

from leadlight.__main__ import main

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
ENDLESS = {"demo", "serve"}
# Everything else ends with 0.
STATUS = {"rules check": 1, "shift undo": 2}


def lines():
    """Give the words of every line of the page's blocks."""
    blocks = re.findall(r"^```\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines()]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEADLIGHT_SIGNING_KEY", "a key for the page of verbs")
    for name in ("LEADLIGHT_WORKSPACE", "MLFLOW_TRACKING_URI", "LEADLIGHT_MLFLOW_NAME", "LEADLIGHT_STUDIES"):
        monkeypatch.delenv(name, raising=False)

    def call(words):
        with pytest.raises(SystemExit) as left:
            main(words)
        said = capsys.readouterr()
        verb = " ".join(words[:2]) if " ".join(words[:2]) in STATUS else words[0]
        assert left.value.code == STATUS.get(verb, 0), f"leadlight {' '.join(words)}: {said.err}"
        return said.out

    return call


def test_every_line_runs_in_order(run):
    """`VERSION` is the newest bundle, which does not serve; `KEY_ID` is that of the only key."""
    for words in lines():
        if words[0] in ENDLESS:
            continue
        if "VERSION" in words:
            newest = json.loads(run(["models", "list", "--json"]))["models"][0]["version"]
            words[words.index("VERSION")] = newest
        if "KEY_ID" in words:
            words[words.index("KEY_ID")] = json.loads(run(["keys", "list", "--json"]))["keys"][0]["key_id"]
        run(words)
    assert Path("scores.csv").stat().st_size > 0
    assert Path("catalog.yaml").exists()
