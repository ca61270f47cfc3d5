import pytest

from features import catalog
from features.profile import profile
from leadlight.errors import NotEnoughDataError, SpecError
from leadlight.schema import DAY
from leadlight.workspace import Attribute, TablesInfo
from tests.features import market

BASE = market.BASE


def info(*attributes, clock="time"):
    return TablesInfo("1", BASE + 100 * DAY, clock, attributes, {})


def market_of(leads=60):
    rows = [
        {"lead_id": f"l{n}", "created_at": BASE, "industry": "it" if n % 2 else "retail", "size": float(n)}
        for n in range(leads)
    ]
    activities = [
        {
            "activity_id": f"{row['lead_id']}{kind}",
            "lead_id": row["lead_id"],
            "type": kind,
            "occurred_at": BASE + day * DAY,
            "received_at": None,
            "actor": actor,
        }
        for row in rows
        for kind, day, actor in [("pricing_view", 1, "lead"), ("call", 50, "sales")]
    ]
    return market.tables(rows, activities, [], [])


KNOWN = (Attribute("industry", "category", "creation"), Attribute("size", "number", "unknown"))


def test_nothing_after_the_cut_shapes_the_catalog():
    specs = catalog.suggest(market_of(), info(*KNOWN), BASE + 10 * DAY)
    names = {spec.name for spec in specs}
    assert "count.pricing_view" in names
    assert not any("call" in name or "sales" in name for name in names)


def test_attributes_of_unknown_time_are_not_used():
    names = {spec.name for spec in catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY)}
    assert "fit.industry" in names
    assert "fit.size" not in names


def test_rare_types_and_categories_have_no_column_of_their_own():
    seen = profile(market_of(), info(*KNOWN), BASE + 90 * DAY, min_leads=61)
    assert seen.types == ()
    assert seen.categories == {}


def test_without_a_clock_there_is_no_age():
    names = {spec.family for spec in catalog.suggest(market_of(), info(*KNOWN, clock="order"), BASE + 90 * DAY)}
    assert "age" not in names


def test_settings_drop_and_add(tmp_path):
    path = tmp_path / "features.yaml"
    path.write_text("drop: [momentum_1d]\nadd:\n  - {name: x, family: frequency, measure: count, types: [call]}\n")
    names = {s.name for s in catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, catalog.load_settings(path))}
    assert "momentum_1d" not in names
    assert "x" in names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drop: [recencyy]", "did you mean `recency`"),
        ("add:\n  - {name: x, family: frequency, measure: count, window_days: 0}", "must be > 0"),
        ("add:\n  - {name: count, family: frequency, measure: count}", "defined twice"),
        ("windows: [1, 2]", r"line 1: unknown key `windows`; did you mean `windows_days`"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, text, message):
    path = tmp_path / "features.yaml"
    path.write_text(text + "\n")
    with pytest.raises(SpecError, match=message):
        catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, catalog.load_settings(path))


def test_nothing_to_learn_from_is_said():
    with pytest.raises(NotEnoughDataError, match="nothing to learn from"):
        catalog.suggest(market_of(), info(clock="order"), BASE - DAY)
