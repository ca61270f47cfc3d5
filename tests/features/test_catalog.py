import pytest

from features import catalog
from features.profile import profile
from leadlight.errors import NotEnoughDataError, SpecError
from leadlight.schema import DAY
from leadlight.spec import FeatureSpec
from leadlight.workspace import Attribute, TablesInfo
from tests.features import market

BASE = market.BASE


def info(*attributes, clock="time"):
    return TablesInfo("1", BASE + 100 * DAY, clock, attributes, {})


def market_of(leads=60):
    return market.tables(*rows_of(leads), [], [])


def rows_of(leads):
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
    return rows, activities


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
        (
            "most_types: 9\ndrop:\n- count.call\n- recencyy",
            r"features.yaml line 4: `drop`: feature `recencyy` does not exist; did you mean `recency`",
        ),
        ("add:\n  - {name: x, family: frequency, measure: count, types: call}", "line 2: .*`types` must be a list"),
        ("add:\n  - {name: ' ', family: frequency, measure: count}", "line 2: .* has a blank `name`"),
        (
            "add:\n  - {name: x, family: frequency, measure: coun}",
            "measure `coun` does not exist; did you mean `count`",
        ),
        ("# nothing", "features.yaml: the file is empty; write a list of features, or settings"),
        ("recency", "neither a list nor a mapping; write a list of features, or settings"),
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
    with pytest.raises(NotEnoughDataError, match=r"no lead was created before 2024-10-03; nothing to learn from"):
        catalog.suggest(market_of(), info(), BASE - DAY)
    nobody_did_anything = market.tables(rows_of(60)[0], [], [], [])
    with pytest.raises(NotEnoughDataError, match="no activity and no attribute known at creation"):
        catalog.suggest(nobody_did_anything, info(clock="order"), BASE + DAY)


def test_the_same_data_gives_the_same_catalog_in_the_same_order():
    once = catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY)
    shuffled = market.tables(*(list(reversed(rows)) for rows in (*rows_of(60), [], [])))
    assert catalog.suggest(shuffled, info(*KNOWN), BASE + 90 * DAY) == once


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ("[0, 7]", "must be 1 to 365"),
        ("[-1, 7]", "must be 1 to 365"),
        ("[1, 366]", "must be 1 to 365"),
        ("[7, 1]", "must ascend"),
    ],
)
def test_windows_without_meaning_are_refused_at_their_line(tmp_path, windows, message):
    path = tmp_path / "features.yaml"
    path.write_text(f"most_features: 5\nwindows_days: {windows}\n")
    with pytest.raises(SpecError, match=rf"features.yaml line \d.*{message}"):
        catalog.load_settings(path)


def test_local_time_reaches_every_feature_that_has_a_clock():
    specs = catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, catalog.CatalogSettings(utc_offset_hours=9))
    clocked = {"created_hour", "created_weekday", "distinct_days", "share", "days_since_date"}
    assert {spec.measure for spec in specs if spec.utc_offset_hours == 9} == clocked - {"days_since_date"}
    assert {spec.measure for spec in specs if spec.utc_offset_hours == 0}.isdisjoint(clocked)


def test_what_is_dropped_makes_room_for_the_next_and_what_is_added_comes_on_top():
    def names(**given):
        chosen = catalog.CatalogSettings(most_features=20, **given)
        return [spec.name for spec in catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, chosen)]

    plain, without = names(), names(drop=("recency",))
    assert len(plain) == len(without) == 20
    assert set(plain) - set(without) == {"recency"}
    added = {"name": "x", "family": "frequency", "measure": "count"}
    assert names(add=(added,)) == [*plain, "x"]


def test_a_catalog_file_gives_back_what_was_written(tmp_path):
    specs = catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, catalog.CatalogSettings(most_features=500))
    path = tmp_path / "catalog.yaml"
    path.write_text(catalog.dump(specs), encoding="utf-8")
    assert catalog.load(path) == specs
    odd = FeatureSpec("odd", "fit", "category", attribute="国", categories=("no", "1.5", "日本", "", "a: b", "null"))
    path.write_text(catalog.dump([odd]), encoding="utf-8")
    assert catalog.load(path) == (odd,)


