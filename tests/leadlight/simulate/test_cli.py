import json
import sys

import pytest

from leadlight.__main__ import main


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *map(str, arguments)])
    shown = capsys.readouterr()
    return ended.value.code, shown.out, shown.err


def test_one_json_object_on_stdout(capsys, tmp_path):
    status, out, err = run(
        capsys, tmp_path / "m", "--leads", 50, "--seed", 4, "--months", 6, "--start", "2023-01-01", "--json"
    )
    assert status == 0
    summary = json.loads(out)
    assert summary["leads"] == 50
    assert summary["observed_until"] == "2023-07-03T00:00:00+00:00"
    assert "50 leads" in err


def test_without_json_stdout_is_empty(capsys, tmp_path):
    status, out, _ = run(capsys, tmp_path / "m", "--leads", 5)
    assert (status, out) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--leads", 0), "leads == 0"),
        (("--months", -3), "months"),
        (("--start", "someday"), "not a date"),
        (("--drift", 99), "drift"),
        (("--base-rate-shift", 0), "base-rate-shift"),
    ],
)
def test_wrong_options_are_one_clear_line(capsys, tmp_path, arguments, word):
    status, out, err = run(capsys, tmp_path / "m", *arguments)
    assert status == 2
    assert out == ""
    assert word in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_market_is_not_overwritten(capsys, tmp_path):
    assert run(capsys, tmp_path / "m", "--leads", 5)[0] == 0
    status, _, err = run(capsys, tmp_path / "m", "--leads", 5)
    assert status == 2
    assert "--force" in err
    assert run(capsys, tmp_path / "m", "--leads", 5, "--force")[0] == 0


def test_help_imports_nothing_heavy(capsys):
    assert "leadlight simulate market" in run(capsys, "--help")[1]
    assert "leadlight.simulate.cli" in sys.modules
