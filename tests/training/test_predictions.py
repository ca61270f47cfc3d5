"""Predictions are written whole, typed, with nulls as nulls, or not at all."""

from datetime import UTC, datetime

import polars as pl
import pytest

from leadlight.errors import InputError
from training.evaluate import write_predictions
from training.predictions import PREDICTIONS


def frame():
    return pl.DataFrame(
        {
            "as_of": [1_700_000_000_000_000, 1_700_000_000_000_000],
            "lead_id": ["a", "b"],
            "target": ["sql", "sql"],
            "label": [1.0, None],
            "probability": [0.25, float("nan")],
            "score": [50, 60],
            "rule_points": [12.0, 0.0],
            "rule_probability": [0.2, 0.1],
            "extra": [1, 2],
        }
    )


def test_columns_types_and_nulls(tmp_path):
    path = tmp_path / "new" / "p.parquet"
    write_predictions(frame(), path)
    back = pl.read_parquet(path)
    assert back.schema == PREDICTIONS
    assert back["as_of"].to_list() == [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)] * 2
    assert back["label"].to_list() == [1, None]
    assert back["probability"].to_list() == [0.25, None]
    assert [file.name for file in path.parent.iterdir()] == ["p.parquet"]


def test_instants_may_come_as_instants(tmp_path):
    with_instants = frame().with_columns(pl.col("as_of").cast(pl.Datetime("us", "UTC")))
    write_predictions(with_instants, tmp_path / "p.parquet")
    assert pl.read_parquet(tmp_path / "p.parquet").schema == PREDICTIONS


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        (lambda f: f.drop("score", "label"), "p.parquet", "lack the columns `label`, `score`"),
        (lambda f: f, "p.csv", r"must end in \.parquet"),
        (lambda f: f.with_columns(probability=pl.lit("high")), "p.parquet", "cannot be written"),
    ],
)
def test_a_refusal_leaves_no_file(tmp_path, change, name, message):
    with pytest.raises(InputError, match=message):
        write_predictions(change(frame()), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_half_way_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    write_predictions(frame(), path)
    before = path.read_bytes()

    def fail(self, target):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(OSError, match="disk full"):
        write_predictions(frame(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
