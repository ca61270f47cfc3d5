import polars as pl
import pytest

from benchmarks.training.leak_kinds import KINDS, STRENGTHS, planted
from leadlight.errors import InputError
from tests.training import audited

CLEAN = audited.frames(leads=1_000)


def plant(kind, strength="full", seed=0):
    return planted(audited.tables(CLEAN), kind, strength, seed, until=audited.END)


def column(leak):
    return leak.tables.leads.collect()["planted"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_every_leak_is_the_same_for_the_same_seed(kind, strength):
    one, same, other = (plant(kind, strength, seed).tables for seed in (0, 0, 1))
    for table in ("leads", "activities", "stages"):
        assert getattr(one, table).collect().equals(getattr(same, table).collect())
    if strength != "full":
        assert not (
            one.leads.collect().equals(other.leads.collect())
            and one.activities.collect().equals(other.activities.collect())
        )


@pytest.mark.parametrize("kind", KINDS)
def test_the_clean_tables_stay_clean(kind):
    tables = audited.tables(CLEAN)
    before = [tables.leads.collect(), tables.activities.collect()]
    planted(tables, kind, "full", 0, until=audited.END)
    assert [tables.leads.collect().equals(before[0]), tables.activities.collect().equals(before[1])] == [True, True]


def test_a_field_filled_after_winning_is_filled_for_winners_only():
    assert (column(plant("field filled after winning")).is_not_null() == CLEAN["leads"]["wins"]).all()


def test_strength_is_a_share_and_chance():
    for strength, of in STRENGTHS.items():
        values = column(plant("field filled after losing", strength)).is_not_null()
        loses = CLEAN["leads"]["loses"]
        assert values.filter(loses).mean() == pytest.approx(of.share, abs=0.1)
        by_chance = values.filter(~loses).sum()
        assert by_chance == pytest.approx(of.false * values.filter(loses).sum(), abs=12)


def test_the_close_date_is_the_date_of_the_outcome():
    dates = column(plant("close date as attribute"))
    closed = CLEAN["leads"]["wins"] | CLEAN["leads"]["loses"]
    own = CLEAN["leads"]["outcome"].cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    assert (dates.is_not_null() == closed).all()
    assert (dates.filter(closed) == own.filter(closed)).all()


def test_the_export_lists_customers_first():
    leads = plant("row order by outcome").tables.leads.collect()
    winners = int(CLEAN["leads"]["wins"].sum())
    assert leads["wins"].head(winners).all()


def test_contracts_are_sent_near_the_outcome():
    log = plant("activity contract_sent at the outcome").tables.activities.collect()
    sent = log.filter(pl.col("type") == "contract_sent").join(CLEAN["leads"], on="lead_id")
    assert sent["wins"].all()
    assert (sent["occurred_at"] - sent["outcome"]).abs().max() <= 2 * 3_600_000_000


def test_unknown_kinds_and_strengths_are_refused():
    with pytest.raises(InputError, match="leak `x`"):
        plant("x")
    with pytest.raises(InputError, match="strength"):
        plant("status synonym", "fulll")
