"""A few rows computed by hand; `tests.features.test_batch` holds both engines against a slow reference."""

import numpy as np
import pytest

from features import online
from leadlight.schema import DAY, HOUR
from leadlight.spec import FeatureSpec
from leadlight.timeline import Activities, AttributeChange, StageEntry, Timeline

# 2024-10-04T00:00:00Z, a Friday.
BASE = 20_000 * DAY
AS_OF = BASE + 10 * DAY


def line(*rows, **columns):
    activities = [
        {"activity_id": str(place), "type": "call", "occurred_at": BASE, "actor": "lead", **row}
        for place, row in enumerate(rows)
    ]
    base = {"lead_id": "a", "created_at": BASE, "attributes": {}, "activities": Activities.from_rows(activities)}
    return Timeline(**{**base, **columns})


def value(timeline, *args, as_of=AS_OF, **kwargs):
    (found,) = online.row(timeline, as_of, (FeatureSpec("x", *args, **kwargs),))
    return found


def ago(days, **columns):
    return {"occurred_at": AS_OF - round(days * DAY), **columns}


def test_a_window_includes_its_far_edge_and_not_as_of():
    edges = line(ago(2), {"occurred_at": AS_OF - 2 * DAY - 1}, {"occurred_at": AS_OF - 1}, {"occurred_at": AS_OF})
    assert value(edges, "frequency", "count", window_days=2) == 2
    assert value(edges, "frequency", "count") == 3


def test_what_was_received_late_counts_from_the_instant_after_its_arrival():
    told = line(ago(3, received_at=AS_OF))
    assert value(told, "frequency", "count") == 0
    assert value(told, "frequency", "count", as_of=AS_OF + 1) == 1
    assert value(told, "recency", "days_since_last", as_of=AS_OF + DAY) == 4  # since it happened, not since it came


def test_counts_by_hand():
    three = line(
        ago(1, type="pricing_view", content="/blog/1", value=2.5, actor="sales", channel="web"),
        ago(1.25, content="/blog/22", value=-1.0),
        ago(6, type="pricing_view", content="/blog/1"),
    )
    assert value(three, "frequency", "count", ("pricing_view",)) == 2
    assert value(three, "touches", "count", actor="sales") == 1
    assert value(three, "frequency", "count", channel="web") == 1
    assert value(three, "frequency", "count", content="/blog/?") == 2
    assert value(three, "frequency", "distinct_contents") == 2
    assert value(three, "frequency", "distinct_days") == 3
    assert value(three, "frequency", "value_sum") == 1.5
    assert value(three, "breadth", "distinct_types") == 2
    assert value(three, "breadth", "distinct_types", window_days=1) == 1
    assert value(three, "recency", "days_since_last") == 1
    assert value(three, "recency", "days_since_first") == 6


def test_an_activity_counts_half_after_its_half_life():
    two = line(ago(2), ago(4))
    assert value(two, "decay", "decayed_count", half_life_days=2) == pytest.approx(0.5 + 0.25)
    assert value(two, "decay", "decayed_count", half_life_days=2, window_days=3) == pytest.approx(0.5)


def test_momentum_is_in_doublings():
    rising = line(ago(0.5), ago(0.6), ago(1), ago(1.5))
    assert value(rising, "momentum", "momentum", window_days=1) == 1  # (3 + 1) / (1 + 1)
    assert value(line(), "momentum", "momentum", window_days=1) == 0


def test_the_last_types_as_codes():
    two = line(ago(2, type="call"), ago(1, type="visit"))
    categories = ("call", "mail_open")
    assert value(two, "sequence", "last_type", categories=categories) == 2  # any other
    assert value(two, "sequence", "last_type", k=2, categories=categories) == 0
    assert np.isnan(value(two, "sequence", "last_type", k=3, categories=categories))


def test_age_and_clock():
    born = line(created_at=BASE + 5 * HOUR + HOUR // 2)
    assert value(born, "age", "age_days", as_of=BASE + 29 * HOUR + HOUR // 2) == 1
    assert value(born, "age", "created_hour") == 5
    assert value(born, "age", "created_weekday") == 4


def test_stages_before_as_of():
    twice = line(stages=(StageEntry("mql", BASE), StageEntry("mql", AS_OF - DAY), StageEntry("mql", AS_OF)))
    assert value(twice, "stage", "stage_entries", stage="mql") == 2
    assert value(twice, "stage", "days_since_stage", stage="mql") == 1
    assert value(twice, "stage", "stage_entries", stage="sql") == 0
    assert np.isnan(value(twice, "stage", "days_since_stage", stage="sql"))


def test_an_attribute_is_what_it_was_at_as_of():
    changes = (AttributeChange("size", BASE + DAY, "7", "12"), AttributeChange("size", AS_OF, "12", "90"))
    grown = line(attributes={"size": 90.0}, changes=changes)
    assert value(grown, "fit", "number", attribute="size", as_of=BASE + DAY) == 7
    assert value(grown, "fit", "number", attribute="size") == 12
    assert value(grown, "fit", "number", attribute="size", as_of=AS_OF + 1) == 90


def test_categories_and_what_is_no_number():
    known = line(attributes={"industry": "farm", "size": "many", "country": None})
    assert value(known, "fit", "category", attribute="industry", categories=("it", "farm")) == 1
    assert value(known, "fit", "category", attribute="industry", categories=("it",)) == 1
    assert np.isnan(value(known, "fit", "category", attribute="country", categories=("it",)))
    assert np.isnan(value(known, "fit", "number", attribute="size"))
    assert np.isnan(value(known, "fit", "number", attribute="absent"))


def test_nothing_recorded_counts_zero_and_has_no_recency():
    specs = (
        FeatureSpec("n", "frequency", "count"),
        FeatureSpec("sum", "frequency", "value_sum"),
        FeatureSpec("decayed", "decay", "decayed_count", half_life_days=1),
        FeatureSpec("last", "recency", "days_since_last"),
        FeatureSpec("first", "recency", "days_since_first"),
    )
    np.testing.assert_array_equal(online.row(line(), AS_OF, specs), [0, 0, 0, np.nan, np.nan])
    assert online.row(line(), AS_OF, ()).shape == (0,)
