import json

import numpy as np
import pytest

from benchmarks.training import learning_curve as curves
from benchmarks.training.learning_curve import Draw
from training.prior import Prior


def silent(_text):
    pass


def test_a_company_has_as_many_wins_as_asked_for_and_their_losses(market):
    share = market.known.y.sum() / len(market.known)
    for wins in (5, 40):
        rows = curves.drawn(market.known, wins, 3)
        assert len(np.unique(rows.lead_ids[rows.y == 1])) == wins
        assert rows.y.mean() == pytest.approx(share, abs=0.25)
        whole = {
            lead: int(count) for lead, count in zip(*np.unique(market.known.lead_ids, return_counts=True), strict=True)
        }
        assert all(
            whole[lead] == count for lead, count in zip(*np.unique(rows.lead_ids, return_counts=True), strict=True)
        )
    assert len(curves.drawn(market.known, 0, 3)) == 0
    assert curves.drawn(market.known, 10_000, 3) is None
    assert set(curves.drawn(market.known, 5, 3).lead_ids) != set(curves.drawn(market.known, 5, 4).lead_ids)


def test_at_no_outcome_the_ladder_is_the_prior(market):
    found = curves.curve(market, [0], 5, silent)
    (draw,) = found[0]
    prior = Prior.of(market.card, "sql")
    raw = prior.link.log_odds(market.test.points)
    assert draw.rung == "prior"
    assert draw.log_loss["ladder"] == draw.log_loss["prior"]
    assert draw.log_loss["prior"] == pytest.approx(np.mean(np.logaddexp(0, raw) - market.test.y * raw))
    assert curves.worse_than_rules(found) == []


def test_every_scorer_is_measured_on_the_same_rows(market):
    found = curves.curve(market, [25, 10_000], 2, silent)
    assert list(found) == [25]
    assert [set(draw.log_loss) for draw in found[25]] == [set(curves.SCORERS)] * 2
    (line,) = curves.summary(found)
    assert line["seeds"] == 2
    assert sum(line["rungs"].values()) == 2
    assert json.dumps(line, allow_nan=False)


def draw(seed, **losses):
    return Draw(seed, "rules", {"prior": 0.5, "fitted_rules": 0.5, "base_rate": 0.5, **losses})


def test_the_share_counts_only_what_is_lower_than_both():
    draws = [
        draw(0, ladder=0.4),
        draw(1, ladder=0.5),
        draw(2, ladder=0.45, base_rate=0.44),
        draw(3, ladder=0.45, fitted_rules=0.44),
    ]
    assert curves.win_share(draws, fitted=True) == 0.25
    assert curves.win_share(draws) == 0.5


def test_worse_means_beyond_two_standard_errors_of_either_kind_of_rules():
    close = [draw(seed, ladder=0.5 + (0.1 if seed % 2 else -0.09)) for seed in range(10)]
    clear = [draw(seed, ladder=0.6 + seed / 1_000) for seed in range(10)]
    fitted = [draw(seed, ladder=0.45 + seed / 1_000, fitted_rules=0.4) for seed in range(10)]
    assert curves.worse_than_rules({25: close, 50: clear, 100: fitted}) == [50, 100]
    assert curves.worse_than_rules({0: [Draw(0, "prior", {"ladder": 0.5, "prior": 0.5})]}) == []
    assert curves.worse_than_rules({0: [Draw(0, "rules", {"ladder": 0.4, "prior": 0.5})]}) == [0]


def test_the_bars():
    good = {25: [draw(0, ladder=0.4)]}
    assert curves.passed(curves.figures(good))
    assert not curves.passed(curves.figures({25: [draw(0, ladder=0.6)]}))
    assert not curves.passed(curves.figures({0: good[25]}))


def test_the_command_prints_one_object(monkeypatch, capsys, market):
    monkeypatch.setattr(curves, "simulated", lambda *_: market)
    status = curves.run(["--seeds", "2", "--sizes", "0", "25", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert status in {0, 1}
    assert {"ladder_win_share_25", "ladder_win_share_25_prior", "ladder_worse_than_rules", "simulator", "real"} == set(
        data
    )
    assert data["real"] is None
    assert curves.run(["--data", "no-such-folder", "--sizes", "0"]) == 2
