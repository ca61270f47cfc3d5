from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.errors import InputError
from leadlight.schema import DAY, HOUR
from tests.training import market
from training import split as splits
from training.split import Split

CUT = market.START + 100 * DAY


def question(**changes) -> Split:
    return replace(Split("sql", 10 * DAY, CUT, market.START + 200 * DAY, (DAY,), (HOUR, DAY)), **changes)


def days(frame, column="as_of"):
    return [(at - market.START) / DAY for at in frame[column]]


def test_the_cut_lies_before_the_end():
    with pytest.raises(InputError, match="--test-from"):
        question(cut=market.START + 200 * DAY)


def test_training_learns_from_every_scheduled_age_up_to_the_largest_asked_for():
    assert splits.training_ages((2 * DAY, 7 * DAY)) == (HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY)


def test_weights_by_hand():
    """Room until the cut: 1, 2, 3, 4 days, so G(0.5 d) = 1, G(1.5 d) = 3/4, G(2 d) = 3/4, G(4 d) = 1/4."""
    as_of = np.array([CUT - day * DAY for day in (1, 2, 3, 4)])
    outcome = pl.Series([DAY // 2, 3 * DAY // 2, None, 4 * DAY], dtype=pl.Int64)
    short = splits.censoring_weights(as_of, outcome, 2 * DAY, CUT)
    assert short == pytest.approx([1, 4 / 3, 4 / 3, 4 / 3])
    long = splits.censoring_weights(as_of, outcome, 4 * DAY, CUT)
    assert long == pytest.approx([1, 4 / 3, 4, 4])


def test_weights_are_capped_and_one_without_a_clock():
    as_of = np.array([CUT - 30 * DAY, *[CUT - DAY] * 99])
    outcome = pl.Series([20 * DAY, *[None] * 99], dtype=pl.Int64)
    assert splits.censoring_weights(as_of, outcome, 30 * DAY, CUT)[0] == splits.LARGEST_WEIGHT
    assert splits.censoring_weights(as_of, outcome, None, CUT).tolist() == [1.0] * 100


def test_weights_make_the_rate_right_where_counting_does_not():
    random = np.random.default_rng(3)
    n, horizon = 60_000, 40 * DAY
    as_of = CUT - random.integers(0, 100 * DAY, n)
    outcome = (random.exponential(60, n) * DAY).astype(np.int64)
    truth = 1 - np.exp(-40 / 60)
    success = (outcome <= horizon) & (as_of + outcome < CUT)
    known = success | (as_of + horizon < CUT)
    seen = pl.Series(np.where(success, outcome, -1)).replace(-1, None)
    weight = splits.censoring_weights(as_of, seen, horizon, CUT)
    counted = success[known].mean()
    weighted = np.average(success[known], weights=weight[known])
    assert counted > truth + 0.03
    assert weighted == pytest.approx(truth, abs=0.01)


def test_training_knows_what_was_known_at_the_cut_and_no_more():
    made = market.by_hand(
        market.one("success", 95, sql=99),
        market.one("too late", 95, sql=100),
        market.one("matured", 80),
        market.one("young", 95),
        market.one("reached before", 80, sql=80.01),
    )
    rows = splits.training_rows(market.tables(made), question(train_ages_us=(DAY,)))
    assert dict(zip(rows["lead_id"], rows["label"], strict=True)) == {"success": 1.0, "matured": 0.0}


def test_every_mature_open_snapshot_after_the_cut_is_tested_and_no_other():
    made = market.by_hand(
        market.one("at the cut", 99),
        market.one("before the cut", 98.999),
        market.one("success", 150, sql=155),
        market.one("after the horizon", 150, sql=161.001),
        market.one("lost and back", 150, lost=150.5, mql=150.6, sql=152),
        market.one("lost", 150, lost=150.5),
        market.one("just mature", 189),
        market.one("immature", 189.001),
        market.one("immature success", 195, sql=197),
    )
    tables = market.tables(made)
    tested = splits.test_rows(tables, question())
    assert dict(zip(tested["lead_id"], tested["label"], strict=True)) == {
        "at the cut": 0.0,
        "success": 1.0,
        "after the horizon": 0.0,
        "lost and back": 1.0,
        "just mature": 0.0,
    }
    every = splits.labelled_rows(tables, question())
    assert set(every["lead_id"]) == set(tested["lead_id"]) | {"immature", "immature success"}
    assert every.filter(pl.col("lead_id") == "immature")["label"].to_list() == [None]


def losses(count: int, returned: int, *, lost: float = 50.0):
    """Make leads that were lost on a day, of which some reached sql two days later."""
    return market.by_hand(
        *(
            market.one(f"l{n:04}", lost - 5, lost=lost, **({"sql": lost + 2} if n < returned else {}))
            for n in range(count)
        )
    )


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (losses(600, 0), True),
        (losses(600, 1), True),
        (losses(600, 12), False),  # 2 % came back
        (losses(100, 0), False),  # too few to be sure of less than 1 %
        (losses(0, 0), False),
        (losses(600, 0, lost=95), False),  # nobody has had a horizon's time to come back
    ],
)
def test_losses_are_final_only_where_it_is_sure(made, expected):
    if not made["leads"].height:
        made = market.by_hand(market.one("a", 0))
    assert splits.losses_are_final(market.tables(made), question()) is expected


