"""Intervals that cover, verdicts that follow them, ages apart, and nulls where nothing is defined."""

import json

import numpy as np
import pytest

from leadlight import metrics
from leadlight.errors import InputError
from leadlight.schema import DAY
from training.evaluate import compare, verdict


def rows(seed=0, leads=700, ages=1):
    """True probabilities, a blunt version of them and outcomes; each lead has one row per age."""
    rng = np.random.default_rng(seed)
    log_odds = np.repeat(rng.normal(-1.5, 1.2, leads), ages) + rng.normal(0, 0.3, leads * ages)
    p = 1 / (1 + np.exp(-log_odds))
    y = (rng.random(leads * ages) < p).astype(float)
    ids = np.repeat([f"lead-{k}" for k in range(leads)], ages)
    age = np.tile(np.array([1, 7, 14][:ages]) * DAY, leads)
    blunt = np.where(rng.random(len(p)) < 0.5, p, y.mean())
    return y, {"model": p, "rules": blunt, "base_rate": np.full(len(y), y.mean()), "oracle": None}, ids, age


def run(y, scores, ids, **options):
    return compare(y, scores, ids, 7, **{"replicates": 200, **options})


def test_values_are_those_of_the_metrics_and_intervals_hold_them():
    y, scores, ids, _ = rows()
    result = run(y, scores, ids)
    assert (result.rows, result.leads, result.positives) == (700, 700, int(y.sum()))
    assert result.metrics["auc"]["model"].value == metrics.auc(y, scores["model"])
    assert result.metrics["ece"]["rules"].value == metrics.ece(y, scores["rules"])
    for metric, by in result.metrics.items():
        for scorer, estimate in by.items():
            if scorer != "oracle":
                assert estimate.low <= estimate.value <= estimate.high, (metric, scorer)


def delong(y, first, second):
    """Standard errors of an AUC and of a paired difference: DeLong et al. (1988), doi:10.2307/2531595."""

    def parts(p):
        wins = (p[y == 1][:, None] > p[y == 0]) + (p[y == 1][:, None] == p[y == 0]) / 2
        return wins.mean(axis=1), wins.mean(axis=0)

    def error(of_positives, of_negatives):
        return np.sqrt(np.var(of_positives, ddof=1) / y.sum() + np.var(of_negatives, ddof=1) / (1 - y).sum())

    (a, b), (c, d) = parts(first), parts(second)
    return error(a, b), error(a - c, b - d)


def test_the_intervals_of_aucs_agree_with_delong():
    y, scores, ids, _ = rows(leads=1500)
    result = run(y, scores, ids, replicates=1000)
    alone, paired = delong(y, scores["model"], scores["rules"])
    area, difference = result.metrics["auc"]["model"], result.differences["auc"]["rules"]
    assert area.high - area.low == pytest.approx(2 * 1.96 * alone, rel=0.1)
    assert difference.standard_error == pytest.approx(paired, rel=0.1)
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * paired, rel=0.1)


def test_drawing_leads_widens_the_interval_where_rows_repeat():
    y, scores, ids, _ = rows(leads=300)
    once = run(y, scores, ids).metrics["log_loss"]["model"]
    tripled = run(np.repeat(y, 3), {"model": np.repeat(scores["model"], 3)}, np.repeat(ids, 3))
    thrice = tripled.metrics["log_loss"]["model"]
    assert tripled.leads == 300
    assert thrice.value == pytest.approx(once.value)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=1e-9)


def test_a_better_model_is_called_better_and_a_worse_one_worse():
    y, scores, ids, _ = rows(leads=2000)
    result = run(y, scores, ids)
    assert result.better_than("rules")
    assert {result.verdict(metric, "rules") for metric in ("auc", "log_loss", "brier")} == {"better"}
    assert result.differences["auc"]["rules"].probability_better == 1
    assert result.differences["log_loss"]["rules"].value < 0
    turned = run(y, scores, ids, reference="rules")
    assert turned.verdict("auc", "model") == "worse"
    assert not turned.better_than("model")
    assert turned.differences["auc"]["model"].value == -result.differences["auc"]["rules"].value


def test_equal_scorers_cannot_be_told_apart():
    y, scores, ids, _ = rows(leads=200)
    result = run(y, {"model": scores["model"], "rules": scores["model"]}, ids)
    for metric in result.differences:
        difference = result.differences[metric]["rules"]
        assert (difference.value, difference.low, difference.high, difference.standard_error) == (0, 0, 0, 0)
        assert difference.probability_better == 0.5
        assert difference.verdict == "not distinguishable"


def test_the_verdict_errs_about_as_often_as_it_says():
    """Two equally good scorers (independent noise on the truth) are told apart in about 5 of 100 test sets."""
    wrong = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(-1, 1, 250)
        y = (rng.random(250) < 1 / (1 + np.exp(-truth))).astype(float)
        noisy = [1 / (1 + np.exp(-(truth + rng.normal(0, 0.7, 250)))) for _ in range(2)]
        result = run(y, {"model": noisy[0], "rules": noisy[1]}, np.arange(250).astype(str), replicates=150)
        wrong += result.verdict("log_loss", "rules") != "not distinguishable"
    assert wrong <= 9  # 5 % of 60 is 3; ten or more has a chance below 0.1 %


