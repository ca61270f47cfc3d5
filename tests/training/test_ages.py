import json

import polars as pl
import pytest

from leadlight import bundle
from leadlight.schema import DAY
from tests.training import market
from tests.training.test_cli import run
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


def test_an_age_without_rows_on_both_sides_is_named_and_not_shown():
    known, test = (pl.DataFrame({"age": [days * DAY for days in found]}) for found in ([1, 1, 7], [1, 30]))
    asked = (DAY, 7 * DAY, 30 * DAY, 900 * DAY)
    assert ages.shown(asked, known, test) == (DAY,)
    assert "at 7d, 30d, 900d;" in ages.told(asked, known, test)
    assert ages.told((DAY,), known, test) is None


def test_a_training_names_the_ages_that_no_lead_has(frames, tmp_path, capsys):
    room = market.publish(tmp_path / "ws", frames)
    words = ("train", "--target", "sql", "--horizon", "30d", "--ages", "1d,900d", "--rung", "rules", "--no-track")
    said = run(capsys, *words, "--workspace", room.root, "--json")
    assert "to test on at 900d; leads so old are scored untested" in said.err
    version = json.loads(said.out)["version"]
    assert bundle.load(room.bundle_path(version), market.KEY.encode()).training["ages_shown_us"] == [DAY]
