"""The page of features; `tests/docs/test_features_page.py` holds the committed one against it."""

from features.describe import meaning
from features.page import page
from features.ranking import SEATS
from leadlight.measures import MEASURES
from leadlight.spec import FeatureSpec


def test_a_page_lists_every_feature_of_its_catalog():
    specs = [
        FeatureSpec("calls", "frequency", "count", ("call",), window_days=7),
        FeatureSpec("odd|name", "fit", "missing", attribute="industry"),
    ]
    text = page(specs, "Mine")
    assert "## Mine\n\n2 features." in text
    assert f"| `calls` | {meaning(specs[0])} | activities | 7 days | 0 |" in text
    assert "| `odd\\|name` |" in text


def test_a_page_says_what_every_family_is_worth_and_every_measure_means():
    text = page([])
    for family, seats in SEATS.items():
        assert f"| `{family}` | {seats:g} | " in text
    assert all(f"| `{measure}` | {facts.source} | " in text for measure, facts in MEASURES.items())
    assert "seats of its family x coverage" in text
