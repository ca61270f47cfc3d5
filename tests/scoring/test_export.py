import csv
from dataclasses import replace

import polars as pl
import pytest

from leadlight.errors import InputError
from leadlight.schema import DAY
from scoring import export
from scoring.score import LeadScorer
from tests.scoring import market


@pytest.fixture
def scores():
    scorer = LeadScorer(market.bundle())
    found = [scorer.score(market.timeline(seed), market.START + 30 * DAY, lang="ja") for seed in range(6)]
    names = ["=cmd|'/c calc'!A1", "+81-3", "-1", "@x", "\tx", "plain"]
    return [replace(score, lead_id=name) for score, name in zip(found, names, strict=True)]


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_no_cell_is_a_formula_and_numbers_stay_numbers(scores, tmp_path):
    below = replace(scores[0], raw_score=-12.5, score=0.0, lead_id="low")
    export.write(export.table([*scores, below]), tmp_path / "scores.csv")
    rows = read(tmp_path / "scores.csv")
    ids = {row["lead_id"] for row in rows}
    assert ids == {"'=cmd|'/c calc'!A1", "'+81-3", "'-1", "'@x", "'\tx", "plain", "low"}
    assert rows[-1]["raw_score"] == "-12.5"
    assert not any(row[name].startswith(("=", "@", "\t", "+")) for row in rows for name in row)


def test_spreadsheets_read_japanese(scores, tmp_path):
    export.write(export.table(scores), tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert all("点" in row["reason_1"] for row in read(tmp_path / "scores.csv"))


def test_the_highest_score_comes_first(scores, tmp_path):
    export.write(export.table(scores), tmp_path / "scores.parquet")
    frame = pl.read_parquet(tmp_path / "scores.parquet")
    assert frame["raw_score"].is_sorted(descending=True)
    assert frame["feature_as_of"].dtype == pl.Datetime("us", "UTC")
    assert sorted(frame["lead_id"]) == sorted(score.lead_id for score in scores)
    assert frame.height == 6


def test_no_leads_give_an_empty_table(tmp_path):
    export.write(export.table([]), tmp_path / "scores.csv")
    assert read(tmp_path / "scores.csv") == []
    assert export.table([]).columns == list(export.COLUMNS)


def test_the_interval_is_two_columns_of_numbers(tmp_path):
    scores = [
        LeadScorer(market.bundle(**extras)).score(market.timeline(3), market.START + 30 * DAY)
        for extras in ({}, {"interval": market.EXTRAS["interval"]})
    ]
    frame = export.table(scores)
    assert frame.schema["interval_low"] == frame.schema["interval_high"] == pl.Float64
    assert sorted(frame["interval_low"].is_null()) == [False, True]
    assert not {"contributions", "base_note"} & set(frame.columns)


def test_a_failure_leaves_the_old_file(scores, tmp_path, monkeypatch):
    path = tmp_path / "scores.csv"
    path.write_text("old")

    def fail(*_):
        raise RuntimeError("disk full")

    monkeypatch.setattr(export, "_write_csv", fail)
    with pytest.raises(RuntimeError):
        export.write(export.table(scores), path)
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["scores.csv"]


def test_bad_places_are_refused(scores, tmp_path):
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        export.write(export.table(scores), tmp_path / "scores.xlsx")
    with pytest.raises(InputError, match="no folder"):
        export.write(export.table(scores), tmp_path / "nowhere" / "scores.csv")