def test_a_catalog_file_as_settings_is_the_whole_catalog(tmp_path):
    path = tmp_path / "catalog.yaml"
    path.write_text("- {name: calls, family: frequency, measure: count, types: [call]}\n")
    given = catalog.load_settings(path)
    assert catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, given) == catalog.load(path)
    path.write_text("- {name: x, family: fit, measure: number, attribute: sise}\n")
    with pytest.raises(SpecError, match="feature `x`: attribute `sise` does not exist; did you mean `size`"):
        catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY, catalog.load_settings(path))


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ("name: b, family: frequency, measure: count, window_days: 0", "line 2: feature `b`: window_days == 0.0"),
        ("name: b, family: frequency, measure: count, windw_days: 1", "line 2: unknown key `windw_days`; did you mean"),
        ("name: b, family: frequency, measure: count, types: call", "line 2: feature `b`: .*; write `types: .call.`"),
        ("name: b, family: frequency, measure: count, types: ", "line 2: feature `b`: .* a list; write `types: ..`"),
        (
            "name: b, family: frequency, measure: coun",
            "feature `b`: measure `coun` does not exist; did you mean `count`",
        ),
        ("name: b, family: frequenzy, measure: count", "line 2: feature `b`: family .* did you mean `frequency`"),
        ("name: '', family: frequency, measure: count", "line 2: a feature of measure `count` has a blank `name`"),
        ("name: ' ', family: frequency, measure: count", "line 2: a feature of measure `count` has a blank `name`"),
        ("name: b, family: frequency", "line 2: `measure` is missing"),
        ("name: a, family: recency, measure: days_since_last", "line 2: feature `a` is defined twice, first in line 1"),
    ],
)
def test_a_feature_that_makes_no_sense_is_refused_at_its_line(tmp_path, feature, message):
    path = tmp_path / "catalog.yaml"
    path.write_text(f"- {{name: a, family: frequency, measure: count}}\n- {{{feature}}}\n")
    with pytest.raises(SpecError, match=message):
        catalog.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a", "line 1: a catalog is a list of features"),
        ("[]", "the catalog is empty"),
        ("- [", "not valid YAML"),
    ],
)
def test_a_catalog_file_that_makes_no_sense_is_refused_at_its_line(tmp_path, text, message):
    path = tmp_path / "catalog.yaml"
    path.write_text(text + "\n")
    with pytest.raises(SpecError, match=message):
        catalog.load(path)


def test_check_refuses_an_attribute_that_leads_do_not_have():
    wrong = FeatureSpec("x", "company", "roles", attribute="industri")
    with pytest.raises(SpecError, match="feature `x`: attribute `industri` does not exist; did you mean `industry`"):
        catalog.check([wrong], market_of())
    of_the_table = FeatureSpec("x", "fit", "category", attribute="account_id", categories=("a",))
    with pytest.raises(SpecError, match="attribute `account_id` does not exist"):
        catalog.check([of_the_table], market_of())


@pytest.mark.parametrize("first", [0, 1, 2])
def test_check_reads_on_where_the_first_activities_lack_a_type(monkeypatch, first):
    monkeypatch.setattr(catalog, "_FIRST", first)
    specs = [FeatureSpec(name, "frequency", "count", (name,)) for name in ("call", "pricing_view")]
    assert catalog.check(specs, market_of()) == []
    assert len(catalog.check([*specs, FeatureSpec("a", "frequency", "count", ("cal",))], market_of())) == 1


def test_check_warns_of_what_never_occurs():
    specs = [
        FeatureSpec("fine", "frequency", "count", ("call",), actor="sales"),
        FeatureSpec("a", "frequency", "count", ("call", "pricing_veiw")),
        FeatureSpec("b", "touches", "followed", then_types=("cal",), then_actor="marketing", within_days=1),
        FeatureSpec("c", "frequency", "count", channel="web"),
    ]
    assert catalog.check(specs, market_of()) == [
        "feature `a`: activity type `pricing_veiw` never occurs in the data; did you mean `pricing_view`?",
        "feature `b`: activity type `cal` never occurs in the data; did you mean `call`?",
        "feature `b`: actor `marketing` never occurs in the data; known: `lead`, `sales`",
        "feature `c`: channel `web` never occurs in the data",
    ]
    assert catalog.check(catalog.suggest(market_of(), info(*KNOWN), BASE + 90 * DAY), market_of()) == []