def test_the_order_of_rows_changes_nothing():
    y, scores, ids, age = rows(leads=150, ages=2)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = {name: None if p is None else p[order] for name, p in scores.items()}
    one = run(y, scores, ids, age=age).to_json()
    two = run(y[order], shuffled, ids[order], age=age[order]).to_json()

    def close(a, b):
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
        if isinstance(a, list):
            return len(a) == len(b) and all(map(close, a, b))
        return a == pytest.approx(b, abs=1e-6) if isinstance(a, float) else a == b

    assert close(one, two)


def test_ages_are_judged_apart():
    y, scores, ids, age = rows(leads=2500, ages=2)
    late = age == 7 * DAY
    # right on average over both ages, wrong at each: raised at one, lowered at the other
    scores["rules"] = np.clip(scores["model"] + np.where(late, 0.08, -0.08), 0.001, 0.999)
    result = run(y, scores, ids, age=age, replicates=50)
    assert [part.age_us for part in result.by_age] == [DAY, 7 * DAY]
    assert [part.rows for part in result.by_age] == [2500, 2500]
    assert result.ece_bar == dict.fromkeys(scores)  # rows of one lead depend on each other
    assert result.ece_ok["model"] is True
    assert [part.ece_ok["rules"] for part in result.by_age] == [False, False]
    assert result.ece_ok["rules"] is False
    assert result.ece_ok["oracle"] is None
    young = result.by_age[0]
    assert young.metrics["auc"]["model"].value == metrics.auc(y[~late], scores["model"][~late])
    assert young.ece_bar["model"] == metrics.ece_bar(scores["model"][~late], 7, 0.975)


def test_without_what_is_told_per_age_mixed_ages_have_no_bar():
    y, scores, ids, age = rows(leads=300, ages=2)
    each = run(y, scores, ids, age=age, replicates=50)
    whole = run(y, scores, ids, age=age, each_age=False, replicates=50)
    assert whole.by_age == ()
    assert whole.ece_bar == whole.ece_ok == dict.fromkeys(scores)
    assert (whole.metrics, whole.differences) == (each.metrics, each.differences)
    young = age == DAY
    one = {name: None if p is None else p[young] for name, p in scores.items()}
    found = run(y[young], one, ids[young], age=age[young], each_age=False, replicates=50)
    assert found.by_age == ()
    assert found.ece_bar["model"] == metrics.ece_bar(scores["model"][young], 7)


def test_a_perfect_model_is_calibrated_at_all_of_six_ages_together():
    """At 95 % at each of six ages a perfect model would fail in about 16 of 60 test sets."""
    refused, sets, leads = 0, 60, 150
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        p = 1 / (1 + np.exp(-rng.normal(-2, 1, 6 * leads)))
        y = (rng.random(6 * leads) < p).astype(float)
        age = np.repeat(np.arange(6) * DAY, leads)
        found = run(y, {"model": p}, np.arange(6 * leads).astype(str), age=age, replicates=2)
        assert found.by_age[0].ece_bar["model"] > found.ece_limit
        refused += not found.ece_ok["model"]
    assert refused <= 8  # 5 % of 60 is 3; nine or more has a chance below 0.5 %


def test_one_age_is_the_whole():
    y, scores, ids, age = rows(leads=200)
    result = run(y, scores, ids, age=age)
    assert len(result.by_age) == 1
    assert result.ece_bar["model"] == metrics.ece_bar(scores["model"], 7)
    assert result.by_age[0].metrics == result.metrics
    assert result.metrics == run(y, scores, ids).metrics


def test_a_large_slice_is_held_to_the_limit_and_a_small_one_to_its_bar():
    y, scores, ids, _ = rows(leads=300)
    result = run(y, {"model": scores["model"]}, ids)
    assert result.ece_bar["model"] > result.ece_limit
    assert result.ece_ok["model"] == (result.metrics["ece"]["model"].value <= result.ece_bar["model"])
    assert run(y, {"model": np.clip(scores["model"] * 2, 0, 1)}, ids).ece_ok["model"] is False


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_leaves_null_and_stays_json(outcome):
    _, scores, ids, age = rows(leads=80, ages=2)
    result = run(np.full(160, outcome), scores, ids, age=age)
    assert result.metrics["auc"]["model"] is None
    assert result.metrics["log_loss"]["model"] is not None
    for part in (result, *result.by_age):
        assert {found for others in part.differences.values() for found in others.values()} == {None}
    assert not result.better_than("rules")
    assert verdict(result).startswith("Nothing can be said")
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_of_one_class_nothing_is_drawn(outcome, monkeypatch):
    """Of millions of rows without a success, replicates and bars would take minutes and tell nothing."""
    monkeypatch.setattr("training.evaluate.replicate_metrics", None)
    monkeypatch.setattr("training.evaluate.metrics.ece_bars", None)
    _, scores, ids, age = rows(leads=80, ages=2)
    result = run(np.full(160, outcome), scores, ids, age=age)
    for part in (result, *result.by_age):
        assert part.metrics["log_loss"]["model"].value > 0
        assert part.metrics["log_loss"]["model"].low is None
        assert part.verdict("log_loss", "rules") is None
        assert part.ece_bar["model"] is None
        assert part.ece_ok["model"] is None


