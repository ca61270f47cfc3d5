import polars as pl
import pytest

from leadlight.ingest.mapping import Condition, Source
from leadlight.ingest.values import condition, text_of

FRAME = pl.DataFrame({"url": [" /pricing ", "/blog/a", "/x", "", "Select"], "n": ["1", "2", "", "¥1,200", "y"]})


def values(source, missing=("Select",)):
    return FRAME.select(text_of(Source.model_validate(source), missing).alias("v"))["v"].to_list()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("url", ["/pricing", "/blog/a", "/x", None, None]),
        ({"column": "url", "map": {"/x": "other"}}, ["/pricing", "/blog/a", "other", None, None]),
        ({"column": "url", "map": {"/x": "other"}, "otherwise": "missing"}, [None, None, "other", None, None]),
        (
            {"column": "url", "patterns": [{"glob": "/blog/*", "value": "blog"}, {"regex": "^/p", "value": "price"}]},
            ["price", "blog", None, None, None],
        ),
        (
            {"column": "url", "patterns": [{"glob": "/*", "value": "page"}], "map": {"/x": "x"}, "default": "none"},
            ["page", "page", "x", "none", "none"],
        ),
        ({"column": "url", "slug": True}, ["pricing", "blog_a", "x", None, None]),
        ({"column": "n", "strip": "¥,", "missing": ["y"]}, ["1", "2", None, "1200", None]),
        ({"template": "{url}|{n}"}, ["/pricing|1", "/blog/a|2", "/x|", "|¥1,200", "|y"]),
    ],
)
def test_sources(source, expected):
    assert values(source) == expected


def test_a_template_without_any_value_is_missing():
    frame = pl.DataFrame({"a": ["", "x"], "b": ["", ""]})
    source = text_of(Source(template="<{a}-{b}>"), ())
    assert frame.select(source.alias("v"))["v"].to_list() == [None, "<x->"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("/x", [False, False, True, False, False]),
        (["/x", "/blog/a"], [False, True, True, False, False]),
        ({"not_in": ["/x"]}, [True, True, False, True, True]),
        ({"glob": "/*g*"}, [True, True, False, False, False]),
        ({"not_glob": "/*g*"}, [False, False, True, True, True]),
        ({"regex": "g$"}, [True, False, False, False, False]),
        ({"missing": True}, [False, False, False, True, True]),
        ({"missing": False, "not_in": ["/x"]}, [True, True, False, False, False]),
    ],
)
def test_conditions(rule, expected):
    rules = {"url": Condition.model_validate(rule)}
    assert FRAME.select(condition(rules, ("Select",)).alias("c"))["c"].to_list() == expected


def test_conditions_hold_together_and_none_holds_always():
    rules = {"url": Condition.model_validate({"missing": False}), "n": Condition.model_validate("1")}
    assert FRAME.filter(condition(rules, ())).height == 1
    assert FRAME.filter(condition({}, ())).height == 5
