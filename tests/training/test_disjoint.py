"""The comparison on leads of which nothing was learnt."""

import json

import polars as pl
import pytest

from leadlight import metrics
from tests.training import cards
from training.disjoint import disjoint


@pytest.fixture(scope="module")
def made():
    return cards.card(600)


def test_rows_of_leads_that_were_learnt_from_are_left_out(made):
    found = disjoint(made.known, made.test, 0, replicates=20)
    apart = made.test.filter(~pl.col("lead_id").is_in(made.known["lead_id"].implode()))
    assert (found.rows, found.shared) == (600, 200)
    assert found.apart.rows == apart.height == 400
    assert found.apart.metrics["auc"]["model"].value == metrics.auc(
        apart["label"].to_numpy(), apart["model"].to_numpy()
    )
    assert set(found.apart.metrics["auc"]) == {"model", "rules", "base_rate"}


def test_mixed_ages_have_no_bar_of_calibration(made):
    """Rows of one lead depend on each other: a bar for independent ones would be too low for them."""
    assert set(disjoint(made.known, made.test, 0, replicates=5).apart.ece_bar.values()) == {None}
    young = made.test.filter(pl.col("age") == pl.col("age").min())
    assert None not in disjoint(made.known, young, 0, replicates=5).apart.ece_bar.values()


def test_nothing_shared_and_everything_shared(made):
    assert disjoint(made.known.clear(), made.test, 0, replicates=5).shared == 0
    found = disjoint(made.test, made.test, 0, replicates=5)
    assert (found.shared, found.apart.rows) == (600, 0)
    assert found.apart.metrics["auc"]["model"] is None


def test_no_test_row(made):
    assert disjoint(made.known, made.test.clear(), 0, replicates=5).rows == 0


def test_it_is_json(made):
    data = json.loads(json.dumps(disjoint(made.known, made.test, 0, replicates=20).to_json(), allow_nan=False))
    assert data["shared"] == 200
    assert data["apart"]["rows"] == 400
