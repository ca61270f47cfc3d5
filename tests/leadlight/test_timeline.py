import numpy as np
import pytest

from leadlight.timeline import KNOWN_AT_ONCE, Activities, AttributeChange, Timeline, number, text


def row(activity_id: str, occurred_at: int, **more: object) -> dict[str, object]:
    return {"activity_id": activity_id, "type": "page_view", "occurred_at": occurred_at, "actor": "lead", **more}


def timeline(*changes: AttributeChange) -> Timeline:
    return Timeline("L1", 0, {"size": 10.0, "industry": "it"}, Activities.from_rows([]), changes=changes)


def test_rows_are_ordered_by_instant_then_id():
    activities = Activities.from_rows([row("b", 5), row("c", 1), row("a", 5)])
    assert activities.activity_id.tolist() == ["c", "a", "b"]
    assert activities.occurred_at.tolist() == [1, 5, 5]
    assert len(activities) == 3


def test_absent_values_have_their_marks():
    activities = Activities.from_rows([row("a", 1), row("b", 2, received_at=9, value=3, channel="mail")])
    assert activities.received_at.tolist() == [KNOWN_AT_ONCE, 9]
    assert np.isnan(activities.value[0])
    assert activities.value[1] == 3.0
    assert activities.channel.tolist() == [None, "mail"]
    assert activities.content.tolist() == [None, None]


def test_no_rows_give_empty_arrays():
    activities = Activities.from_rows([])
    assert len(activities) == 0
    assert activities.known_before(10).tolist() == []


def test_only_what_occurred_and_was_known_before_counts():
    activities = Activities.from_rows(
        [row("a", 4), row("b", 5), row("c", 3, received_at=5), row("d", 3, received_at=4)]
    )
    assert activities.activity_id[activities.known_before(5)].tolist() == ["d", "a"]


@pytest.mark.parametrize(("as_of", "expected"), [(10, "s"), (11, "m"), (20, "m"), (21, "l")])
def test_an_attribute_is_its_last_change_strictly_before(as_of, expected):
    lead = timeline(AttributeChange("industry", 10, "s", "m"), AttributeChange("industry", 20, "m", "l"))
    assert lead.attribute("industry", as_of) == expected


@pytest.mark.parametrize(("as_of", "expected"), [(10, "s"), (11, None), (20, None), (21, "l")])
def test_a_cleared_attribute_is_none_until_it_is_filled_again(as_of, expected):
    lead = timeline(AttributeChange("industry", 10, "s", None), AttributeChange("industry", 20, None, "l"))
    assert lead.attribute("industry", as_of) == expected


def test_before_the_first_change_an_unknown_old_value_stays_unknown():
    assert timeline(AttributeChange("size", 10, None, "20")).attribute("size", 5) is None


def test_an_attribute_without_changes_is_the_leads_own():
    lead = timeline(AttributeChange("industry", 10, "s", "m"))
    assert lead.attribute("size", 5) == 10.0
    assert lead.attribute("nowhere", 5) is None


def test_texts_become_codes_once_and_null_is_the_first():
    activities = Activities.from_rows([row("a", 1, channel="web"), row("b", 2), row("c", 3, channel="web")])
    channels = activities.coded("channel")
    assert channels.words == (None, "web")
    assert channels.codes.tolist() == [1, 0, 1]
    assert activities.coded("channel") is channels
    pairs = activities.coded("type", "channel")
    assert pairs.words == (("page_view", "web"), ("page_view", None))
    assert pairs.codes.tolist() == [0, 1, 0]


def test_the_newest_arrival():
    assert Activities.from_rows([row("a", 1, received_at=9), row("b", 2)]).last_received() == 9
    assert Activities.from_rows([row("a", 1)]).last_received() == KNOWN_AT_ONCE
    assert Activities.from_rows([]).last_received() == KNOWN_AT_ONCE


def test_a_value_that_is_null_or_beyond_all_bounds_adds_nothing():
    values = [None, 3, float("nan"), float("inf"), float("-inf"), 1e308, -1.1e15, -1e15]
    rows = [row(f"e{at}", at, value=value) for at, value in enumerate(values)]
    assert Activities.from_rows(rows).values_or_zero().tolist() == [0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1e15]


def test_null_and_nan_have_no_text_and_are_no_number():
    assert [text(value) for value in (None, float("nan"), 3.0, "x", "")] == [None, None, "3", "x", ""]
    found = [number(value) for value in (None, float("nan"), float("-inf"), "x", "")]
    np.testing.assert_equal(found, [np.nan] * 5)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (14, "14"),
        (14.0, "14"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e-05, "1e-05"),
        (1e16, "10000000000000000"),
        (-(2.0**63), "-9223372036854775808"),
        (2.0**63, "9.223372036854776e+18"),
        (1e22, "1e+22"),
        (float("-inf"), "-inf"),
        (True, "true"),
        (False, "false"),
    ],
)
def test_what_is_no_text_has_one(value, said):
    assert text(value) == said


def test_true_and_false_are_no_numbers():
    assert np.isnan([number(value=True), number(value=False)]).all()


@pytest.mark.parametrize(("value", "read"), [("1e3", 1000.0), ("-.5", -0.5), ("7.", 7.0), ("+12", 12.0), (3, 3.0)])
def test_numbers_are_read(value, read):
    assert number(value) == read


@pytest.mark.parametrize(
    "value", ["1_000", " 7", "7 ", "7\n", "inf", "nan", "1e999", "\uff11\uff12", "0x10", "1,5", ".", "e3"]
)
def test_what_only_python_reads_as_a_number_is_none(value):
    assert np.isnan(number(value))


def test_some_of_the_activities_are_a_record_of_their_own():
    rows = [{"activity_id": str(at), "type": f"t{at}", "occurred_at": at, "value": at / 2} for at in range(4)]
    whole = Activities.from_rows(rows)
    whole.coded("type")
    part = whole.take(np.array([1, 3]))
    assert part.type.tolist() == ["t1", "t3"]
    assert part.value.tolist() == [0.5, 1.5]
    assert part.coded("type").words == (None, "t1", "t3")


@pytest.mark.parametrize("value", ["1e16", "-1e308", 1e308, 10**16, "9" * 30])
def test_a_number_lies_within_what_http_takes(value):
    assert np.isnan(number(value))
    assert number("-1e15") == -1e15
