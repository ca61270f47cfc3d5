import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.training import learning_curve as curves
from benchmarks.training.learning_curve import Draw, Plan
from leadlight.errors import InputError
from training import fitting
from training.influence import columns_of
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


def test_at_no_outcome_what_training_makes_answers_what_the_prior_answers(market):
    (draw,) = curves.curve(market, Plan((0,), 5), silent)[0]
    raw = Prior.of(market.card, "sql").link.log_odds(market.test.points)
    assert draw.rung == "prior"
    assert draw.off_prior < curves.EQUAL
    assert draw.log_loss["prior"] == pytest.approx(np.mean(np.logaddexp(0, raw) - market.test.y * raw))
    assert not curves.line_of(0, [draw])["worse"]


def test_a_trained_scorer_that_differs_from_the_prior_without_outcomes_is_told(market, monkeypatch):
    make = fitting.make

    def moved(*asked):
        made = make(*asked)
        return replace(made, scorer=replace(made.scorer, intercept=-0.01))

    monkeypatch.setattr(fitting, "make", moved)
    (draw,) = curves.curve(market, Plan((0,), 5), silent)[0]
    assert draw.off_prior == pytest.approx(0.01)
    assert curves.line_of(0, [draw])["worse"]


def test_every_scorer_is_measured_on_the_same_rows(market):
    found = curves.curve(market, Plan((25, 10_000), 2, trials=1), silent)
    assert list(found) == [25]
    assert [set(draw.log_loss) for draw in found[25]] == [set(curves.SCORERS)] * 2
    line = curves.line_of(25, found[25])
    assert (line["draws"], line["markets"]) == (2, 1)
    assert sum(line["rungs"].values()) == 2
    assert json.dumps(line, allow_nan=False)


def test_the_ladder_is_what_training_makes_of_the_company(market):
    rows = curves.drawn(market.known, 25, 1)
    asked = Plan(trials=1).asked(market, 25, 1)
    made = fitting.make(rows, market.specs, market.split, asked)
    z = made.scorer.log_odds(columns_of(made.scorer, market.specs, market.test.X), market.test.points)
    draw = curves.measure(market, rows, market.test, asked)
    assert draw.log_loss["ladder"] == pytest.approx(np.mean(np.logaddexp(0, z) - market.test.y * z))
    assert draw.rung == made.notes["ladder"]["rung"]


def test_every_market_has_draws_of_its_own_and_large_companies_fewer():
    plan = Plan(draws=10)
    assert [list(plan.seeds(25, number)) for number in (0, 1)] == [list(range(10)), list(range(10, 20))]
    assert [list(plan.seeds(curves.LARGE + 1, number)) for number in (0, 1)] == [[0, 1], [10, 11]]
    assert list(plan.seeds(0, 2)) == [20]


@pytest.mark.parametrize(("trials", "size", "expected"), [(None, 50, 15), (None, 51, 1), (4, 25, 4), (4, 400, 4)])
def test_large_companies_are_tuned_by_one_trial_unless_more_are_asked_for(market, trials, size, expected):
    assert Plan(trials=trials).asked(market, size, 0).trials == expected


def draw(market, rung="rules", **losses):
    return Draw(market, rung, {"prior": 0.5, "fitted_rules": 0.5, "base_rate": 0.5, **losses})


def test_the_share_counts_only_what_is_lower_than_both():
    draws = [
        draw(0, ladder=0.4),
        draw(1, ladder=0.5),
        draw(2, ladder=0.45, base_rate=0.44),
        draw(3, ladder=0.45, fitted_rules=0.44),
    ]
    assert curves.win_share(draws, fitted=True) == 0.25
    assert curves.win_share(draws) == 0.5


@pytest.mark.parametrize(
    ("losses", "worse"),
    [
        ([{"ladder": 0.5 + (0.1 if at % 2 else -0.09)} for at in range(10)], False),
        ([{"ladder": 0.6 + at / 1_000} for at in range(10)], True),
        ([{"ladder": 0.45 + at / 1_000, "fitted_rules": 0.4} for at in range(10)], True),
    ],
)
def test_worse_means_beyond_two_standard_errors_of_either_kind_of_rules(losses, worse):
    assert curves.line_of(25, [draw(at, **one) for at, one in enumerate(losses)])["worse"] is worse


def test_the_standard_error_is_that_of_the_market_means():
    draws = [draw(number, ladder=0.5 + off) for number, off in ((0, 0.02), (1, -0.01)) for _ in range(20)]
    found = curves.against(draws, "prior")
    assert found.mean == pytest.approx(0.005)
    assert found.standard_error == pytest.approx(0.015)
    assert not found.worse
    alone = curves.against([draw(0, ladder=0.5 + off) for off in (0.02, -0.01)], "prior")
    assert alone.standard_error == pytest.approx(0.015)
    assert curves.against([draw(0, ladder=0.51)], "prior").worse


