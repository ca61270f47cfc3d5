"""Segments at one age, a row per lead."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight import metrics
from leadlight.schema import DAY
from tests.training import cards
from training import model_card_use as use
from training import segments
from training.reliability import MISSING, OTHERS


@pytest.fixture(scope="module")
def made():
    return cards.card(1_200)


def split_by(made, **changes):
    given = {"test": made.test, "X": made.X, "specs": made.specs, "seed": 0} | changes
    return segments.segmentations(**given)


def test_stage_and_categories_are_told_at_the_age_with_most_positives(made):
    found = split_by(made)
    assert [one.attribute for one in found] == ["stage", "industry"]
    age = segments.main_age(made.test)
    assert {one.age_us for one in found} == {age}
    rows = made.test.filter(pl.col("age") == age)
    for one in found:
        assert sum(segment.part.rows for segment in one.segments) == rows.height
        assert sum(segment.part.positives for segment in one.segments) == rows["label"].sum()
    assert {segment.name for segment in found[1].segments} == {"retail", "mining", "other", MISSING}


def test_categories_without_a_row_are_named_and_told_on_the_card(made):
    assert [one.unsettled for one in split_by(made)] == [(), ()]
    X = made.X.copy()
    X[X[:, 2] == 1, 2] = 0
    assert [one.unsettled for one in split_by(made, X=X)] == [(), ("mining",)]
    told = "No settled leads yet among the test rows: <code>mining</code>."
    assert told in use.segments(replace(made, X=X))
    assert "No settled leads" not in use.segments(made)


def test_a_segment_has_its_own_auc(made):
    stage = split_by(made)[0].segments[0]
    rows = made.test.filter(pl.col("age") == segments.main_age(made.test), pl.col("stage") == stage.name)
    y = rows["label"].to_numpy()
    assert stage.auc == metrics.auc(y, rows["model"].to_numpy())
    assert stage.auc_rules == metrics.auc(y, rows["rules"].to_numpy())
    assert stage.judged


def test_the_age_with_most_positives_of_equals_the_youngest():
    rows = pl.DataFrame({"age": [DAY, 7 * DAY, 7 * DAY], "label": [1.0, 1.0, 0.0]})
    assert segments.main_age(rows) == DAY
    assert segments.main_age(rows.with_columns(label=pl.Series([0.0, 1.0, 0.0]))) == 7 * DAY


def test_rare_values_are_joined_and_judged_together(made):
    specs = (
        *cards.SPECS[:2],
        segments.FeatureSpec("c", "fit", "category", attribute="c", categories=tuple("abcdefghijklmnopq")),
    )
    X = made.X.copy()
    X[:, 2] = np.arange(len(X)) // 2 % 17
    found = split_by(made, X=X, specs=specs)[1]
    assert found.segments[-1].name == OTHERS
    assert sum(segment.part.rows for segment in found.segments) == 600
    assert not found.segments[0].judged


def test_what_does_not_split_is_left_out(made):
    assert (
        split_by(made, test=made.test.with_columns(stage=pl.lit("lead")), specs=cards.SPECS[:2], X=made.X[:, :2]) == []
    )
    assert split_by(made, test=made.test.clear(), X=made.X[:0]) == []


def test_very_many_rows_are_sampled(made, monkeypatch):
    monkeypatch.setattr(segments, "MOST_ROWS", 100)
    assert sum(segment.part.rows for segment in split_by(made)[0].segments) == 100
