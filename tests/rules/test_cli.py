import json

import pytest

from leadlight.__main__ import main
from rules.parse import builtin, from_json, source


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["rules", *map(str, arguments)])
    out = capsys.readouterr()
    return left.value.code, out.out, out.err


def test_show_prints_a_table_in_both_languages(capsys, tmp_path):
    status, out, _ = run(capsys, "show", "simple", "--lang", "ja", "--workspace", tmp_path)
    assert status == 0
    assert "メールを開封" in out
    assert "threshold 50" in run(capsys, "show", "simple")[1]


def test_show_json_is_one_object_that_is_the_card(capsys):
    status, out, _ = run(capsys, "show", "standard", "--json")
    assert status == 0
    assert from_json(json.loads(out)) == builtin("standard")


def test_show_yaml_starts_a_card_of_ones_own(capsys, tmp_path):
    own = tmp_path / "card.yaml"
    own.write_text(run(capsys, "show", "standard", "--yaml")[1], encoding="utf-8")
    assert own.read_text(encoding="utf-8") == source("standard")
    assert run(capsys, "check", own, "--workspace", tmp_path / "none")[0] == 0


def test_without_a_name_the_workspaces_card_is_meant(capsys, tmp_path):
    assert json.loads(run(capsys, "show", "--json", "--workspace", tmp_path)[1])["name"] == "standard"
    (tmp_path / "card.yaml").write_text(source("simple"), encoding="utf-8")
    assert json.loads(run(capsys, "show", "--json", "--workspace", tmp_path)[1])["name"] == "simple"


def test_check_tells_what_is_amiss_and_exits_with_one(capsys, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(source("simple").replace("activity: download", "activity: downlod"), encoding="utf-8")
    status, out, _ = run(capsys, "check", own, "--json", "--workspace", tmp_path)
    assert status == 1
    assert "did you mean `download`" in json.loads(out)["problems"][0]
    status, out, _ = run(capsys, "check", own, "--workspace", tmp_path)
    assert (status, "1 found" in out) == (1, True)


def test_a_wrong_card_is_one_line_on_stderr(capsys, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(source("simple").replace("points: 5", "points: 5\n    witin: 3d"), encoding="utf-8")
    status, out, err = run(capsys, "check", own)
    assert (status, out) == (2, "")
    assert err.startswith("error: own.yaml line ")
    assert "did you mean `within`" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("verb", ["show", "check"])
def test_help_has_an_example(capsys, verb):
    status, out, _ = run(capsys, verb, "--help")
    assert status == 0
    assert f"leadlight rules {verb}" in out
