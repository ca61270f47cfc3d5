import polars as pl
import pytest

from benchmarks.training import old_leads
from leadlight.schema import DAY


def test_ages_are_told_apart_youngest_first():
    frame = pl.DataFrame({"age": [90 * DAY, DAY, 90 * DAY], "probability": [0.2, 0.3, 0.4], "true": [0.1, 0.6, 0.2]})
    young, old = old_leads.by_age(frame)
    assert (young.age, young.leads, young.ratio) == ("1d", 1, 0.5)
    assert (old.age, old.leads, old.ratio) == ("90d", 2, pytest.approx(2.0))
    assert (old.probability, old.true) == pytest.approx((0.3, 0.15))


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--leads", "many"]])
def test_what_means_nothing_is_refused(words):
    with pytest.raises(SystemExit) as left:
        old_leads.run(words)
    assert left.value.code == 2


def test_ages_beyond_those_learnt_are_measured_too(capsys, monkeypatch):
    monkeypatch.setattr(old_leads, "TRIALS", 1)
    monkeypatch.setattr(old_leads, "ASKED", {"young": (DAY,)})
    assert old_leads.run(["--leads", "2000"]) == 0
    said = capsys.readouterr().out
    assert "young: rung" in said
    assert "learnt and tested at 1d\n" in said
    assert "365d" in said
