import json

import pytest

from benchmarks.training import shift_looks


def test_years_are_counted(monkeypatch, capsys):
    monkeypatch.setattr(shift_looks, "LOOKS", 2)
    assert shift_looks.run(["--years", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["years"] == len(found["days_to_alarm"]) == 2
    assert 0 <= found["false_alarms"] <= 2
    assert 0 <= found["false_single"] <= 2
    assert shift_looks.run(["--years", "1"]) == 0
    assert "if every look could err" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--years", "0"], ["--spread", "0"], ["--rarer", "0.5"]])
def test_bad_usage_is_refused(wrong):
    with pytest.raises(SystemExit, match="2"):
        shift_looks.run(wrong)
