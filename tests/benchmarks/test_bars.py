from dataclasses import replace

import pytest

from benchmarks.bars import bars_of
from benchmarks.sets import BPIC2012, OLIST, QUESTIONS, XEDUCATION_CREATION, XEDUCATION_LAST
from leadlight.schema import DAY
from tests.benchmarks.made import measured

FACTS = {"wins known at the cut": 3, "wins known at the cut among contacts older than the horizon": 0}
REFUSED = "3 leads with a success and 2,733 snapshots without are known at the cut, too few or too late to compare"


def test_bpic2012_passes_where_the_model_is_better_and_only_there():
    bars = bars_of(measured(BPIC2012))
    assert [bar.passed for bar in bars] == [True, True, True]
    assert ["pooled" in bars[0].demand, "1 d" in bars[1].demand, "7 d" in bars[2].demand] == [True, True, True]
    assert [bar.passed for bar in bars_of(measured(BPIC2012, good=False))] == [False, False, False]


def changed(result, metric, **changes):
    """Change the difference to the plain reference in one metric, pooled and at every age."""

    def of(part):
        known = {**part.differences[metric]}
        known["plain"] = replace(known["plain"], **changes)
        return replace(part, differences={**part.differences, metric: known}, by_age=tuple(map(of, part.by_age)))

    return replace(result, comparison=of(result.comparison))


@pytest.mark.parametrize(
    ("value", "chance", "passed"),
    [(-0.001, 0.9, True), (-0.001, 0.899, False), (0.001, 0.95, False), (-0.001, None, False)],
)
def test_the_pooled_log_loss_must_be_lower_with_probability(value, chance, passed):
    result = changed(measured(BPIC2012), "log_loss", value=value, probability_better=chance)
    assert bars_of(result)[0].passed is passed


@pytest.mark.parametrize(
    ("value", "error", "passed"),
    [(-0.01, 0.01, True), (-0.011, 0.01, False), (0.1, None, False)],
)
def test_no_age_may_be_more_than_one_standard_error_lower(value, error, passed):
    result = changed(measured(BPIC2012), "auc", value=value, standard_error=error)
    assert [bar.passed for bar in bars_of(result)[1:]] == [passed, passed]


@pytest.mark.parametrize("question", [XEDUCATION_CREATION, XEDUCATION_LAST])
@pytest.mark.parametrize(("low", "passed"), [(-0.0099, True), (-0.01, False), (None, False)])
def test_the_lower_bound_of_the_auc_difference_decides(question, low, passed):
    (bar,) = bars_of(changed(measured(question), "auc", low=low))
    assert bar.passed is passed


@pytest.mark.parametrize(
    ("kind", "facts", "why", "passed"),
    [
        ("base_rate", FACTS, REFUSED, [True, True, True]),
        ("rules", FACTS, REFUSED, [True, True, True]),
        ("lightgbm", FACTS, "a LightGBM model", [True, False, False]),
        ("base_rate", {**FACTS, "wins known at the cut": 4}, REFUSED, [False, True, False]),
    ],
)
def test_olist_must_be_refused_with_the_reason(kind, facts, why, passed):
    bars = bars_of(measured(OLIST, kind=kind, facts=facts, why=why))
    assert [bar.passed for bar in bars] == passed


def test_every_question_has_bars():
    for question in QUESTIONS:
        assert bars_of(measured(question, facts=FACTS))
    assert len({question.key for question in QUESTIONS}) == len(QUESTIONS)
    assert BPIC2012.ages_us == (DAY, 7 * DAY, 14 * DAY)