def test_an_age_of_one_class_is_drawn_where_another_has_both():
    y, scores, ids, age = rows(leads=80, ages=2)
    y[age == age[0]] = 0
    youngest, older = run(y, scores, ids, age=age).by_age
    assert youngest.metrics["auc"]["model"] is None
    assert youngest.metrics["log_loss"]["model"].low is not None
    assert youngest.differences["log_loss"]["rules"].low is not None
    assert youngest.differences["auc"]["rules"] is None
    assert youngest.ece_bar["model"] is not None
    assert older.metrics["auc"]["model"].low is not None


@pytest.mark.parametrize("ages", [1, 3])
def test_progress_ends_where_all_is_done(ages):
    y, scores, ids, age = rows(leads=80, ages=ages)
    told = []
    run(y, scores, ids, age=age, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (200, 200)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_few_positives_leave_the_interval_null():
    y = np.zeros(60)
    y[0] = 1
    result = run(y, {"model": np.linspace(0.9, 0.1, 60), "rules": np.full(60, 0.1)}, np.arange(60).astype(str))
    assert result.metrics["auc"]["model"].value == 1
    assert result.metrics["auc"]["model"].low is None
    assert result.differences["auc"]["rules"].low is None
    assert result.verdict("auc", "rules") == "not distinguishable"
    json.dumps(result.to_json(), allow_nan=False)


def test_no_row_leaves_everything_null():
    result = run([], {"model": [], "rules": None}, [], age=np.array([], dtype=np.int64))
    assert result.rows == result.leads == result.positives == 0
    assert result.metrics["log_loss"] == {"model": None, "rules": None}
    assert result.ece_ok == {"model": None, "rules": None}
    assert verdict(result).startswith("Nothing can be said")
    json.dumps(result.to_json(), allow_nan=False)


def test_the_json_is_plain_and_complete():
    y, scores, ids, age = rows(leads=100, ages=2)
    data = json.loads(json.dumps(run(y, scores, ids, age=age).to_json(), allow_nan=False))
    assert set(data["metrics"]) == {"auc", "log_loss", "brier", "ece", "lift10"}
    assert set(data["metrics"]["auc"]["model"]) == {"value", "low", "high"}
    assert data["metrics"]["auc"]["oracle"] is None
    assert set(data["differences"]["auc"]) == {"rules", "base_rate", "oracle"}
    assert [part["age_us"] for part in data["by_age"]] == [DAY, 7 * DAY]


def test_the_sentence_is_honest_in_both_directions():
    y, scores, ids, age = rows(leads=2000, ages=2)
    scores["oracle"] = scores["model"]
    told = verdict(run(y, scores, ids, age=age))
    assert "The model beats the rule score (better in " in told
    assert "within its bar at every age" in told
    assert "The AUC of the model is 0.000 " in told
    swapped = verdict(run(y, scores, ids, reference="rules"))
    assert "The rule score does not beat the model" in swapped
    assert "worse in" in swapped
    few = verdict(run(y[:40], {name: None if p is None else p[:40] for name, p in scores.items()}, ids[:40]))
    assert "does not beat the rule score" in few
    assert "not distinguishable in" in few


REFUSED = [
    ({"scores": {"rules": [0.1, 0.2]}}, "scorer `model` does not exist"),
    ({"scores": {"model": [0.1, 1.2]}}, "scorer `model`: p holds 1.2"),
    ({"scores": {"model": [0.1, float("nan")]}}, "scorer `model`: p holds NaN"),
    ({"scores": {"model": [0.1]}}, r"scorer `model` has shape \(1,\), y has \(2,\)"),
    ({"y": [0, float("nan")]}, "leave censored rows out|y holds NaN"),
    ({"lead_ids": ["a"]}, "lead_ids has 1 rows, y has 2"),
    ({"age": [1]}, r"age has shape \(1,\)"),
    ({"age": [1.0, float("nan")]}, "integer µs without nulls"),
    ({"replicates": 0}, "both must be >= 1"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_what_cannot_be_compared_is_refused_by_name(change, message):
    arguments = {"y": [0, 1], "scores": {"model": [0.1, 0.2]}, "lead_ids": ["a", "b"], "seed": 0} | change
    with pytest.raises(InputError, match=message):
        compare(**arguments)
