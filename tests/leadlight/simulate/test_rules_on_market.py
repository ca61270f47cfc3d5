"""The simulated market is no strawman: the standard card, unchanged, does on it what a good card does."""

import polars as pl

from features import batch, labels, snapshots, tables
from leadlight.ingest.pipeline import ingest
from leadlight.metrics import auc
from leadlight.schema import DAY
from leadlight.simulate import true_probability
from leadlight.simulate.record import Options
from leadlight.simulate.write import write_market
from leadlight.workspace import Workspace
from rules import engine, parse


def test_the_standard_card_is_useful_and_the_truth_better(tmp_path):
    write_market(tmp_path / "market", Options(leads=10_000, seed=1))
    workspace = Workspace.at(tmp_path / "ws")
    ingest(tmp_path / "market" / "mapping.yaml", tmp_path / "market" / "raw", workspace)
    data, info = tables.read(workspace), workspace.tables_info()
    ages = [days * DAY for days in (1, 3, 7, 14, 30, 60)]
    asked = snapshots.scheduled(data, ages, 0, info.observed_until - 60 * DAY)
    asked = labels.attach(snapshots.open_for(asked, data, "sql"), data, "sql", 60 * DAY, info.observed_until)
    asked = asked.filter(pl.col("label").is_not_null())
    card = parse.builtin("standard")
    specs = engine.specs(card, {attribute.name: attribute.kind for attribute in info.attributes})
    points = engine.points(card, batch.columns(batch.build(data, asked, specs), specs), asked.height)
    label = asked["label"].to_numpy()
    truth = true_probability(
        tmp_path / "market", asked["lead_id"].to_list(), asked["as_of"].to_numpy(), "sql", 60 * DAY
    )
    by_card, by_behaviour, by_truth = (auc(label, score) for score in (points.total, points.behaviour, truth))
    assert 0.62 <= by_card <= 0.75
    assert 0.62 <= by_behaviour <= 0.75
    assert by_card + 0.08 < by_truth < 0.90
