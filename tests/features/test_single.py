"""What the parts of the online engine promise beyond the numbers, which `test_online` compares."""

from threading import Thread

import numpy as np
import pytest

from features.single import filters
from features.single.clock import Clock, on_the_clock
from features.single.company import Colleagues
from features.single.filters import ALL, Filters
from features.single.lead import day_of_date
from features.single.seen import Seen, Windows
from leadlight.schema import DAY, HOUR
from leadlight.timeline import Activities, AttributeChange, Timeline

PRICING = (("pricing_view",), None, None, None, None)
BOTS = ((), None, None, None, "*bot*")


def record(*rows):
    base = {"type": "call", "occurred_at": 0, "actor": "lead"}
    return Activities.from_rows([{**base, "activity_id": str(at), **row} for at, row in enumerate(rows)])


def test_a_record_has_few_kinds_and_a_table_says_which_filter_selects_them():
    log = record({"type": "pricing_view"}, {"type": "call"}, {"type": "call"}, {"type": "pricing_view"})
    chosen = Filters([ALL, PRICING, ALL])
    kinds, table = chosen.kinds(log)
    assert kinds.tolist() == [0, 1, 1, 0]
    assert chosen.keys == (ALL, PRICING)
    assert table.tolist() == [[1, 1], [1, 0]]
    assert chosen.kinds(log)[0] is kinds


def test_globs_tell_kinds_apart():
    log = record({"detail": "a bot"}, {"detail": None}, {"detail": "person"}, {"detail": "bot/2"})
    chosen = Filters([BOTS])
    kinds, table = chosen.kinds(log)
    assert table[kinds, 0].tolist() == [1, 0, 0, 1]


def test_words_of_strangers_are_forgotten(monkeypatch):
    monkeypatch.setattr(filters, "MOST_REMEMBERED", 10)
    chosen = Filters([ALL, PRICING])
    for number_of in range(50):
        assert chosen.table(((f"type {number_of}", "lead", None),)).tolist() == [[1, 0]]
        assert chosen.table((("pricing_view", "lead", None),)).tolist() == [[1, 1]]
    assert len(chosen._places) <= 12
    assert len(chosen._table) == 2


def test_threads_may_share_filters():
    chosen = Filters([PRICING])
    wrong = []

    def ask(seed):
        random = np.random.default_rng(seed)
        for _ in range(300):
            name = random.choice(["pricing_view", f"type {random.integers(200)}"])
            if chosen.table(((name, "lead", None),)).item() != (name == "pricing_view"):
                wrong.append(name)

    threads = [Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_windows_begin_at_their_far_edge():
    log = record(*({"occurred_at": day * DAY} for day in range(10)))
    seen = Seen(log, 9 * DAY, Windows([DAY, None, 3 * DAY]))
    assert seen.n == 9
    assert seen.starts == {None: 0, 3 * DAY: 6, DAY: 8}


def test_what_is_received_late_is_left_out_of_every_column():
    log = record({"received_at": 5, "value": 1.0}, {"value": 2.0}, {"received_at": 4, "value": 3.0})
    assert Seen(log, 5, Windows([])).of(log.value).tolist() == [2.0, 3.0]
    assert Seen(log, 6, Windows([])).of(log.value).tolist() == [1.0, 2.0, 3.0]


def test_a_clock_before_1970_and_west_of_greenwich():
    evening = Clock(hours=(20.5, 24.0), weekdays=(2,), ahead=round(-3.5 * HOUR))
    # 1970-01-01T00:00Z is Wednesday 20:30 there
    log = record(*({"occurred_at": at} for at in (-HOUR, -1, 0, HOUR // 4 * 15)))
    assert on_the_clock(log, evening).tolist() == [0, 0, 1, 0]
    assert on_the_clock(log, Clock((), (3,), 0)).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("value", "days"),
    [
        ("1970-01-01", 0),
        ("1969-12-31", -1),
        ("2000-02-29", 11_016),
        ("0000-03-01", -719_468),
        (None, None),
        (3.0, None),
    ],
)
def test_days_of_dates(value, days):
    assert day_of_date(value) == days


def test_who_counts_as_a_colleague():
    leads = [Timeline(f"l{at:02}", at // 30, {}, Activities.from_rows([])) for at in range(60)]
    ready = Colleagues(leads[::-1])
    assert ready.chosen("stranger", 1) == (0, 30, None)
    assert ready.chosen("stranger", 2) == (10, 60, None)
    assert ready.chosen("l05", 2) == (10, 60, None)
    assert ready.chosen("l10", 2) == (9, 60, 10)
    assert ready.chosen("l59", 2) == (9, 60, 59)
    assert ready.chosen("l59", 1) == (0, 30, None)


def test_a_value_that_changed_counts_as_it_was():
    moved = Timeline(
        "a", 0, {"role": "boss"}, Activities.from_rows([]), (), (AttributeChange("role", 5, None, "boss"),)
    )
    plain = Timeline("b", 0, {"role": "user"}, Activities.from_rows([]))
    ready = Colleagues([moved, plain])
    assert ready.values("role", ready.chosen("c", 5), 5) == {"user"}
    assert ready.values("role", ready.chosen("c", 6), 6) == {"user", "boss"}
    assert ready.values("role", ready.chosen("b", 6), 6) == {"boss"}
