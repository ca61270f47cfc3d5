import polars as pl
import pytest

from leadlight.schema import DAY
from tests.training import audited
from training.audit import audit
from training.audit_changes import written
from training.audit_signs import of_history


def recorded(made, at):
    rows = made["leads"].select(
        "lead_id", field=pl.lit("grade"), changed_at=at, old_value=pl.lit(None, pl.String), value=pl.lit("A")
    )
    return {**made, "attribute_changes": rows}


@pytest.fixture(scope="module")
def made():
    return audited.with_column(audited.frames(), grade=pl.lit("A"))


def test_values_written_at_the_outcome_are_seen(made):
    late = recorded(made, pl.col("outcome"))
    found = written(audited.tables(late), audited.known(late))["grade"]
    assert found.after == 1.0
    assert of_history(found).verdict == "leak"
    report = audit(audited.tables(late), audited.info(grade="category"), audited.SPLIT)
    assert report.finding("grade").verdict == "leak"
    assert "first written at the outcome" in report.finding("grade").why


def test_values_written_early_are_fine(made):
    early = recorded(made, pl.col("created_at") + DAY)
    found = written(audited.tables(early), audited.known(early))["grade"]
    assert found.after == 0.0
    assert of_history(found) is None


def test_no_history_no_evidence(made):
    assert written(audited.tables(made), audited.known(made)) == {}