def test_a_market_with_fewer_draws_counts_as_much_as_the_others():
    draws = [draw(0, ladder=0.4), draw(1, ladder=0.6), draw(1, ladder=0.6)]
    line = curves.line_of(25, draws)
    assert line["log_loss"]["ladder"] == pytest.approx(0.5)
    assert line["minus"]["prior"]["mean"] == pytest.approx(0)
    assert line["log_loss"]["model"] is None


def test_a_catastrophe_is_told_that_hides_in_its_own_standard_error():
    draws = [draw(number, ladder=0.45 if number else 3.0) for number in range(10)]
    line = curves.line_of(25, draws)
    assert line["minus"]["prior"]["mean"] > 0
    assert not line["worse"]
    assert line["far_worse_share"] == 0.1
    assert curves.line_of(25, [draw(0, ladder=0.51), draw(0, ladder=0.489, prior=0.48)])["far_worse_share"] == 0
    assert curves.line_of(25, [draw(0, ladder=0.491, prior=0.48)])["far_worse_share"] == 1


def test_the_figures_name_record_and_size():
    good, bad = curves.line_of(25, [draw(0, ladder=0.4)]), curves.line_of(5, [draw(0, ladder=0.6)])
    found = curves.figures({"simulator": [good], "olist": [bad]})
    assert found == {
        "ladder_win_share_25": 1,
        "ladder_win_share_25_prior": 1,
        "ladder_worse_than_rules": ["olist 5"],
        "ladder_far_worse_share": {"simulator 25": 0, "olist 5": 1},
    }
    assert curves.figures({"simulator": [bad], "olist": [good]})["ladder_win_share_25"] is None


def test_draws_of_all_markets_come_together(monkeypatch, market):
    given = []

    def measure(_market, rows, _test, asked, number):
        given.append((number, asked.seed, len(rows)))
        return draw(number, ladder=0.4)

    monkeypatch.setattr(curves, "measure", measure)
    monkeypatch.setattr(curves, "check_files", lambda _: None)
    monkeypatch.setattr(curves, "simulated", lambda leads, seed, _say: replace(market, name=f"{leads} {seed}"))
    monkeypatch.setattr(curves, "real", lambda question, *_: replace(market, name=question.key))
    told = []
    found = curves.measured(7, Plan((25,), 2), 3, Path(), told.append)
    assert list(found) == ["simulator", *(question.key for question in curves.QUESTIONS)]
    assert (found["simulator"][0]["markets"], found["simulator"][0]["draws"]) == (3, 6)
    assert [(one["markets"], one["draws"]) for key, (one,) in found.items() if key != "simulator"] == [(1, 4)] * len(
        curves.QUESTIONS
    )
    assert [one[:2] for one in given[:6]] == [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5)]
    assert told[0].startswith("7 0 0, 25 wins, 2 draws: ladder 0.4000")


def test_only_the_records_that_are_asked_for_are_measured(monkeypatch, market):
    monkeypatch.setattr(curves, "measure", lambda *_: draw(0, ladder=0.4))
    monkeypatch.setattr(curves, "check_files", lambda _: None)
    monkeypatch.setattr(curves, "real", lambda *_: market)
    found = curves.measured(7, Plan((25,), 2), 3, Path(), lambda _: None, records=["olist"])
    assert list(found) == ["olist"]
    assert set(curves.figures(found)) == {"ladder_worse_than_rules", "ladder_far_worse_share"}
    with pytest.raises(InputError, match="olist: --data is missing"):
        curves.measured(7, Plan((25,), 2), 3, None, lambda _: None, records=["olist"])


def test_the_command_prints_one_object(monkeypatch, capsys, market):
    monkeypatch.setattr(curves, "simulated", lambda *_: market)
    status = curves.run(["--seeds", "1", "--draws", "2", "--trials", "1", "--sizes", "0", "25", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert status in {0, 1}
    assert set(data) == {*curves.figures({"simulator": []}), "simulator", "real"}
    assert data["real"] is None
    assert curves.run(["--data", "no-such-folder", "--sizes", "0"]) == 2


def test_a_bar_that_is_missed_ends_with_1_and_is_told(monkeypatch, capsys):
    lines = {"simulator": [curves.line_of(25, [draw(0, ladder=0.6)])]}
    monkeypatch.setattr(curves, "measured", lambda *_, **__: lines)
    assert curves.run([]) == 1
    err = capsys.readouterr().err
    assert "MISSED: ladder_win_share_25" in err
    assert "MISSED: ladder_worse_than_rules: simulator 25 (" in err
    assert "MISSED: ladder_far_worse_share: simulator 25 (100%) (" in err
    monkeypatch.setattr(curves, "measured", lambda *_, **__: {"simulator": [curves.line_of(25, [draw(0, ladder=0.4)])]})
    assert curves.run([]) == 0
