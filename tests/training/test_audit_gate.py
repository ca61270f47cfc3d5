import pytest

from leadlight.errors import InputError
from leadlight.spec import FeatureSpec
from leadlight.workspace import Attribute, TablesInfo
from training.audit import Audit, Finding
from training.audit_gate import allowances, check_allowed, gated, needed, without_types

FINDINGS = (
    Finding("attribute", "status", "leak", "it is the outcome", {}, "unknown", "leak"),
    Finding("attribute", "budget", "suspect", "it may be", {}, "unknown", "suspect"),
    Finding("attribute", "size", "ok", "nothing", {}, "unknown", "ok"),
    Finding("attribute", "industry", "ok", "declared", {}, "creation", "ok"),
    Finding("attribute", "owner", "ok", "declared", {}, "changes", "ok"),
    Finding("type", "contract_sent", "leak", "at the outcome", {}),
)
FOUND = Audit("customer", 0, "time", 100, 30, 30, 40, ("call", "contract_sent", "page_view"), FINDINGS)
INFO = TablesInfo(
    "g1", 1, "time", tuple(Attribute(one.name, "category", one.declared) for one in FINDINGS if one.declared), {}
)


def known_at(allow=()):
    return {one.name: one.known_at for one in gated(INFO, FOUND, allow).attributes}


def test_what_passes_is_used_and_the_rest_is_not():
    expected = {"status": "unknown", "budget": "unknown", "size": "creation", "industry": "creation"}
    assert known_at() == {**expected, "owner": "changes"}


def test_a_suspect_may_be_allowed():
    assert known_at({"budget": "asked in the first call"})["budget"] == "creation"
    assert FOUND.problems({"budget": "x"}) == (FINDINGS[0], FINDINGS[5])


def test_what_nothing_speaks_against_needs_no_allowance():
    assert needed(FOUND, {"budget": "asked early", "size": "sure", "industry": "sure"}) == {"budget": "asked early"}


def test_a_leak_cannot_be_allowed():
    with pytest.raises(InputError, match="--allow status: it is a leak and cannot be allowed"):
        check_allowed(FOUND, ["status"])


def test_what_does_not_exist_cannot_be_allowed():
    with pytest.raises(InputError, match="did you mean `budget`"):
        check_allowed(FOUND, ["budgets"])


def test_every_allowance_has_its_reason():
    assert allowances(["a", "b"], ["x", "y"]) == {"a": "x", "b": "y"}


@pytest.mark.parametrize(
    ("columns", "reasons", "message"),
    [
        (["a"], [], "--allow is given 1 time and --because 0 times"),
        (["a"], [" "], "--because is empty"),
        (["a", "a"], ["x", "y"], "given twice"),
    ],
)
def test_an_allowance_without_reason_is_refused(columns, reasons, message):
    with pytest.raises(InputError, match=message):
        allowances(columns, reasons)


def spec(name, measure="count", **rest):
    return FeatureSpec(name, "frequency", measure, **rest)


def test_no_feature_looks_at_a_type_that_is_the_outcome():
    specs = (
        spec("all"),
        spec("contracts", types=("contract_sent",)),
        spec("both", types=("contract_sent", "call")),
        spec("last", "last_type", categories=("contract_sent", "call")),
        spec("answered", "followed", types=("call",), then_types=("contract_sent",), within_days=3.0),
        spec("answered_by_any", "followed", types=("call",), within_days=3.0),
        spec("colleagues", "colleagues"),
        spec("size", "number", attribute="size"),
    )
    kept = {one.name: one for one in without_types(specs, FOUND)}
    assert sorted(kept) == ["all", "answered_by_any", "both", "colleagues", "last", "size"]
    assert kept["all"].types == ("call", "page_view")
    assert kept["both"].types == ("call",)
    assert kept["last"].types == ("call", "page_view")
    assert kept["last"].categories == ("call",)
    assert kept["answered_by_any"].then_types == ("call", "page_view")
    assert kept["colleagues"] == specs[6]
    assert kept["size"] == specs[7]


def test_no_feature_reads_an_attribute_that_is_left_out():
    """Not even one that a catalog of one's own asks for."""
    specs = (
        spec("status", "category", attribute="status", categories=("a",)),
        spec("budget", "number", attribute="budget"),
    )
    assert without_types(specs, FOUND) == ()
    assert without_types(specs, FOUND, {"budget": "asked"}) == specs[1:]


def test_without_such_types_the_catalog_stays_as_it_is():
    clean = Audit("customer", 0, "time", 100, 30, 30, 40, ("call",), FINDINGS[:5])
    specs = (spec("all"), spec("calls", types=("call",)))
    assert without_types(specs, clean) == specs
