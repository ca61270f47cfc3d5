import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.bundle import Contributions
from leadlight.spec import FeatureSpec
from rules import parse
from scoring import explain
from scoring.scale import POINTS_PER_LOG_ODDS

CARD = parse.builtin("standard")
SPECS = (
    FeatureSpec("pricing_7d", "frequency", "count", types=("pricing_view",), window_days=7),
    FeatureSpec("industry", "fit", "category", attribute="industry", categories=("software",)),
)
VALUES = np.array([[3.0, 0.0], [0.0, np.nan]])


def made(features, by_rule, scale=0.03, extra=(0.0, 0.0)):
    contributions = Contributions(-1.0, scale, np.array(features), np.array(extra))
    return explain.of_scorer(contributions, {name: np.array(p) for name, p in by_rule.items()}, SPECS, VALUES)


def test_parts_are_rules_then_features_in_log_odds_and_points():
    parts = made([[0.5, -0.2], [0.0, 0.1]], {"pricing": [20.0, 0.0], "download": [10.0, 0.0]})
    assert parts.log_odds[0] == pytest.approx([0.6, 0.3, 0.5, -0.2])
    assert parts.points == pytest.approx(parts.log_odds * POINTS_PER_LOG_ODDS)


def test_reasons_are_sentences_in_order_of_their_size():
    parts = made([[0.5, -0.2], [0.0, 0.1]], {"pricing": [20.0, 0.0], "download": [10.0, 0.0]})
    found = explain.reasons(parts, 0, CARD, "en")
    assert found.texts == (
        "viewed the pricing page: +20 on the rule card (+8.7 points)",
        "viewed the pricing page 3 times in the last 7 days (+7.2 points)",
        "downloaded a document: +10 on the rule card (+4.3 points)",
    )
    assert found.rest_text == "1 other signal (-2.9 points)"
    assert sum(found.points) + found.rest_points == pytest.approx(parts.points[0].sum())


def test_parts_that_count_nothing_are_no_reasons():
    parts = made([[0.5, -0.2], [0.0, 0.1]], {"pricing": [20.0, 0.0], "download": [10.0, 0.0]})
    found = explain.reasons(parts, 1, CARD, "ja")
    assert found.texts == ("業種は不明(+1.4点)", None, None)
    assert (found.rest_text, found.rest_points) == (None, 0.0)


def test_every_contribution_names_its_value():
    parts = made([[0.5, -0.2], [0.0, 0.1]], {"pricing": [20.0, 0.0]})
    found = {part.name: part for part in explain.contributions(parts, 0, CARD, "en")}
    assert (found["pricing"].kind, found["pricing"].value) == ("rule", 20.0)
    assert (found["industry"].kind, found["industry"].value) == ("feature", "software")
    assert found["industry"].text == "Industry: software"


def test_the_step_of_calibration_is_a_reason_like_others():
    parts = made([[0.5, -0.2], [0.0, 0.1]], {"pricing": [20.0, 0.0]}, extra=(0.9, 0.0))
    assert parts.log_odds[0] == pytest.approx([0.6, 0.5, -0.2, 0.9])
    assert (
        explain.reasons(parts, 0, CARD, "en").texts[0]
        == "correction to what such scores came to (calibration) (+13.0 points)"
    )
    first = explain.contributions(parts, 0, CARD, "ja")[0]
    assert (first.name, first.kind, first.value) == ("calibration", "calibration", None)
    assert first.text == "実績に合わせた補正(キャリブレーション)"


def test_labels_come_from_the_card():
    assert explain.label(CARD, "pricing", "ja") == "料金ページを閲覧"
    assert explain.label(CARD, "group:articles", "en") == CARD.groups["articles"].label.en
    assert explain.label(CARD, "behaviour:floor", "en") is None


def test_a_card_alone_speaks_in_its_own_points():
    parts = explain.of_card({"pricing": np.array([40.0])}, 1)
    assert parts.log_odds is None
    found = explain.contributions(parts, 0, CARD, "en")
    assert (found[0].points, found[0].log_odds) == (40.0, None)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=2), st.lists(st.floats(-50, 50), min_size=4, max_size=4))
def test_reasons_and_rest_add_up(features, points):
    rules = {f"r{number}": [value, 0.0] for number, value in enumerate(points)}
    parts = made([features, [0.0, 0.0]], rules)
    found = explain.reasons(parts, 0, CARD, "en")
    assert sum(found.points) + found.rest_points == pytest.approx(parts.points[0].sum(), abs=1e-9)
    assert [text is None for text in found.texts] == sorted(text is None for text in found.texts)
