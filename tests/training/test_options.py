from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.schema import DAY, HOUR
from tests.training import market
from training import ages
from training import options as options_of
from training.split import AT_CREATION


def test_a_share_cuts_at_the_creation_of_that_lead(frames):
    tables, known = market.tables(frames), market.info()
    split = options_of.make_split(tables, known, market.options(test_from=0.5))
    assert split.cut == frames["leads"]["created_at"].sort()[600]
    late = options_of.make_split(tables, known, market.options(test_from=0.99999))
    assert late.cut == frames["leads"]["created_at"].max()
    with pytest.raises(InputError, match="between 0 and 1"):
        options_of.make_split(tables, known, market.options(test_from=1.5))
    with pytest.raises(NotEnoughDataError, match="no lead was created"):
        options_of.make_split(tables, known, market.options(test_from=0.5, until=market.START - DAY))


def test_without_a_horizon_it_is_taken_from_the_dwell_before_the_cut(frames):
    tables, known = market.tables(frames), market.info()
    split = options_of.make_split(tables, known, market.options(horizon_us=None, ages_us=()))
    dwell = (
        frames["stages"]
        .filter(pl.col("stage") == "sql", pl.col("entered_at") < market.CUT)
        .join(frames["leads"], on="lead_id")
        .select((pl.col("entered_at") - pl.col("created_at")) / DAY)
        .to_series()
    )
    assert split.horizon_us == int(np.ceil(np.quantile(dwell, 0.8))) * DAY
    assert split.ages_us == ages.usual(tables, "sql", split.horizon_us, split.cut)
    assert split.train_ages_us == (HOUR, *split.ages_us)


def test_where_nobody_reached_the_target_the_horizon_is_the_usual_one(frames):
    bare = {**frames, "stages": frames["stages"].filter(pl.col("stage") == "lead")}
    asked = market.options(horizon_us=None)
    for target, days in (("sql", 90), ("opportunity", 120), ("customer", 240)):
        split = options_of.make_split(market.tables(bare), market.info(), replace(asked, target=target))
        assert (split.horizon_us, split.horizon_source) == (days * DAY, "usual")
    assert options_of.make_split(market.tables(frames), market.info(), asked).horizon_source == "dwell"
    assert options_of.make_split(market.tables(frames), market.info(), market.options()).horizon_source == "asked"
    kept = market.options(horizon_of="20200101T000000-old")
    assert options_of.make_split(market.tables(frames), market.info(), kept).horizon_source == "champion"


def test_nothing_beyond_the_end_of_the_record_is_promised(frames):
    tables, known = market.tables(frames), market.info()
    assert options_of.make_split(tables, known, market.options()).until == known.observed_until
    late = market.options(until=known.observed_until + DAY)
    assert options_of.make_split(tables, known, late).until == known.observed_until
    early = market.options(until=known.observed_until - DAY)
    assert options_of.make_split(tables, known, early).until == known.observed_until - DAY


def test_ages_are_sorted(frames):
    split = options_of.make_split(market.tables(frames), market.info(), market.options(ages_us=(7 * DAY, DAY)))
    assert split.ages_us == (DAY, 7 * DAY)


def test_without_a_clock_leads_are_judged_at_creation_and_have_no_horizon(frames):
    known = market.info(clock="order")
    split = options_of.make_split(market.tables(frames), known, market.options())
    assert split.horizon_us is None
    assert split.ages_us == split.train_ages_us == (AT_CREATION,)
    assert split.until == known.observed_until + 1  # the last rank belongs to the record
