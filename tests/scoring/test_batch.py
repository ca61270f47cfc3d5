import json
import math

import polars as pl
import pytest

from leadlight.errors import InputError
from leadlight.schema import DAY
from scoring import batch
from scoring.score import LeadScorer
from tests.scoring import market

START = market.START


def some_leads(n: int = 60):
    leads = []
    for seed in range(n):
        stages = {}
        if seed % 3 == 0:
            stages["mql"] = 20 + seed % 17
        if seed % 6 == 0:
            stages["sql"] = 30 + seed % 29
        if seed % 11 == 1:
            stages["lost"] = 15
        leads.append(market.with_stages(market.timeline(seed), **stages))
    return leads


@pytest.mark.parametrize("extras", [{}, market.EXTRAS], ids=["plain", "extras"])
@pytest.mark.parametrize("kind", ["lightgbm", "scorecard", "rules", "base_rate"])
def test_a_batch_says_what_single_leads_say(kind, extras):
    bundle, leads = market.bundle(kind, **extras), some_leads(25)
    rows = pl.DataFrame(
        {"lead_id": [lead.lead_id for lead in leads], "as_of": [START + (7 + n) * DAY for n in range(len(leads))]}
    )
    tables, scorer = market.tables(leads), LeadScorer(bundle)
    frame = batch.score_snapshots(tables, rows, bundle)
    answers = list(batch.score_leads(tables, rows, scorer, now=0, lang="ja"))
    for lead, as_of, row, answer in zip(leads, rows["as_of"], frame.iter_rows(named=True), answers, strict=True):
        single = scorer.score(lead, as_of, lang="ja", scored_at=0)
        assert row["log_odds"] == pytest.approx(single.log_odds, abs=1e-9)
        assert row["probability"] == pytest.approx(single.probability, abs=1e-12)
        assert row["score"] == pytest.approx(single.raw_score, abs=1e-8)
        assert row["rule_points"] == pytest.approx(single.rule_points, abs=1e-9)
        assert (answer.lead_id, answer.feature_as_of) == (lead.lead_id, as_of)
        for name in ("score", "reason_1", "temperature", "interval_low", "interval_high"):
            assert getattr(answer, name) == getattr(single, name)


def test_large_batches_are_cut_and_joined(monkeypatch):
    leads, bundle = some_leads(20), market.bundle()
    rows = pl.DataFrame({"lead_id": [lead.lead_id for lead in leads], "as_of": [START + 30 * DAY] * len(leads)})
    whole = batch.score_snapshots(market.tables(leads), rows, bundle)
    monkeypatch.setattr(batch, "ROWS_AT_ONCE", 7)
    assert batch.score_snapshots(market.tables(leads), rows, bundle).equals(whole)
    assert batch.score_snapshots(market.tables(leads), rows.clear(), bundle).schema == whole.schema


