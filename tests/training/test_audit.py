"""The audit as a whole: what is accused, what is not, and that names and the test side play no part."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from leadlight.errors import InputError, NotEnoughDataError
from leadlight.workspace import Attribute
from tests.training import audited
from training.audit import ALL, NOTHING, ROWS, audit


@pytest.fixture(scope="module")
def made():
    return audited.frames()


def leaky(made):
    """Add a field that is filled after winning, a status, and the date of the outcome."""
    closed = pl.col("wins") | pl.col("loses")
    return audited.with_column(
        made,
        package=pl.when("wins").then(pl.lit("large")),
        status=pl.when("wins")
        .then(pl.lit("client"))
        .when("loses")
        .then(pl.lit("former"))
        .otherwise(pl.lit("prospect")),
        ended=pl.when(closed).then(pl.col("outcome").cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")),
    )


KINDS = {"interest": "number", "industry": "category"}
LEAKS = {"package": "category", "status": "category", "ended": "category"}


def run(made, info=None, split=audited.SPLIT):
    return audit(audited.tables(made), info or audited.info(**KINDS), split)


def test_a_clean_market_gives_no_alarm(made):
    found = run(made)
    assert [one.name for one in found.findings if one.verdict != "ok"] == []
    assert {one.kind for one in found.findings} == {"attribute", "type", "order", "model"}
    assert found.problems() == ()
    assert found.unresolved() == ()


def test_leaks_are_found_and_named_in_a_sentence(made):
    found = run(leaky(made), audited.info(**KINDS, **LEAKS))
    assert {name: found.finding(name).verdict for name in LEAKS} == dict.fromkeys(LEAKS, "leak")
    assert found.finding("interest").verdict == "ok"
    assert found.dropped("attribute") == ("ended", "package", "status")
    assert "filled" in found.finding("package").why
    assert found.finding("package").evidence["filled_open"] < 0.05
    assert found.findings[0].verdict == "leak"


def test_verdicts_do_not_depend_on_names(made):
    given = leaky(made)
    columns = {**KINDS, **LEAKS}
    names = {name: f"column {at}" for at, name in enumerate(columns)}
    renamed = {**given, "leads": given["leads"].rename(names)}
    one = run(given, audited.info(**columns))
    other = run(renamed, audited.info(**{names[name]: kind for name, kind in columns.items()}))
    for name in columns:
        first, second = one.finding(name), other.finding(names[name])
        assert (first.verdict, first.why, first.evidence) == (second.verdict, second.why, second.evidence)


def test_nothing_at_or_after_the_cut_is_looked_at(made):
    given = leaky(made)
    later = pl.col("created_at") >= audited.CUT
    other = {
        **given,
        "leads": given["leads"].with_columns(
            pl.when(later).then(pl.lit("large")).otherwise("package").alias("package")
        ),
        "stages": given["stages"].filter(pl.col("entered_at") < audited.CUT),
        "activities": given["activities"].filter(pl.col("occurred_at") < audited.CUT),
    }
    info = audited.info(**KINDS, **LEAKS)
    assert run(given, info) == run(other, info)


def test_a_declaration_overrides_the_numbers_and_shows_them(made):
    info = audited.info(**KINDS, **LEAKS)
    declared = replace(info, attributes=tuple(replace(one, known_at="creation") for one in info.attributes))
    found = run(leaky(made), declared).finding("status")
    assert (found.verdict, found.suggested, found.declared) == ("ok", "leak", "creation")
    assert "declared known at creation, though the numbers suggest a leak" in found.why


def declared(info, name, known_at):
    changed = (replace(one, known_at=known_at) if one.name == name else one for one in info.attributes)
    return replace(info, attributes=tuple(changed))


def test_changes_without_a_recorded_change_declare_nothing(made):
    info = declared(audited.info(**KINDS, **LEAKS), "status", "changes")
    found = run(leaky(made), info).finding("status")
    assert (found.verdict, found.declared) == ("leak", "changes")
    assert found.why.startswith("declared `known_at: changes`, but no change of it is recorded before the cut: ")
    lead = made["leads"]["lead_id"][0]
    late, early = (
        pl.DataFrame({"lead_id": [lead], "field": ["status"], "changed_at": [at], "old_value": ["a"], "value": ["b"]})
        for at in (audited.CUT, audited.CUT - 1)
    )
    assert run({**leaky(made), "attribute_changes": late}, info).finding("status").verdict == "leak"
    kept = run({**leaky(made), "attribute_changes": early}, info).finding("status")
    assert kept.verdict == "ok"
    assert "declared followed by its recorded changes, though the numbers suggest a leak" in kept.why


def test_what_nobody_declares_and_nothing_speaks_against_is_taken_as_known_at_creation(made):
    found = run(made).finding("industry")
    assert (found.verdict, found.declared) == ("ok", "unknown")
    assert found.why == "nothing speaks against it; it is taken as known at creation"


def test_a_total_too_good_to_be_true_cannot_be_resolved(made):
    info = audited.info(**KINDS, **LEAKS)
    declared = replace(info, attributes=tuple(replace(one, known_at="creation") for one in info.attributes))
    found = run(leaky(made), declared)
    assert [one.name for one in found.unresolved()] == [ALL]
    assert run(made).with_model(0.97).unresolved()[0].kind == "model"
    assert run(made).with_model(0.80).unresolved() == ()
    assert run(made).with_model(None) == run(made)


def test_customers_first_in_the_export_are_noticed(made):
    first = {**made, "leads": made["leads"].sort(~pl.col("wins"), maintain_order=True)}
    found = run(first)
    assert found.finding(ROWS, "order").verdict == "leak"
    assert found.unresolved() == ()  # nothing reads the order of rows
    assert [one.name for one in found.problems()] == [ROWS]


def test_an_order_that_is_the_clock_cannot_be_left_out(made):
    first = made["leads"].sort(~pl.col("wins"), maintain_order=True)
    ranked = first.with_columns(created_at=pl.int_range(pl.len()) * 60_000_000)
    entered = ranked.filter("wins").select("lead_id", entered_at=pl.col("created_at") + 1_000_000)
    stages = made["stages"].drop("entered_at").join(entered, on="lead_id").select(made["stages"].columns)
    given = {**made, "leads": ranked, "stages": stages, "activities": made["activities"].clear()}
    split = replace(audited.SPLIT, horizon_us=None, cut=2_100 * 60_000_000, until=3_001 * 60_000_000)
    info = replace(audited.info(**KINDS), clock="order")
    found = audit(audited.tables(given), info, split)
    assert [one.name for one in found.unresolved()] == [ROWS]


def test_the_same_seed_gives_the_same_report(made):
    assert run(made).to_json() == run(made).to_json()


def test_the_report_is_json_with_what_was_allowed(made):
    answer = run(leaky(made), audited.info(**KINDS, **LEAKS)).to_json({"interest": "asked in the form"})
    assert answer["dropped_attributes"] == ["ended", "package", "status"]
    assert answer["allowed"] == {"interest": "asked in the form"}
    assert answer["unresolved"] == []


def test_an_unknown_name_is_refused(made):
    with pytest.raises(InputError, match="did you mean `interest`"):
        run(made).finding("interests")


def test_without_outcomes_undeclared_columns_stay_out(made):
    found = run({**made, "stages": made["stages"].clear()})
    assert {one.verdict for one in found.findings if one.kind == "attribute"} == {"suspect"}
    assert "nothing can be said" in found.finding("interest").why
    declared = replace(audited.info(), attributes=(Attribute("interest", "number", "creation"),))
    assert run({**made, "stages": made["stages"].clear()}, declared).finding("interest").verdict == "ok"


def with_outcomes(made, wins, loses):
    """Keep so many wins and lost leads, the earliest ones."""
    stages = made["stages"].sort("entered_at")
    kept = [
        stages.filter(pl.col("stage") == stage).head(count) for stage, count in (("customer", wins), ("lost", loses))
    ]
    return {**made, "stages": pl.concat(kept)}


def why(found, kind):
    return {one.why for one in found.findings if one.kind == kind}


def test_without_outcomes_nothing_is_said_of_types(made):
    found = run(with_outcomes(made, 0, 0))
    (told,) = why(found, "type")
    assert told == "nothing can be said of it: 0 leads were won or lost more than three days after their creation"
    assert found.dropped("type") == ()
    assert why(run(made), "type") == {NOTHING}


def test_what_few_wins_cannot_tell_is_not_claimed(made):
    found = run(with_outcomes(made, 3, 100))
    said = (
        f"{NOTHING}, but who wins could not be asked: 3 leads were won, 100 lost and {found.open:,} open before the cut"
    )
    assert why(found, "order") == {said}
    assert why(found, "attribute") == {f"{said}; it is taken as known at creation"}
    assert why(run(with_outcomes(made, 100, 0)), "order") == {NOTHING}


def test_where_all_leads_won_it_is_not_said_that_few_did(made):
    everyone = made["leads"].select(
        "lead_id",
        stage=pl.lit("customer"),
        entered_at="created_at",
        reason=pl.lit(None, pl.String),
        amount=pl.lit(None, pl.Float64),
    )
    found = run({**made, "stages": everyone})
    assert found.open == found.lost == 0
    assert (
        f"nothing can be said of it: {found.won:,} leads were won, 0 lost and 0 open" in found.finding("interest").why
    )
    assert "only" not in found.finding("interest").why


def test_one_class_is_no_error(made):
    everyone = made["leads"].select(
        "lead_id",
        stage=pl.lit("customer"),
        entered_at=pl.col("created_at") + 1,
        reason=pl.lit(None, pl.String),
        amount=pl.lit(None, pl.Float64),
    )
    found = run({**made, "stages": everyone})
    assert found.won == found.leads
    assert found.finding("interest").verdict == "suspect"


def test_no_lead_before_the_cut_is_an_error(made):
    with pytest.raises(NotEnoughDataError, match="nothing to audit"):
        run(made, split=replace(audited.SPLIT, cut=audited.START))


def test_columns_without_meaning_are_fine(made):
    random = np.random.default_rng(0)
    n = made["leads"].height
    odd = audited.with_column(
        made,
        constant=pl.lit(1.0),
        void=pl.lit(None, pl.Float64),
        nothing=pl.lit(None, pl.String),
        many=pl.Series([f"v{at}" for at in random.integers(0, 1_000, n)]),
        endless=pl.Series(np.where(random.random(n) < 0.1, np.inf, random.normal(size=n))),
        nan=pl.lit(float("nan")),
    )
    kinds = {"constant": "number", "void": "number", "nothing": "category", "many": "category"}
    found = run(odd, audited.info(**kinds, endless="number", nan="number"))
    assert {one.verdict for one in found.findings} == {"ok"}


def test_ten_thousand_categories_rank_no_better_than_chance():
    made = audited.frames(leads=20_000)
    random = np.random.default_rng(1)
    values = pl.Series([f"v{at}" for at in random.integers(0, 10_000, made["leads"].height)])
    found = run(audited.with_column(made, many=values), audited.info(many="category")).finding("many")
    assert found.verdict == "ok"
    assert abs(found.evidence["auc_won"] - 0.5) < 0.03
