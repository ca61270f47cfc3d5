import json

import pytest

from leadlight.__main__ import main
from leadlight.ingest import cli
from tests.leadlight.ingest.conftest import EVENTS, LEADS, MAPPING
from tests.leadlight.ingest.test_pipeline import CHANGES

ORDERED = """\
clock: order(n)
version: 1
files:
  - file: leads.csv
    tables: [{ table: leads, columns: { lead_id: id } }]
"""


def run(world, *arguments):
    (world.root / "mapping.yaml").write_text(world.mapping, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["ingest", *(str(argument) for argument in arguments)])
    return stopped.value.code


def standard(world):
    return [world.root / "mapping.yaml", "--data", world.data, "--workspace", world.workspace.root]


def test_one_json_object_on_stdout_and_the_table_on_stderr(world, capsys):
    world.write(
        leads__csv="id,created,size,industry\nA,2026-01-01,x,\n,2026,1,\nB,soon,1,\n",
        events__csv="id,lead,what,at\n",
    )
    assert run(world, *standard(world), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    causes = {"created_at: not a time in the format iso": 1, "lead_id: missing": 1}
    assert report["files"][0]["tables"][0]["causes"] == causes
    assert (report["quarantined"], report["unreadable"]) == (2, 1)
    assert "leads.csv -> leads: 1 x lead_id: missing" in printed.err


def test_a_midnight_is_told_as_its_date(world, capsys):
    world.mapping = world.mapping.replace("version: 1", "version: 1\nobserved_until: '2026-03-01T00:00:00+00:00'")
    world.write(leads__csv="id,created,size,industry\nA,2026-01-01,1,x\n", events__csv="id,lead,what,at\n")
    assert run(world, *standard(world)) == 0
    assert "observed until 2026-03-01; " in " ".join(capsys.readouterr().err.split())


def test_unreadable_values_are_told_with_examples_and_leave_the_status_at_0(world, capsys):
    sizes = ["inf", "7", "nan", "", "many", "-Infinity", "9" * 400]
    rows = "".join(f"{name},2026-01-01,{size},x\n" for name, size in zip("ABCDEFG", sizes, strict=True))
    world.write(leads__csv="id,created,size,industry\n" + rows, events__csv="id,lead,what,at\n")
    assert run(world, *standard(world), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    examples = [{"row": 2, "value": "inf"}, {"row": 4, "value": "nan"}, {"row": 6, "value": "many"}]
    leads = report["files"][0]["tables"][0]
    assert leads["unreadable"] == {"size": {"count": 5, "of": 6, "examples": examples}}
    assert (leads["stored"], leads["quarantined"], report["unreadable"], report["quarantined"]) == (7, 0, 5, 0)
    said = " ".join(printed.err.split())
    assert "leads.csv -> leads: 5 of 6 values of `size` are no number within ±10^15 and count as missing: " in said
    assert "`inf` in row 2, `nan` in row 4, `many` in row 6" in said


def test_where_every_value_can_be_read_nothing_is_told_of_them(world, capsys):
    assert run(world, *standard(world), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["files"][0]["tables"][0]["unreadable"] == {"size": {"count": 0, "of": 1, "examples": []}}
    assert report["unreadable"] == 0
    assert "count as missing" not in printed.err


def test_cleared_attributes_are_told(world, capsys):
    world.mapping = MAPPING + CHANGES
    world.write(leads__csv=LEADS, events__csv=EVENTS, changes__csv="lead,field,at,old,new\nA,size,2026-01-02,10,\n")
    assert run(world, *standard(world), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["cleared"] == 1
    assert report["files"][-1]["tables"][0]["cleared"] == {"count": 1, "of": 1}
    said = " ".join(printed.err.split())
    assert "changes.csv -> attribute_changes: all 1 changes clear their attribute, which is missing from" in said
    assert said.count("clear their attribute") == 1


def test_without_a_clock_no_instant_is_told(world, capsys):
    world.mapping = ORDERED
    world.write(leads__csv="id,n\nA,1\nB,2\n")
    assert run(world, *standard(world)) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "quarantine 0; clock: order, not point in time; " in said
    assert "2000-01-01" not in said


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