def instants_of(lead, start, end):
    """All snapshots of a lead: ends of days (before the period: four weeks) with activity, ages, stage entries."""
    days = {at for at in ((int(at) // DAY + 1) * DAY for at in lead.activities.occurred_at) if at >= start}
    days |= {at for at in ((int(at) // (28 * DAY) + 1) * 28 * DAY for at in lead.activities.occurred_at) if at < start}
    ages = {at for at in (lead.created_at + days * DAY for days in (1, 3, 7, 14, 30, 60, 90)) if at >= start}
    entries = {entry.entered_at - 1 for entry in lead.stages if entry.stage != "lead"}
    return sorted(at for at in days | ages | entries if at < end)


def stage_at(lead, as_of):
    before = [entry.stage for entry in lead.stages if entry.entered_at < as_of]
    return before[-1] if before else "lead"


def sql_at(lead):
    return min((entry.entered_at for entry in lead.stages if entry.stage == "sql"), default=math.inf)


@pytest.mark.parametrize("basis", ["model", "rules"])
def test_the_curves_are_those_of_the_definition(basis):
    leads, bundle = some_leads(), market.bundle()
    start, end, horizon = START + 21 * DAY, START + 70 * DAY, 60 * DAY
    info = market.info(observed_until=START + 95 * DAY)
    found = batch.measure_thresholds(market.tables(leads), info, bundle, start, end)
    json.dumps(found, allow_nan=False)
    scorer = LeadScorer(bundle)

    def value(lead, as_of):
        score = scorer.score(lead, as_of)
        return min(max(score.raw_score, 0), 100) if basis == "model" else score.rule_points

    lives = [
        [(at, value(lead, at)) for at in instants_of(lead, start, end) if stage_at(lead, at) == "lead"]
        for lead in leads
    ]
    assert found[basis]["wins"] == sum(start <= sql_at(lead) < end for lead in leads)
    for row in found[basis]["rows"][::5]:
        crossed = [next((at for at, score in lived if score >= row["threshold"]), None) for lived in lives]
        period = [(lead, at) for lead, at in zip(leads, crossed, strict=True) if at is not None and start <= at < end]
        mature = [(lead, at) for lead, at in period if at + horizon <= info.observed_until]
        reached = [lead for lead, at in mature if at < sql_at(lead) <= at + horizon]
        caught = [
            lead for lead, at in zip(leads, crossed, strict=True) if at is not None and start <= sql_at(lead) < end
        ]
        assert row["crossings"] == len(period)
        assert row["reached"] == len(reached)
        assert row["mature"] == len(mature)
        assert row["wins_share"] == pytest.approx(len(caught) / found[basis]["wins"])


def test_without_an_mql_stage_every_open_lead_counts():
    leads = [market.with_stages(market.timeline(seed), opportunity=80) for seed in range(30)]
    leads[0] = market.with_stages(market.timeline(0), lost=88)
    bundle = market.bundle(target="customer")
    found = batch.measure_thresholds(market.tables(leads), market.info(), bundle, START + 10 * DAY, START + 89 * DAY)
    assert sum(row["crossings"] for row in found["rules"]["rows"]) > 0


def test_a_lead_that_reaches_the_target_at_once_has_reached_it():
    lead = market.with_stages(market.timeline(3), mql=30, sql=30)
    found = batch.measure_thresholds(
        market.tables([lead]), market.info(), market.bundle("rules"), START + 29 * DAY, START + 31 * DAY
    )
    lowest = found["rules"]["rows"][-1]
    assert (lowest["mature"], lowest["reached"], lowest["wins_share"]) == (1, 1, 1.0)


def test_the_period_ends_with_the_record():
    found = batch.measure_thresholds(
        market.tables(some_leads(10)), market.info(START + 40 * DAY), market.bundle(), START, START + 400 * DAY
    )
    assert found["model"]["weeks"] == pytest.approx(40 / 7)


def test_data_without_a_clock_has_no_weeks():
    found = batch.measure_thresholds(
        market.tables(some_leads(3)), market.info(clock="order"), market.bundle(), START, START + DAY
    )
    assert found["model"] is None
    assert "no clock" in found["note"]


def test_a_record_without_any_outcome_is_silent_and_gives_no_curve():
    leads = [market.with_stages(market.timeline(seed), opportunity=80) for seed in range(5)]
    asked = (market.info(), market.bundle(target="customer"), START, START + 89 * DAY)
    found = batch.measure_thresholds(market.tables(leads), *asked)
    assert (found["model"], found["rules"]) == (None, None)
    assert found["note"].startswith("no lead was ever lost or reached customer")
    leads[0] = market.with_stages(market.timeline(0), lost=88)
    assert batch.measure_thresholds(market.tables(leads), *asked)["model"]["rows"]


def test_a_period_after_the_record_is_refused():
    with pytest.raises(InputError, match="nothing is recorded"):
        batch.measure_thresholds(
            market.tables(some_leads(3)), market.info(), market.bundle(), START + 500 * DAY, START + 600 * DAY
        )


def test_a_day_on_which_only_marketing_acts_is_no_occasion_to_cross():
    lead = market.with_stages(market.timeline(3), sql=95)
    lead.activities.actor[:] = "marketing"
    found = batch.measure_thresholds(
        market.tables([lead]), market.info(START + 100 * DAY), market.bundle("rules"), START, START + 90 * DAY
    )
    crossed = sum(row["crossings"] for row in found["rules"]["rows"][-1:])
    assert crossed == 1
    period = batch._period(
        market.tables([lead]), market.bundle().scorer, market.info().observed_until, START, START + 90 * DAY
    )
    ages = {lead.created_at + days * DAY for days in (1, 3, 7, 14, 30, 60, 90)}
    assert set(period.rows["as_of"]) <= ages
