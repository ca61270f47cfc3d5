"""Markets that several tests read; none changes them."""

import numpy as np
import pytest

from leadlight.simulate.defaults import default_market
from leadlight.simulate.record import Options, run
from leadlight.simulate.truth import write_truth
from leadlight.simulate.write import write_market


@pytest.fixture(scope="session")
def market():
    return default_market()


@pytest.fixture(scope="session")
def record(market):
    """The default market at the default size and seed."""
    return run(market, Options(leads=20_000, seed=1))


@pytest.fixture(scope="session")
def truth(market, record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    write_truth(folder, market, record)
    return folder


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A small market on disk, noise included."""
    folder = tmp_path_factory.mktemp("markets") / "small"
    write_market(folder, Options(leads=1_500, seed=3))
    return folder


def first_entries(record, stages):
    """Give the first entry of each lead into any of the stages (positions), in µs; the largest int64 where none."""
    first = np.full(len(record.created_us), np.iinfo(np.int64).max)
    wanted = np.isin(record.move_stage, stages)
    np.minimum.at(first, record.move_lead[wanted], record.move_at_us[wanted])
    return first
