import json
from functools import partial

import numpy as np
import pytest

from benchmarks.training import oracle
from leadlight.errors import NotEnoughDataError
from leadlight.metrics import auc
from leadlight.schema import DAY
from training import evaluate


def drawn(n=3_000, seed=2):
    random = np.random.default_rng(seed)
    truth = random.beta(1, 6, n)
    scores = {"oracle": truth, "model": np.clip(truth + random.normal(0, 0.1, n), 0, 1), "rules": np.full(n, 0.1)}
    return (random.random(n) < truth).astype(float), truth, scores


def slow(truth, score):
    pairs = truth[:, None] * (1 - truth)[None]
    above = (score[:, None] > score[None]) + (score[:, None] == score[None]) / 2
    return (pairs * above).sum() / pairs.sum()


@pytest.mark.parametrize("name", ["oracle", "model", "rules"])
def test_the_expected_auc_is_the_sum_over_all_pairs(name):
    _, truth, scores = drawn(300)
    assert oracle.expected_auc(truth, np.round(scores[name], 2)) == pytest.approx(
        slow(truth, np.round(scores[name], 2))
    )


def test_with_certain_outcomes_the_expected_auc_is_the_auc():
    y, _, scores = drawn()
    assert oracle.expected_auc(y, scores["model"]) == pytest.approx(auc(y, scores["model"]))


def test_the_gap_is_that_of_the_aucs_in_all_and_per_age():
    y, truth, scores = drawn()
    age = np.repeat([DAY, 30 * DAY], len(y) // 2)
    compared = evaluate.compare(y, scores, np.arange(len(y)).astype(str), 0, age=age, replicates=50)
    expected = {name: oracle.expected_auc(truth, score) for name, score in scores.items()}
    found = oracle.figures(compared, expected)
    assert found["oracle_gap"] == pytest.approx(auc(y, truth) - auc(y, scores["model"]))
    assert found["oracle_gap"] == pytest.approx(found["auc"]["oracle"] - found["auc"]["model"])
    assert 0 < found["standard_error"] < 0.05
    assert found["expected_gap"] == pytest.approx(found["oracle_gap"], abs=4 * found["standard_error"])
    assert [part["age_days"] for part in found["by_age"]] == [1, 30]
    json.dumps(found, allow_nan=False)


def test_certain_failures_have_no_expected_auc():
    with pytest.raises(NotEnoughDataError, match="true probability is 0"):
        oracle.expected_auc(np.zeros(3), np.arange(3.0))


def test_one_outcome_alone_has_no_gap():
    scores = drawn(100)[2]
    compared = evaluate.compare(np.zeros(100), scores, np.arange(100).astype(str), 0, replicates=10)
    with pytest.raises(NotEnoughDataError, match="100 test rows with 0 successes"):
        oracle.figures(compared, dict.fromkeys(scores, 0.5))


def test_the_gap_of_several_markets_is_their_mean(monkeypatch):
    monkeypatch.setattr(oracle, "measure", lambda seed, leads, say: {"seed": seed, "oracle_gap": 0.01 * seed})
    found = oracle.work(3, print)
    assert found["oracle_gap"] == pytest.approx(0.01)
    assert found["oracle_gap_standard_error"] == pytest.approx(0.01 / 3**0.5)
    assert found["oracle_gap_worst"] == 0.02
    assert found["oracle_markets"] == len(found["markets"]) == 3
    assert oracle.work(1, print)["oracle_gap_standard_error"] is None


@pytest.mark.parametrize(("gap", "status"), [(0.009, 0), (0.011, 1)])
def test_the_mean_of_the_markets_is_held_against_the_bar(monkeypatch, capsys, gap, status):
    def measure(seed, leads, _say):
        auc = {"oracle": 0.9, "model": 0.89, "rules": 0.7}
        found = {"oracle_gap": gap + (seed - 1) / 100, "standard_error": None, "expected_gap": 0.01}
        part = {"age_days": 1, "oracle_gap": 0.01, "positives": leads}
        return {"seed": seed, "auc": auc, "by_age": [part], **found}

    monkeypatch.setattr(oracle, "measure", measure)
    assert oracle.run([]) == status
    out = capsys.readouterr().out
    assert f"{gap:.4f} (mean of 3 markets; standard error 0.0058, worst market {gap + 0.01:.4f})" in out
    assert "market 2: AUC oracle 0.9000" in out
    assert oracle.run(["--json", "--seeds", "2"]) in {0, 1}
    assert json.loads(capsys.readouterr().out)["oracle_markets"] == 2


def test_no_market_is_bad_usage():
    with pytest.raises(SystemExit) as ended:
        oracle.run(["--seeds", "0"])
    assert ended.value.code == 2


@pytest.mark.slow
def test_a_small_market_from_end_to_end(monkeypatch, capsys):
    monkeypatch.setattr(oracle, "Options", partial(oracle.Options, trials=1, rung="model"))
    status = oracle.run(["--leads", "4000", "--seeds", "1", "--json"])
    answer = json.loads(capsys.readouterr().out)
    (found,) = answer["markets"]
    assert status == (0 if answer["oracle_gap"] <= 0.01 else 1)
    assert answer["oracle_gap"] == found["oracle_gap"]
    assert found["auc"]["oracle"] > found["auc"]["rules"]
    assert found["expected_auc"]["oracle"] > max(found["expected_auc"]["model"], found["expected_auc"]["rules"])
