import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.sets import OLIST
from benchmarks.training import automl, bars
from benchmarks.training import market as markets
from benchmarks.training.automl import Answer, Run
from leadlight.errors import InputError
from leadlight.schema import DAY
from training.evaluate import compare
from training.split import Split


def silent(_text):
    pass


@pytest.fixture(scope="module")
def both():
    """Give a run in which ours knows more than FLAML."""
    return run_of(better=True)


def run_of(*, better, seed=0, flaml=True):
    random = np.random.default_rng(1)
    z = random.normal(size=600)
    y = (random.random(600) < 1 / (1 + np.exp(-z))).astype(float)
    good, bad = 1 / (1 + np.exp(-z)), np.full(600, y.mean())
    ours, theirs = (good, bad) if better else (bad, good)
    theirs = theirs if flaml else None
    leads = [f"l{at // 2}" for at in range(600)]
    found = compare(y, {"ours": ours, "flaml": theirs}, leads, 0, reference="ours", replicates=100)
    return Run(seed, Answer(ours, "model", 30.0, 40.0), Answer(theirs, "lgbm", 31.0, 55.0), found)


def test_not_worse_is_said_within_one_standard_error():
    assert automl.not_worse("log_loss", 0.01, 0.01) is True
    assert automl.not_worse("log_loss", 0.011, 0.01) is False
    assert automl.not_worse("auc", -0.011, 0.01) is False
    assert automl.not_worse("auc", 0.5, 0.01) is True
    assert automl.not_worse("auc", None, None) is None


def test_seeds_are_put_together(both):
    error = both.difference("log_loss")["standard_error"]
    shared = automl.summary([both] * 4, independent=False)
    apart = automl.summary([both] * 4, independent=True)
    assert shared["difference"]["log_loss"]["standard_error"] == pytest.approx(error)
    assert apart["difference"]["log_loss"]["standard_error"] == pytest.approx(error / 2)
    assert shared["difference"]["log_loss"]["value"] == pytest.approx(
        shared["log_loss"]["ours"] - shared["log_loss"]["flaml"]
    )
    assert shared["seconds"] == {"ours": 30.0, "flaml": 31.0}
    assert shared["not_worse"] == {"log_loss": True, "auc": True}
    assert shared["better_log_loss"] is True
    json.dumps(shared, allow_nan=False)


def test_the_bar_is_missed_where_ours_is_worse_and_where_it_is_seldom_better(both):
    good = automl.summary([both], independent=True)
    bad = automl.summary([run_of(better=False)], independent=True)
    assert bad["not_worse"] == {"log_loss": False, "auc": False}
    assert not bars.missed({"flaml": {"a": good}})
    assert bars.missed({"flaml": {"a": good, "b": good, "c": bad}})
    assert bars.missed({"flaml": {"a": good, "b": good | {"better_log_loss": False}}})


def test_where_flaml_ends_with_nothing_no_verdict_is_given():
    found = automl.summary([run_of(better=True, flaml=False)], independent=True)
    assert found["not_worse"] == {"log_loss": None, "auc": None}
    assert found["better_log_loss"] is None
    assert bars.missed({"flaml": {"a": found}})
    automl.show({"a": found})


def test_flaml_gets_the_seconds_of_ours(market, monkeypatch):
    given = []

    def fake(_market, test, _seed, seconds):
        given.append(seconds)
        return Answer(np.full(len(test), 0.5), "lgbm", seconds, seconds)

    monkeypatch.setattr(automl, "ours", lambda _m, test, _s: Answer(np.full(len(test), 0.4), "rules", 8.0, 9.0))
    monkeypatch.setattr(automl, "flaml", fake)
    told = []
    run = automl.run_once(market, 3, 1.0, told.append)
    automl.run_once(market, 3, 0.1, silent)
    assert given == [8.0, automl.LEAST_SECONDS]
    assert run.to_json()["fitted"] == {"ours": "rules", "flaml": "lgbm"}
    assert "made, seed 3" in told[-1]


def with_old_rows(market):
    """Give two thirds of the rows, as if the others were young."""
    return market.known.take(np.arange(len(market.known)) % 3 > 0)


