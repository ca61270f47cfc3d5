from dataclasses import replace
from typing import get_args

import pytest

from features.catalog import CatalogSettings, from_profile
from features.ranking import ATTRIBUTE_VALUES, SEATS, coverage, keep
from leadlight.spec import Family, FeatureSpec
from tests.features.test_families import SEEN


def recency(name, **given):
    return FeatureSpec(name, "recency", "days_since_last", **given)


def test_every_family_that_proposes_has_seats():
    assert set(SEATS) == set(get_args(Family)) - {"rule"}
    assert all(seats > 0 for seats in SEATS.values())


@pytest.mark.parametrize(
    ("spec", "share"),
    [
        (recency("all"), 1.0),
        (recency("x", types=("call",)), 0.25),
        (recency("x", types=("call", "pricing_view")), 0.5),
        (recency("x", types=("never",)), 0.0),
        (recency("x", types=("mail_open",), actor="sales"), 0.25),
        (recency("x", channel="phone"), 0.25),
        (FeatureSpec("x", "sequence", "followed", ("mail_open",), then_types=("call",), within_days=1), 0.25),
        (FeatureSpec("x", "stage", "days_since_stage", stage="mql"), 1.0),
        (FeatureSpec("x", "company", "colleagues"), 0.8),
        (FeatureSpec("x", "company", "roles", attribute="job_title"), 0.8),
        (FeatureSpec("x", "fit", "missing", attribute="size"), 0.6),
        (FeatureSpec("x", "fit", "missing", attribute="job_title"), 1.0),
        (FeatureSpec("x", "fit", "changes", attribute="job_title"), 0.1),
    ],
)
def test_coverage_is_the_share_of_leads_of_which_it_tells_something(spec, share):
    assert coverage(spec, SEEN) == pytest.approx(share)


def test_a_common_type_is_kept_before_a_rare_one_wherever_it_stands():
    common, rare = recency("common", types=("mail_open",)), recency("rare", types=("call",))
    assert keep([common, rare], SEEN, 1) == [common]
    assert keep([rare, common], SEEN, 1) == [common]


def test_attributes_are_kept_even_beyond_the_most():
    values = [FeatureSpec(f"fit.{n}", "fit", "number", attribute="size") for n in range(3)]
    assert keep([recency("all"), *values], SEEN, 2) == values
    assert keep([recency("all"), *values], SEEN, 4) == [recency("all"), *values]


def test_a_family_that_proposes_more_pushes_no_other_out():
    many = [recency(f"r{n}") for n in range(50)]
    one = FeatureSpec("breadth", "breadth", "distinct_types")
    kept = keep([*many, one], SEEN, 9)
    assert one in kept
    assert kept[:-1] == many[:8]


@pytest.mark.parametrize("most", [1, 5, 20, 40, 1000])
def test_a_larger_catalog_holds_the_smaller_one_in_the_same_order(most):
    everything = from_profile(SEEN, CatalogSettings(most_features=1000))
    some = from_profile(SEEN, CatalogSettings(most_features=most))
    values = sum(spec.measure in ATTRIBUTE_VALUES for spec in everything)
    assert len(some) == min(max(most, values), len(everything))
    assert [spec for spec in everything if spec in some] == list(some)
    assert set(from_profile(SEEN, CatalogSettings(most_features=max(most - 1, 1)))) <= set(some)


def test_the_rule_decides_by_the_data():
    rarer = replace(SEEN, type_share={"mail_open": 0.1, "pricing_view": 0.05, "call": 0.01})
    assert "recency.call" in {spec.name for spec in from_profile(SEEN, CatalogSettings(most_features=60))}
    assert "recency.call" not in {spec.name for spec in from_profile(rarer, CatalogSettings(most_features=50))}
