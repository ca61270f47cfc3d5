import pytest

from scoring import advice
from scoring.thresholds import recommend
from tests.scoring.test_thresholds import CURVE


@pytest.mark.parametrize("target", ["sql", "opportunity", "customer"])
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("wish", [(0.3, 0.5, None), (0.3, 0.5, 35), (0.1, 0.5, None), (0.9, 1, None), (0.5, 0.6, 5)])
def test_every_case_is_one_sentence_that_names_its_rate(target, lang, wish):
    found = recommend({**CURVE, "target": target}, *wish, lang=lang)
    assert "None" not in found.reason
    assert "\n" not in found.reason
    if lang == "ja":
        assert advice.RATES[target][1] in found.reason


def test_the_interval_that_reaches_below_the_range_is_said():
    assert any("below 30 %" in note for note in recommend(CURVE, 0.30, 0.50, 12).advice) is False
    assert any("below 44 %" in note for note in recommend(CURVE, 0.44, 0.50).advice)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("wish", "binding"),
    [
        ((0.3, 0.34, None), "rate"),  # a threshold below falls short of 30 %
        ((0.3, 0.34, 1_000), "rate"),
        ((0.1, 0.12, None), "none"),  # it is the lowest already
        ((0.3, 0.5, 12), "capacity"),
    ],
)
def test_more_capacity_is_advised_only_where_capacity_binds(wish, binding, lang):
    found = recommend(CURVE, *wish, lang=lang)
    assert found.binding == binding
    assert found.sql_rate > wish[1]
    above = [note for note in found.advice if {"en": "above the target range", "ja": "上回っています"}[lang] in note]
    assert len(above) == 1
    assert ({"en": "capacity", "ja": "対応可能件数"}[lang] in above[0]) == (binding == "capacity")


def test_lead_to_mql_is_set_against_its_usual_range():
    notes = recommend(CURVE, 0.3, 0.5).advice
    assert notes[-1] == "Lead to MQL is 12.5 %, within the usual range (10 % - 20 %)."
