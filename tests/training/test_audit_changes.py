"""Whether a value was there before the outcome: written by it, overwritten by it, or only edited now and then."""

import numpy as np
import polars as pl
import pytest

from leadlight.schema import DAY, HOUR
from tests.training import audited
from training.audit import audit
from training.audit_changes import recorded, written
from training.audit_signs import of_history, of_overwritten

NONE = pl.lit(None, pl.String)


def changed(made, at, old=NONE, value="A"):
    """Record one change of each lead's grade."""
    rows = made["leads"].select("lead_id", field=pl.lit("grade"), changed_at=at, old_value=old, value=pl.lit(value))
    return {**made, "attribute_changes": rows}


def only(made, leads):
    """Keep the changes of some leads."""
    return {**made, "attribute_changes": made["attribute_changes"].join(leads, on="lead_id", how="semi")}


def measured(made):
    return written(audited.tables(made), audited.known(made))["grade"]


def judged(made):
    return audit(audited.tables(made), audited.info(grade="category"), audited.SPLIT).finding("grade")


def closed(made):
    return made["leads"].filter(pl.col("wins") | pl.col("loses"), pl.col("outcome") < audited.CUT)


@pytest.fixture(scope="module")
def made():
    """Give every lead an honest grade."""
    frames = audited.frames()
    drawn = np.random.default_rng(4).integers(0, 2, frames["leads"].height)
    return audited.with_column(frames, grade=pl.Series([("A", "B")[at] for at in drawn]))


def test_values_written_at_the_outcome_are_seen(made):
    late = changed(made, pl.col("outcome"))
    found = measured(late)
    assert found.after == found.changed == 1.0
    assert found.leads == closed(made).height
    assert of_history(found).verdict == "leak"
    assert judged(late).verdict == "leak"
    assert "first written at the outcome" in judged(late).why


def test_values_written_early_are_fine(made):
    early = changed(made, pl.col("created_at") + DAY)
    found = measured(early)
    assert found.after == found.changed == 0.0
    assert of_history(found) is of_overwritten(found) is None


@pytest.mark.parametrize("edited", [10, 30])
@pytest.mark.parametrize("old", [pl.lit("A"), NONE])
def test_a_few_edits_at_closing_accuse_no_honest_column(made, edited, old):
    given = only(changed(made, pl.col("outcome"), old, "B"), closed(made).sample(edited, seed=1))
    found = measured(given)
    assert found.leads == closed(made).height  # all of them have a value
    assert found.changed == pytest.approx(edited / found.leads)
    assert found.after == (0.0 if old is not NONE else found.changed)
    assert judged(given).verdict == "ok"


@pytest.mark.parametrize(("share", "expected"), [(1.0, "suspect"), (0.6, "suspect"), (0.3, "ok")])
def test_a_default_overwritten_at_closing_is_found_but_is_no_leak_by_that_alone(made, share, expected):
    given = only(changed(made, pl.col("outcome"), pl.lit("none"), "B"), closed(made).sample(fraction=share, seed=1))
    assert measured(given).after == 0.0
    finding = judged(given)
    assert finding.verdict == expected
    assert ("its value was last changed at the outcome" in finding.why) == (expected == "suspect")


def test_few_leads_prove_little(made):
    leads = closed(made).sample(24, seed=2)["lead_id"].to_list()
    grade = pl.when(pl.col("lead_id").is_in(leads)).then(pl.lit("A"))
    sparse = audited.with_column(made, grade=grade)
    half = only(changed(sparse, pl.col("outcome")), pl.DataFrame({"lead_id": leads[:14]}))
    found = measured(half)
    assert (found.leads, found.after) == (24, pytest.approx(14 / 24))
    assert found.after_least < 0.5 < found.after
    assert of_history(found).verdict == "suspect"


def test_an_empty_old_value_is_none_and_so_is_an_empty_value(made):
    assert measured(changed(made, pl.col("outcome"), pl.lit(""))).after == 1.0
    assert measured(changed(made, pl.col("outcome"), pl.lit("A"), "")).leads == 0


def test_what_is_no_number_is_no_value_of_a_number(made):
    numbers = audited.with_column(made, grade=pl.lit(1.0))
    late = changed(numbers, pl.col("outcome"), pl.lit("unknown"), "2")
    assert measured(late).after == 1.0
    same = changed(numbers, pl.col("outcome"), pl.lit("2"), "2.0")
    assert measured(same).changed == 0.0


def test_a_change_to_the_same_value_is_none(made):
    assert measured(changed(made, pl.col("outcome"), pl.lit("A"), "A")).changed == 0.0


def test_the_first_value_and_the_last_change_count(made):
    early = changed(made, pl.col("created_at") + HOUR)["attribute_changes"]
    late = changed(made, pl.col("outcome"), pl.lit("A"), "B")["attribute_changes"]
    found = measured({**made, "attribute_changes": pl.concat([late, early])})
    assert found.after < 0.01
    assert found.changed == 1.0
    cleared = changed(made, pl.col("created_at") + HOUR, pl.lit(""), "")["attribute_changes"]
    assert measured({**made, "attribute_changes": pl.concat([late.with_columns(old_value=NONE), cleared])}).after == 1.0


def test_after_the_cut_only_what_stood_before_counts(made):
    one = closed(made)["lead_id"][0]
    after = changed(made, pl.lit(audited.CUT))
    assert recorded(audited.tables(after), audited.CUT) == frozenset()
    before = only(changed(made, pl.col("outcome")), pl.DataFrame({"lead_id": [one]}))["attribute_changes"]
    others = after["attribute_changes"].filter(pl.col("lead_id") != one)
    found = measured({**made, "attribute_changes": pl.concat([before, others])})
    assert (found.leads, found.after) == (1, 1.0)


def test_no_history_no_evidence(made):
    assert written(audited.tables(made), audited.known(made)) == {}
    other = changed(made, pl.col("outcome"))["attribute_changes"].with_columns(field=pl.lit("elsewhere"))
    assert written(audited.tables({**made, "attribute_changes": other}), audited.known(made)) == {}


def test_an_honest_value_of_leads_that_are_decided_at_once_is_no_leak(made):
    """Of these the hour before the outcome is the creation, at which honest columns are written."""
    quick = made["leads"].filter(pl.col("wins") | pl.col("loses")).sample(fraction=0.7, seed=1)["lead_id"].to_list()
    soon = pl.col("created_at") + HOUR // 2
    rows = made["leads"].with_columns(
        outcome=pl.when(pl.col("lead_id").is_in(quick)).then(soon).otherwise(pl.col("outcome"))
    )
    when = rows.select("lead_id", at="outcome")
    stages = made["stages"].join(when, on="lead_id", how="left").with_columns(entered_at="at").drop("at")
    early = changed({**made, "leads": rows, "stages": stages}, pl.col("created_at"))
    found = measured(early)
    assert 0 < found.leads < 0.5 * closed(early).height
    assert found.after == found.changed == 0.0
    assert judged(early).verdict == "ok"
    late = measured(changed(early, pl.col("outcome")))
    assert late.leads == found.leads
    assert of_history(late).verdict == "leak"


def test_changes_at_one_instant_follow_each_other_as_their_rows_do(made):
    """A column that was filled and overwritten at once had no value before, in whatever order the values stand."""
    filled = changed(made, pl.col("outcome"), NONE, "z")["attribute_changes"]
    edited = changed(made, pl.col("outcome"), pl.lit("z"), "a")["attribute_changes"]
    found = measured({**made, "attribute_changes": pl.concat([filled, edited])})
    assert found.after == found.changed == 1.0
