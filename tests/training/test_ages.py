import polars as pl
import pytest

from leadlight.schema import DAY
from tests.training import market
from training import ages

CUT = market.START + 240 * DAY


def usual(frames, cut=CUT, horizon=30 * DAY):
    return ages.usual(market.tables(frames), "sql", horizon, cut)


def open_at(frames, age, until):
    """Count the leads that are open for sql at an age before an instant, by the stages they entered."""
    late = frames["leads"].select("lead_id", at=pl.col("created_at") + age).filter(pl.col("at") < until)
    entered = frames["stages"].join(late, on="lead_id").filter(pl.col("entered_at") <= pl.col("at"))
    gone = entered.filter(~pl.col("stage").is_in(["lead", "mql"]))["lead_id"].n_unique()
    return late.height - gone


def test_young_ages_are_always_usual(frames):
    nobody = {**frames, "leads": frames["leads"].head(0), "stages": frames["stages"].head(0)}
    assert usual(nobody) == usual(frames, cut=market.START) == ages.YOUNG


@pytest.mark.parametrize("days", [90, 180])
def test_an_old_age_is_usual_from_the_moment_that_enough_open_leads_of_it_are_settled(frames, days, monkeypatch):
    monkeypatch.setattr(ages, "LEAST_LEADS", 10)
    age, horizon = days * DAY, 30 * DAY
    cuts = range(market.START, market.START + 365 * DAY, DAY)
    enough = [cut for cut in cuts if open_at(frames, age, cut - horizon) >= ages.LEAST_LEADS]
    assert enough
    assert age in usual(frames, enough[0])
    assert age not in usual(frames, enough[0] - DAY)


def test_nothing_at_or_after_the_cut_is_looked_at(frames):
    stages = frames["stages"].filter(pl.col("entered_at") < CUT)
    leads = frames["leads"].filter(pl.col("created_at") < CUT)
    assert usual({**frames, "leads": leads, "stages": stages}) == usual(frames)
