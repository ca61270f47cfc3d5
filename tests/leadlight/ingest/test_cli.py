import json

import pytest

from leadlight.__main__ import main
from leadlight.ingest import cli
from tests.leadlight.ingest.conftest import MAPPING


def run(world, *arguments):
    (world.root / "mapping.yaml").write_text(world.mapping, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["ingest", *(str(argument) for argument in arguments)])
    return stopped.value.code


def standard(world):
    return [world.root / "mapping.yaml", "--data", world.data, "--workspace", world.workspace.root]


def test_one_json_object_on_stdout_and_the_table_on_stderr(world, capsys):
    world.write(
        leads__csv="id,created,size,industry\nA,2026-01-01,x,\n,2026,1,\nB,2026-01-01,1,\n",
        events__csv="id,lead,what,at\n",
    )
    assert run(world, *standard(world), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["files"][0]["tables"][0]["causes"] == {"size: not a number": 1, "lead_id: missing": 1}
    assert report["quarantined"] == 2
    assert "leads.csv -> leads: 1 x size: not a number" in printed.err


def test_nothing_usable_is_status_1(world):
    world.write(leads__csv="id,created,size,industry\n,,,\n", events__csv="id,lead,what,at\n1,A,x,2026-01-01\n")
    assert run(world, *standard(world)) == 1


def test_again_is_status_0(world):
    assert run(world, *standard(world)) == 0
    assert run(world, *standard(world)) == 0


def test_bad_input_is_one_line_and_status_2(world, capsys):
    world.mapping = MAPPING.replace("zone:", "zome:")
    assert run(world, *standard(world)) == 2
    assert capsys.readouterr().err.startswith("error: mapping.yaml line 2: unknown key `zome`")
    assert run(world) == 2
    assert "give MAPPING.yaml and --data DIR" in capsys.readouterr().err


def test_suggest(world, capsys, tmp_path):
    assert run(world, "--suggest", world.data) == 0
    assert "# TODO" in capsys.readouterr().out
    out = tmp_path / "first.yaml"
    assert run(world, "--suggest", world.data, "--out", out, "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["mapping"] == out.read_text(encoding="utf-8")
    assert "guesses marked TODO" in printed.err
    assert run(world, "--suggest", world.data, "--out", out) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_verb_is_registered():
    assert callable(cli.register)