def test_losses_are_not_outcomes_without_a_clock():
    assert not splits.losses_are_final(market.tables(losses(600, 0)), question(horizon_us=None))


def test_a_final_loss_is_a_known_zero_with_the_weight_of_its_time():
    made = losses(600, 0)
    more = market.by_hand(market.one("lost young", 95, lost=97), market.one("young", 95))
    both = {name: pl.concat([made[name], more[name]]) for name in made}
    rows = splits.training_rows(market.tables(both), question(train_ages_us=(DAY,)))
    assert "young" not in rows["lead_id"].to_list()
    young = rows.row(by_predicate=pl.col("lead_id") == "lost young", named=True)
    assert young["label"] == 0.0
    assert young["weight"] == pytest.approx(1.0)  # every snapshot had the one day that its loss took
    without = splits.training_rows(market.tables({**both, "stages": more["stages"]}), question(train_ages_us=(DAY,)))
    assert "lost young" not in without["lead_id"].to_list()


FUTURE = st.lists(
    st.tuples(st.integers(0, 59), st.sampled_from(["mql", "sql", "customer", "lost"]), st.integers(0, 50 * DAY)),
    max_size=40,
)


@given(FUTURE)
@settings(max_examples=30, deadline=None)
def test_nothing_at_or_after_the_cut_changes_a_training_row(future):
    made = market.frames(leads=60, days=150)
    past = made["stages"].filter(pl.col("entered_at") < CUT)
    later = pl.DataFrame(
        [
            {"lead_id": f"lead-{lead:05d}", "stage": stage, "entered_at": CUT + after, "reason": None, "amount": None}
            for lead, stage, after in future
        ],
        schema=past.schema,
    )
    asked = question(until=market.START + 150 * DAY)
    before = splits.training_rows(market.tables({**made, "stages": past}), asked)
    after = splits.training_rows(market.tables({**made, "stages": pl.concat([past, later])}), asked)
    assert before.equals(after)
    assert before["as_of"].max() < CUT


def test_without_a_clock_every_lead_is_seen_once_and_ever():
    made = market.by_hand(
        market.one("before, won", 50, sql=50.5),
        market.one("before, later", 99, sql=100),
        market.one("after, won", 120, sql=199),
        market.one("after", 150),
    )
    asked = Split("sql", None, CUT, market.START + 200 * DAY + 1, (splits.AT_CREATION,), (splits.AT_CREATION,))
    known = splits.training_rows(market.tables(made), asked)
    assert dict(zip(known["lead_id"], known["label"], strict=True)) == {"before, won": 1.0, "before, later": 0.0}
    assert known["weight"].to_list() == [1.0, 1.0]
    tested = splits.test_rows(market.tables(made), asked)
    assert dict(zip(tested["lead_id"], tested["label"], strict=True)) == {"after, won": 1.0, "after": 0.0}
