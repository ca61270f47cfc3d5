"""A market of made-up rows for the benchmarks of training."""

from dataclasses import replace

import polars as pl
import pytest

from benchmarks.training import market as markets
from leadlight.schema import DAY
from rules import parse
from tests.training import made
from training.split import Split


@pytest.fixture(scope="module")
def market():
    rows = made.rows(900)
    rows = replace(rows, frame=rows.frame.with_columns(age=pl.lit(DAY), known_at=rows.frame["as_of"] + 5 * DAY))
    split = Split("sql", 5 * DAY, 901 * DAY, 2_000 * DAY, (DAY,), (DAY,))
    return markets.Market("made", rows, made.rows(900, seed=8), made.SPECS, parse.builtin("standard"), split)
