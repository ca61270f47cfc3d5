"""What leaks reaches no score through the rule card: from the audit to the bundle, and to what serves by it."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features import tables as tables_of
from features.tables import timelines
from leadlight.__main__ import main
from leadlight.schema import DAY
from leadlight.timeline import Timeline
from leadlight.workspace import Attribute
from rules import parse
from rules.ledger import ledger
from scoring import chosen
from scoring.batch import score_snapshots
from scoring.score import LeadScorer
from tests.rules import made
from tests.training import cards, market
from tests.training.conftest import QUICK
from tests.training.test_audit_gate import FOUND
from training import audit_card, evaluate, pipeline
from training import model_card_origin as origin

WON = {"attribute": "package", "known": True}
SIGNED = {"activity": "contract_signed", "points": 30}
HONEST = {"activity": "pricing_view", "points": 10, "cap": 40}
BY_SIZE = {"when": {"attribute": "later", "at_least": 1}, "points": 20}


def test_leaks_and_suspects_are_left_out_and_the_reason_is_one_sentence():
    card = made.card(
        behaviour=[{"activity": ["call", "contract_sent"], "points": 5}],
        fit=[
            {"when": {"attribute": "status", "known": True}, "points": 5},
            {"when": {"attribute": "budget", "at_least": 5}, "points": 5},
            {"when": {"attribute": "industry", "known": True}, "points": 5},
        ],
        exclude=[{"when": {"attribute": "status", "one_of": ["lost"]}}],
    )
    left, out = audit_card.reduced(card, FOUND)
    assert [rule.name for rule in left.fit] == ["fit-2"]
    assert (left.behaviour[0].activity, left.exclude) == (("call",), ())
    leak = "is left out: it reads `status`, which is a leak (it is the outcome)"
    assert [one.why.replace(" of the card", "") for one in out] == [
        "rule `behaviour-0` counts other activities only: it reads `contract_sent`, which is a leak (at the outcome)",
        f"rule `fit-0` {leak}",
        "rule `fit-1` is left out: it reads `budget`, which is suspect and not allowed (it may be)",
        f"condition to be excluded `exclude-0` {leak}",
    ]
    allowed, _ = audit_card.reduced(card, FOUND, {"budget": "asked in the first call"})
    assert [rule.name for rule in allowed.fit] == ["fit-1", "fit-2"]


def test_rules_stay_where_nothing_can_be_said_of_what_they_read():
    findings = tuple(replace(one, suggested="ok") if one.verdict == "suspect" else one for one in FOUND.findings)
    card = made.card(fit=[{"when": {"attribute": "budget", "at_least": 5}, "points": 5}])
    assert audit_card.reduced(card, replace(FOUND, findings=findings)) == (card, ())


def planted():
    """Give a market in which the winners have a `package`, and sign a contract at the very instant of it."""
    frames = market.frames()
    won = frames["stages"].filter(pl.col("stage") == "sql")
    leads = frames["leads"].with_columns(
        package=pl.when(pl.col("lead_id").is_in(won["lead_id"].implode())).then(pl.lit("large"))
    )
    signed = won.select(
        "lead_id",
        activity_id=pl.col("lead_id") + "-signed",
        type=pl.lit("contract_signed"),
        occurred_at=pl.col("entered_at") + 1_000_000,
        actor=pl.lit("lead"),
    )
    return frames | {"leads": leads, "activities": pl.concat([frames["activities"], signed], how="diagonal_relaxed")}


def room_of(root):
    known = market.info()
    attributes = (*known.attributes, Attribute("package", "category", "unknown"))
    return market.publish(root / "ws", planted(), replace(known, attributes=attributes))


def trained_by(room, card, rung="rules", **changes):
    return pipeline.train(
        room, market.options(rung=rung, trials=1, features=market.FEW_FEATURES, card=card, **changes)
    ).bundle


WHOLE = made.card(behaviour=[HONEST, SIGNED], fit=[{"when": WON, "points": 40}, BY_SIZE])


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    """Train a model over a card of which every rule but one reads a leak or a suspect."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLIGHT_SIGNING_KEY", market.KEY)
        patch.setattr(evaluate, "compare", QUICK)
        room = room_of(tmp_path_factory.mktemp("leaking"))
        return room, trained_by(room, WHOLE, rung="model")


def without_what_leaks(record: Timeline) -> Timeline:
    kept = np.flatnonzero(record.activities.type != "contract_signed")
    attributes = record.attributes | {"package": None, "later": 99.0}
    return replace(record, attributes=attributes, activities=record.activities.take(kept))


def test_the_bundle_records_what_was_left_out_and_carries_the_card_without_it(leaking):
    room, bundle = leaking
    served = chosen.load(room, bundle.version)
    entries = {entry["name"]: entry for entry in served.training[audit_card.KEY]}
    assert set(entries) == {"behaviour-1", "fit-0", "fit-1"}
    assert entries["fit-0"]["attributes"] == ["package"]
    assert "`contract_signed`, which is a leak" in entries["behaviour-1"]["why"]
    assert "`package`, which is a leak" in entries["fit-0"]["why"]
    assert "`later`, which is suspect and not allowed" in entries["fit-1"]["why"]
    assert audit_card.told(served) == tuple(entry["why"] for entry in entries.values())
    card = LeadScorer(served).card
    assert (card.behaviour, card.fit) == (WHOLE.behaviour[:1], ())


