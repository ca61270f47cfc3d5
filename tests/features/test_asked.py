import pytest

from features.asked import Asked
from leadlight.errors import WorkspaceError
from leadlight.schema import DAY
from tests.features import market


@pytest.fixture(scope="module")
def tables():
    return market.tables(*market.crowd())


END = market.BASE + 4 * DAY


def instants(asked, tables):
    return sorted({as_of for _, as_of in asked.snapshots(tables, END).iter_rows()})


def test_ages_lie_in_the_record_its_end_included(tables):
    found = instants(Asked(ages_us=(DAY, 3 * DAY, 30 * DAY)), tables)
    assert found == [market.BASE + days * DAY for days in (1, 2, 3, 4)]
    assert instants(Asked(ages_us=(DAY,), start=market.BASE + 2 * DAY, end=END), tables) == [
        market.BASE + 2 * DAY,
        market.BASE + 3 * DAY,
    ]


def test_an_instant_is_the_end_of_the_record_unless_said(tables):
    assert instants(Asked("instant"), tables) == [END]
    assert instants(Asked("instant", as_of=market.BASE + DAY), tables) == [market.BASE + DAY]
    assert len(Asked("instant", as_of=market.BASE + DAY).snapshots(tables, END)) == 20


def test_days_of_activity(tables):
    found = instants(Asked("activity"), tables)
    assert found
    assert all(at % DAY == 0 and at <= END for at in found)


@pytest.mark.parametrize(
    "asked",
    [
        Asked(ages_us=(DAY, 2 * DAY, 3 * DAY)),
        Asked(ages_us=(DAY, 2 * DAY), start=market.BASE + 3 * DAY),
        Asked(ages_us=(DAY, 2 * DAY), end=market.BASE + 3 * DAY),
        Asked("instant", as_of=END),
    ],
)
@pytest.mark.parametrize("before", [market.BASE, market.BASE + DAY, END - 1, END])
def test_what_is_due_is_what_a_longer_record_adds(tables, asked, before):
    earlier, now = (set(asked.snapshots(tables, until).iter_rows()) for until in (before, END))
    assert earlier <= now
    assert set(asked.due(tables, before, END).iter_rows()) == now - earlier


def test_only_the_end_of_the_record_moves():
    assert Asked("instant").moves(END, END + 1)
    assert not Asked("instant").moves(END, END)
    assert not any(asked.moves(END, END + 1) for asked in (Asked(), Asked("activity"), Asked("instant", as_of=END)))


@pytest.mark.parametrize("asked", [Asked(), Asked("activity", start=1), Asked("instant", as_of=5, end=7)])
def test_a_question_is_read_as_written(asked):
    assert Asked.from_json(asked.to_json()) == asked


@pytest.mark.parametrize("data", [{}, {"ages_us": None}, {"ages_us": [], "what": 1}])
def test_a_damaged_question_is_said(data):
    with pytest.raises(WorkspaceError, match="build it anew"):
        Asked.from_json(data)
