import json

import numpy as np
import pytest

from training.comparison import METRICS, verdict
from training.evaluate import compare


@pytest.fixture(scope="module")
def found():
    random = np.random.default_rng(1)
    truth = random.beta(1, 3, 1_500)
    y = (random.random(1_500) < truth).astype(float)
    scores = {"model": truth, "rules": np.full(1_500, truth.mean()), "oracle": truth, "odoo": None}
    leads = np.array([f"l{at // 2}" for at in range(1_500)], dtype=object)
    return compare(y, scores, leads, 0, replicates=200, age=np.arange(1_500) % 2 + 1)


def test_json_holds_every_part_with_finite_numbers(found):
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["rows"] == 1_500
    assert [part["age_us"] for part in data["by_age"]] == [1, 2]
    assert set(data["metrics"]) == set(METRICS)
    assert data["metrics"]["auc"]["odoo"] is None
    assert data["differences"]["auc"]["rules"]["verdict"] == "better"
    assert data["by_age"][0]["ece_bar"]["model"] > 0
    assert data["by_age"][0]["by_age"] == []


def test_better_than_needs_every_decisive_metric(found):
    assert found.verdict("auc", "rules") == "better"
    assert found.better_than("rules")
    assert not found.better_than("oracle")
    assert not found.better_than("odoo")
    assert found.verdict("auc", "odoo") is None
    assert not found.better_than("rules", by=("ece", "auc"))


def test_the_sentence_says_who_beats_whom(found):
    said = verdict(found)
    assert "1,500 test rows of 750 leads" in said
    assert "The model beats the rule score" in said
    assert "Odoo's naive Bayes could not be compared" in said
    assert "0.000 above that of the true probability" in said
    assert "is within its bar at every age" in said


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("the scorecard", "The scorecard beats the rule score"),
        ("the trained rules", "The trained rules beat the rule score"),
    ],
)
def test_what_was_trained_has_its_own_name(found, who, words):
    said = verdict(found, who=who)
    assert words in said
    assert f"error of {who} is" in said
    assert "The model" not in said


def test_one_class_allows_no_sentence_but_that():
    found = compare(np.zeros(4), {"model": [0.1] * 4, "rules": [0.2] * 4}, ["a", "b", "c", "d"], 0, replicates=20)
    assert verdict(found).startswith("Nothing can be said: 4 test rows")
    assert not found.better_than("rules")


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("the trained base rate", "The trained base rate gives every lead one probability, as the base rate does"),
        ("the trained rules", "The trained rules give every lead one probability, as the base rate does"),
    ],
)
def test_a_base_rate_is_not_said_to_beat_the_base_rate_or_not(who, told):
    y = (np.arange(400) % 10 == 0).astype(float)
    leads = np.arange(400).astype(str)
    said = verdict(
        compare(y, {"model": np.full(400, 0.05), "base_rate": np.full(400, 0.3)}, leads, 0, replicates=100), who=who
    )
    assert f"{told}: better in log loss and Brier score." in said
    assert "beat" not in said


def test_the_same_order_is_told_as_such_and_the_same_figures_too():
    random = np.random.default_rng(2)
    p = random.beta(1, 5, 600)
    y = (random.random(600) < p).astype(float)
    scores = {"model": p, "rules": p**0.3, "odoo": p}
    said = verdict(compare(y, scores, np.arange(600).astype(str), 0, replicates=100))
    told = "The model tells leads apart just as the rule score does; of the probabilities: better in log loss and Brier"
    assert told in said
    assert "The model and Odoo's naive Bayes do not differ in any figure." in said
