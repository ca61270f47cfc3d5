from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings

from features import hygiene
from features import tables as tables_of
from features.hygiene_online import clean_timeline
from features.hygiene_settings import HygieneSettings
from leadlight.timeline import Activities
from tests.features.hygiene_market import BASE, SECOND, UNTIL, activities, activity, tables

USUAL = HygieneSettings()


def cleaned(rows, settings_=USUAL, now=UNTIL):
    line = tables_of.timelines(tables(rows))["a"]
    return list(clean_timeline(line, settings_, now).activities.activity_id)


@settings(max_examples=40, deadline=None)
@given(activities())
def test_a_timeline_is_cleaned_as_its_table_is(rows):
    found = tables(rows)
    batch = tables_of.timelines(hygiene.clean(found, UNTIL).tables)
    for lead_id, line in tables_of.timelines(found).items():
        online = clean_timeline(line, USUAL, UNTIL)
        for name in (column.name for column in fields(Activities) if column.init):
            np.testing.assert_array_equal(
                getattr(online.activities, name), getattr(batch[lead_id].activities, name), err_msg=name
            )


def test_a_clean_timeline_is_given_back_as_it_is():
    line = tables_of.timelines(tables([activity("1"), activity("2", 50)]))["a"]
    assert clean_timeline(line, USUAL, UNTIL) is line
    empty = replace(line, activities=Activities.from_rows([]))
    assert clean_timeline(empty, USUAL, UNTIL) is empty


def test_one_id_counts_once_and_the_first_known_stays():
    rows = [activity("1", 9), activity("1", 5, received_at=BASE + 100 * SECOND), activity("2", 30)]
    line = tables_of.timelines(tables(rows))["a"]
    found = clean_timeline(line, USUAL, UNTIL).activities
    assert found.occurred_at.tolist() == [BASE + 9 * SECOND, BASE + 30 * SECOND]


@pytest.mark.parametrize("now", [BASE, UNTIL], ids=["then", "later"])
def test_the_future_is_what_lies_after_now(now):
    assert cleaned([activity("1"), activity("2", 60)], now=now) == (["1"] if now == BASE else ["1", "2"])


def test_long_agents_are_read_but_not_remembered():
    rows = [activity("1", detail="x" * 500 + "Barracuda"), activity("2", 9, detail="x" * 500)]
    assert cleaned(rows) == ["2"]
