from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features.sifted import Sifted
from tests.features.hygiene_market import activity, tables

LOG = pl.LazyFrame({"number": range(10), "lead_id": list("aaabbbbccc")})
ASIDE = np.array([8, 3, 3, 0])
LEFT = [1, 2, 4, 5, 6, 7, 9]


def test_the_rest_is_in_the_order_of_the_log():
    assert Sifted.of(LOG, ASIDE).rest.collect().rows() == [row for row in LOG.collect().rows() if row[0] in LEFT]
    assert Sifted.of(LOG, np.array([], np.int64)).rest.collect().equals(LOG.collect())


@pytest.mark.parametrize(("start", "length"), [(0, 10), (0, 1), (1, 2), (2, 5), (3, 1), (7, 3), (9, 1)])
def test_a_part_is_what_is_left_of_its_rows_with_columns_of_all_of_them(start, length):
    numbers = pl.Series(range(100 + start, 100 + start + length))
    part = Sifted.of(LOG, ASIDE).part(start, length, lead_id=numbers).collect()
    assert part["number"].to_list() == [number for number in LEFT if start <= number < start + length]
    assert part["lead_id"].to_list() == [100 + number for number in part["number"]]


def test_a_frame_that_came_after_is_not_sifted_again():
    found = tables([activity("1"), activity("2"), activity("3")])
    sifted = Sifted.of(found.activities, np.array([1]))
    whole = replace(found, activities=sifted.rest, sifted=sifted)
    assert Sifted.of_tables(whole).aside.tolist() == [1]
    fewer = replace(whole, activities=whole.activities.head(1))
    assert Sifted.of_tables(fewer).aside.tolist() == []
    assert Sifted.of_tables(fewer).log.collect()["activity_id"].to_list() == ["1"]