def test_no_score_changes_with_what_leaks_in_a_batch_or_alone(leaking):
    room, bundle = leaking
    scorer, until = LeadScorer(bundle), market.START + market.DAYS * DAY
    tables = tables_of.read(room)
    found = [one for one in timelines(tables).values() if one.attributes["package"]][:60]
    alone = [scorer.score(one, until, scored_at=0, explain=True) for one in found]
    assert alone == [scorer.score(without_what_leaks(one), until, scored_at=0, explain=True) for one in found]
    assert len({one.rule_points for one in alone}) > 1
    rows = pl.DataFrame({"lead_id": [one.lead_id for one in found], "as_of": [until] * len(found)})
    together = score_snapshots(tables, rows, bundle)
    assert together["log_odds"].to_list() == pytest.approx([one.log_odds for one in alone], abs=1e-9)
    assert together["rule_points"].to_list() == [one.rule_points for one in alone]
    changed = [without_what_leaks(one) for one in found]
    asked = replace(tables, leads=tables.leads.with_columns(package=pl.lit(None, pl.String), later=pl.lit(99.0)))
    asked = replace(asked, activities=asked.activities.filter(pl.col("type") != "contract_signed"))
    assert score_snapshots(asked, rows, bundle).equals(together)
    whole = LeadScorer(replace(bundle, scorer=replace(bundle.scorer, card=parse.to_json(WHOLE))))
    assert [whole.score(one, until).score for one in found] != [whole.score(one, until).score for one in changed]


def test_an_allowed_suspect_stays_on_the_card_and_counts(leaking):
    bundle = trained_by(leaking[0], WHOLE, allow={"later": "asked by the form"})
    assert [entry["name"] for entry in bundle.training[audit_card.KEY]] == ["behaviour-1", "fit-0"]
    scorer, until = LeadScorer(bundle), market.START + market.DAYS * DAY
    one = next(iter(timelines(tables_of.read(leaking[0])).values()))
    low, high = (replace(one, attributes=one.attributes | {"later": value}) for value in (0.0, 5.0))
    assert scorer.score(high, until).rule_points == scorer.score(low, until).rule_points + 20
    assert scorer.score(high, until).score > scorer.score(low, until).score


@pytest.mark.parametrize(("rung", "kind"), [("prior", "base_rate"), ("rules", "base_rate"), ("model", "lightgbm")])
def test_where_nothing_of_the_card_is_left_every_lead_has_no_points_and_that_is_said(leaking, rung, kind):
    room, _ = leaking
    card = made.card(
        behaviour=[SIGNED], fit=[{"when": WON, "points": 40}], rule_prior={"probability": 0.3, "doubling": 9}
    )
    bundle = trained_by(room, card, rung=rung)
    assert (bundle.scorer.kind, bundle.scorer.rule_b) == (kind, 0.0)
    assert audit_card.told(bundle)[-1] == (
        "no rule of the card `made` is left: every lead has 0 points, and the rules are the base rate"
    )
    served = LeadScorer(chosen.load(room, bundle.version))
    one = next(iter(timelines(tables_of.read(room)).values()))
    answer = served.score(one, market.START + market.DAYS * DAY, explain=True)
    assert (answer.rule_points, answer.degraded) == (0.0, False)
    assert ledger(served.card, one, market.START + market.DAYS * DAY) == ()


def test_where_nothing_leaks_the_card_stays_as_it_is(first):
    _, trained = first
    assert trained.bundle.training[audit_card.KEY] == []
    assert audit_card.told(trained.bundle) == ()
    assert parse.from_json(dict(trained.bundle.scorer.card)) == parse.builtin("standard")


def test_the_model_card_says_it(leaking):
    usual = cards.usual()
    assert "of the card is left out" not in origin.audit(usual)
    page = origin.audit(replace(usual, bundle=replace(usual.bundle, training=leaking[1].training)))
    assert "<code>fit-0</code> of the card is left out: it reads <code>package</code>, which is a leak" in page
    assert "are those of the card without them" in page
    room, bundle = leaking
    assert "which is a leak" in room.model_card_path(bundle.version).read_text(encoding="utf-8")


def test_the_command_line_says_it_and_the_file_stays_as_it_was(leaking, tmp_path, capsys):
    path = tmp_path / "card.yaml"
    path.write_text(json.dumps(parse.to_json(WHOLE)), encoding="utf-8")
    before = path.read_bytes()
    room = str(leaking[0].root)
    asked = ["--card", str(path), "--target", "sql", "--horizon", "30d", "--test-from", "70%", "--workspace", room]
    with pytest.raises(SystemExit) as left:
        main(["audit", *asked, "--json"])
    assert left.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert {"behaviour-1", "fit-0"} <= {entry["name"] for entry in found["rules_left_out"]}
    with pytest.raises(SystemExit) as left:
        main(["audit", *asked])
    said = " ".join(capsys.readouterr().out.split())
    assert "rule `fit-0` of the card is left out: it reads `package`, which is a leak" in said
    with pytest.raises(SystemExit) as left:
        main(["train", *asked, "--rung", "rules", "--ages", "1d,7d", "--no-track"])
    assert left.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "note: rule `fit-0` of the card is left out: it reads `package`, which is a leak" in said
    assert path.read_bytes() == before
