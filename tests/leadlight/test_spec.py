import math
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import SpecError
from leadlight.spec import FeatureSpec, glob_to_regex

COUNT = FeatureSpec("views_7d", "frequency", "count", types=("page_view",), window_days=7)
INDUSTRY = FeatureSpec("industry", "fit", "category", attribute="industry", categories=("it", "retail"))


@pytest.mark.parametrize(
    "spec",
    [
        COUNT,
        INDUSTRY,
        FeatureSpec("last2", "sequence", "last_type", k=2, categories=("page_view",)),
        FeatureSpec("decay", "decay", "decayed_count", half_life_days=3.5, actor="lead", content="/blog/*"),
        FeatureSpec("since_mql", "stage", "days_since_stage", stage="mql"),
    ],
)
def test_json_round_trip_leaves_defaults_out(spec):
    data = spec.to_json()
    assert FeatureSpec.from_json(data) == spec
    assert "channel" not in data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure": "cuont"}, "did you mean `count`"),
        ({"family": "freqency"}, "did you mean `frequency`"),
        ({"window_days": 0}, "window_days == 0, must be > 0"),
        ({"window_days": math.nan}, "must be > 0"),
        ({"window_days": math.inf}, "to 36,500 days"),
        ({"window_days": 1e-12}, "from one microsecond"),
        ({"name": "as_of"}, "choose another name"),
        ({"measure": "followed", "within_days": 1e9}, "to 36,500 days"),
        ({"measure": "age_days"}, "takes no window_days"),
        ({"measure": "momentum", "window_days": None}, "needs window_days"),
        ({"half_life_days": 3}, "half_life_days goes with"),
        ({"measure": "decayed_count"}, "half_life_days goes with"),
        ({"measure": "decayed_count", "half_life_days": -1}, "must be > 0"),
        ({"attribute": "industry"}, "attribute goes with"),
        ({"measure": "stage_entries", "window_days": None, "stage": "slq"}, "did you mean `sql`"),
        ({"actor": "sale"}, "did you mean `sales`"),
        ({"k": 0}, "k == 0, must be >= 1"),
        ({"windowdays": 3}, "did you mean `window_days`"),
        ({"window_days": "seven"}, "wrong type"),
    ],
)
def test_a_specification_without_meaning_is_refused(change, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        FeatureSpec.from_json({**COUNT.to_json(), **change})


def test_a_missing_key_is_named():
    with pytest.raises(SpecError, match="feature `x`: `measure` is missing"):
        FeatureSpec.from_json({"name": "x", "family": "fit"})


def test_codes_of_a_category():
    assert INDUSTRY.categorical
    assert not COUNT.categorical
    assert [INDUSTRY.code(value) for value in ("it", "retail", "mining")] == [0.0, 1.0, 2.0]
    assert math.isnan(INDUSTRY.code(None))
    found = INDUSTRY.codes()
    assert {value: found[value] for value in ("it", "retail")} == {"it": 0.0, "retail": 1.0}
    assert math.isnan(found[None])
    assert "mining" not in found
    with pytest.raises(SpecError, match="category `a` is listed twice"):
        FeatureSpec("c", "fit", "category", attribute="c", categories=("a", "b", "a"))


def test_filter_key_ignores_the_window():
    longer = FeatureSpec("views_30d", "frequency", "count", types=("page_view",), window_days=30)
    assert COUNT.filter_key == longer.filter_key


def by_hand(glob: str, text: str) -> bool:
    """Match a glob recursively: the definition, independent of regular expressions."""
    if not glob:
        return not text
    if glob[0] == "*":
        return any(by_hand(glob[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and glob[0] in ("?", text[0]) and by_hand(glob[1:], text[1:])


@settings(max_examples=300, deadline=None)
@given(st.text("*?a./-#& é\n[", max_size=6), st.text("a./-#& é\n[", max_size=6))
def test_a_glob_matches_whole_in_python_and_polars_alike(glob, text):
    regex = glob_to_regex(glob)
    assert (re.fullmatch(regex, text) is not None) == by_hand(glob, text)
    assert pl.Series([text]).str.contains(regex)[0] == by_hand(glob, text)


@pytest.mark.parametrize("key", ["types", "then_types", "hours", "weekdays", "categories"])
@pytest.mark.parametrize("value", ["call", 7, None])
def test_a_single_value_is_no_list(key, value):
    with pytest.raises(SpecError, match=rf"feature `x`: `{key}` must be a list; write `{key}: \["):
        FeatureSpec.from_json({"name": "x", "family": "frequency", "measure": "count", key: value})