@pytest.mark.parametrize(("on_all", "on_settled", "better"), [(0.3, 0.2, "settled"), (0.1, 0.2, "all")])
def test_where_ours_has_settled_rows_flaml_is_run_on_both_and_its_better_answer_counts(
    market, monkeypatch, on_all, on_settled, better
):
    old, given = with_old_rows(market), []
    right = market.test.y

    def fake(learnt, test, _seed, seconds):
        given.append((len(learnt.known), seconds))
        off = on_settled if len(learnt.known) == len(old) else on_all
        return Answer(np.abs(right - off), "lgbm", seconds, seconds)

    monkeypatch.setattr(automl, "settled", lambda *_: old)
    monkeypatch.setattr(automl, "ours", lambda _m, test, _s: Answer(np.full(len(test), 0.4), "model", 8.0, 9.0))
    monkeypatch.setattr(automl, "flaml", fake)
    run = automl.run_once(market, 3, 1.0, silent)
    assert given == [(len(market.known), 8.0), (len(old), 8.0)]
    told = run.to_json()
    assert told["flaml_learnt_from"] == better
    assert told["flaml_log_loss"] == pytest.approx({"all": -np.log(1 - on_all), "settled": -np.log(1 - on_settled)})
    assert told["log_loss"]["flaml"] == min(told["flaml_log_loss"].values())
    assert automl.summary([run], independent=True)["learnt_from"][better] == 1


def test_what_flaml_did_not_finish_is_not_its_better_answer(market, monkeypatch):
    old = with_old_rows(market)

    def fake(learnt, test, _seed, seconds):
        if len(learnt.known) > len(old):
            return Answer(None, "nothing: got 1 class", seconds, seconds)
        return Answer(np.full(len(test), 0.9), "lgbm", seconds, seconds)

    monkeypatch.setattr(automl, "settled", lambda *_: old)
    monkeypatch.setattr(automl, "ours", lambda _m, test, _s: Answer(np.full(len(test), 0.4), "model", 8.0, 9.0))
    monkeypatch.setattr(automl, "flaml", fake)
    run = automl.run_once(market, 3, 1.0, silent)
    assert run.learnt_from == "settled"
    assert run.tried["all"] is None
    assert run.to_json()["flaml_unfinished"] == {"all": "nothing: got 1 class"}
    assert run.comparison.metrics["log_loss"]["flaml"] is not None


def test_settled_rows_are_all_rows_where_nothing_is_young(market):
    assert list(automl.learnt_from(market)) == ["all"]
    weighted = replace(market.known, weight=market.known.weight * 2)
    assert list(automl.learnt_from(replace(market, known=weighted))) == ["all"]


def test_ours_is_what_training_makes(market):
    answer = automl.ours(market, market.test, 0)
    assert answer.what in {"prior", "rules", "scorecard", "model"}
    assert ((answer.probability > 0) & (answer.probability < 1)).all()
    assert answer.seconds > 0


def test_only_the_contacts_of_the_question_are_tested(market, monkeypatch):
    frame = market.test.frame.with_columns(age=market.test.frame["as_of"] * 0)
    test = type(market.test)(frame, market.test.X, market.test.points, market.test.y, market.test.weight)
    split = Split("sql", 5 * DAY, 451 * DAY, 2_000 * DAY, (DAY,), (DAY,))
    old = markets.Market("olist", market.known, test, market.specs, market.card, split)
    monkeypatch.setattr(automl, "real", lambda *_: old)
    found = list(automl.markets(OLIST.key, automl.Path(), 2, 0, silent))
    assert [len(one.test) for one in found] == [449, 449]


def test_a_set_without_its_data_is_refused():
    with pytest.raises(InputError, match="--data is missing"):
        next(automl.markets(OLIST.key, None, 1, 0, silent))


def test_flaml_that_is_not_there_is_named_with_its_extra(monkeypatch, capsys):
    monkeypatch.setattr(automl, "installed", lambda: False)
    assert automl.run(["--json"]) == 2
    assert "extra `bench`" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--factor", "0"], ["--sets", "nowhere"]])
def test_bad_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        automl.run(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_folder_that_is_not_there_ends_with_2(capsys, tmp_path):
    assert automl.run(["--data", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_command_prints_one_object(monkeypatch, capsys, both, market):
    monkeypatch.setattr(automl, "installed", lambda: True)
    monkeypatch.setattr(automl, "simulated", lambda *_: market)
    monkeypatch.setattr(automl, "run_once", lambda *_: both)
    assert automl.run(["--json", "--seeds", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["flaml"]
    assert found["flaml"]["simulator"]["seeds"] == 2
    assert automl.run([]) == 0
    assert "not worse" in capsys.readouterr().out
