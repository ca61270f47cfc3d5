import pytest

from features.describe import meaning, rows, window
from leadlight.measures import MEASURES
from leadlight.spec import FeatureSpec


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            FeatureSpec("x", "frequency", "count", ("call",), actor="sales", channel="phone", detail="*x*"),
            "How many selected activities there were (calls (by sales) via Phone (“*x*”)).",
        ),
        (FeatureSpec("x", "age", "age_days"), "Time since the lead was created."),
        (
            FeatureSpec("x", "company", "colleagues_active", actor="lead"),
            "Colleagues with a selected activity (their own activities).",
        ),
        (
            FeatureSpec("x", "touches", "followed_share", actor="sales", then_actor="lead", within_days=7),
            f"{MEASURES['followed_share'].meaning[:-1]} (contacts by sales; then activity of the lead within 7 days).",
        ),
        (
            FeatureSpec("x", "decay", "decayed_count", half_life_days=14),
            "Sum of 2 ** (-age / half_life_days) over activities (half-life 14 days).",
        ),
        (
            FeatureSpec("x", "rhythm", "share", weekdays=(5, 6)),
            "Share of the activities that lie in `hours` and on `weekdays` (on weekends).",
        ),
        (
            FeatureSpec("x", "sequence", "last_type", k=2, categories=("call",)),
            "Type of the k-th last activity (k = 2; 1 value by name, any other is `other`).",
        ),
        (FeatureSpec("x", "stage", "stage_entries", stage="mql"), "How often the stage was entered (stage MQL)."),
        (
            FeatureSpec("x", "fit", "missing", attribute="industry"),
            "1 where the attribute is null: nothing recorded, cleared, or no number where one belongs (`industry`).",
        ),
    ],
)
def test_a_meaning_names_every_choice_of_the_specification(spec, text):
    assert meaning(spec) == text


def test_a_pause_between_visits_is_said():
    spec = FeatureSpec("x", "rhythm", "sessions", gap_minutes=30)
    assert "a pause of more than 30 minutes starts a new one" in meaning(spec)


def test_windows():
    assert window(FeatureSpec("x", "frequency", "count")) == "whole record"
    assert window(FeatureSpec("x", "frequency", "count", window_days=30)) == "30 days"
    assert window(FeatureSpec("x", "age", "age_days")) == "-"


def test_a_row_has_all_that_a_reader_needs():
    spec = FeatureSpec("last", "recency", "days_since_last")
    assert rows([spec]) == [
        {
            "name": "last",
            "family": "recency",
            "measure": "days_since_last",
            "meaning": MEASURES["days_since_last"].meaning,
            "unit": "days",
            "window": "whole record",
            "null": "null",
        }
    ]
