import dataclasses
import json

import numpy as np
import pytest

from leadlight.errors import InputError
from leadlight.simulate.market import MAX_TYPES, Market


def test_a_market_survives_json(market):
    again = Market.from_json(json.loads(json.dumps(market.to_json())))
    assert again.types == market.types
    for name in ("type_logit", "initial_mood", "mood_rates", "stage_rates", "rates"):
        np.testing.assert_array_equal(getattr(again, name), getattr(market, name))
    for left, right in zip(
        again.company_traits + again.person_traits, market.company_traits + market.person_traits, strict=True
    ):
        assert (left.name, left.values, left.missing) == (right.name, right.values, right.missing)
        np.testing.assert_array_equal(left.table, right.table)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: {"type_logit": m.type_logit[:-1]}, "shape"),
        (lambda m: {"rates": -m.rates}, "not negative"),
        (lambda m: {"rates": m.rates * np.nan}, "finite"),
        (lambda m: {"initial_mood": m.initial_mood * 0.5}, "add up to 1"),
        (lambda m: {"mood_rates": np.ones_like(m.mood_rates)}, "neighbouring"),
        (lambda m: {"types": tuple("abcdefghi")[: MAX_TYPES + 1]}, "hidden types"),
    ],
)
def test_parameters_without_meaning_are_refused(market, change, word):
    with pytest.raises(InputError, match=word):
        dataclasses.replace(market, **change(market))
