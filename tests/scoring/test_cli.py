import csv
import json
import re
from dataclasses import replace

import polars as pl
import pytest

from leadlight import bundle as bundles
from leadlight.__main__ import main
from leadlight.instants import iso
from leadlight.schema import DAY
from tests.scoring import market
from tests.scoring.conftest import KEY
from tests.scoring.test_score import company_bundle

ALWAYS_HOT = [
    {"name": "known-size", "label": {"en": "size", "ja": "規模"}, "when": {"attribute": "employees", "at_least": 1}},
    {"name": "seen", "label": {"en": "seen", "ja": "閲覧"}, "when": {"activity": "pricing_view", "within": "7d"}},
]


def run(capsys, *words, status=0):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert left.value.code == status, said.err
    return said


def test_score_writes_a_table_and_one_json_object(workspace, leads, tmp_path, capsys):
    out = tmp_path / "scores.csv"
    said = run(capsys, "score", "--out", out, "--lang", "ja", "--workspace", workspace.root, "--json")
    summary = json.loads(said.out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    reached = sum(any(entry.stage == "sql" for entry in lead.stages) for lead in leads)
    assert summary["leads"] == len(rows) == len(leads) - reached
    assert summary["as_of"] == iso(market.START + 90 * DAY)
    assert summary["hot"] + summary["warm"] + summary["cold"] == len(rows)
    assert {"reason_1", "reason_rest", "temperature", "rule_points", "probability"} <= rows[0].keys()
    assert "点" in rows[0]["reason_1"]


def test_score_now_warns_that_the_record_ends_before(workspace, tmp_path, capsys):
    said = run(capsys, "score", "--as-of", "now", "--out", tmp_path / "s.parquet", "--workspace", workspace.root)
    assert "the record ends 2024-12-31" in said.err or "the record ends" in said.err
    assert (tmp_path / "s.parquet").exists()


def test_without_a_clock_no_instant_is_told(workspace, tmp_path, capsys):
    workspace.publish_tables(market.info(clock="order"))
    words = ("--workspace", workspace.root)
    said = run(capsys, "score", "--as-of", "now", "--out", tmp_path / "s.parquet", *words)
    assert "this data has an order but no clock: what came after its last row is not known" in said.err
    told = said.out + said.err
    told += run(capsys, "explain", "lead-3", *words).out
    told += run(capsys, "explain", "lead-3", "--as-of", "1999-01-01", *words, status=2).err
    assert "lead `lead-3` has a place in an order and no time" in told
    assert not re.search(r"\d{4}-\d\d-\d\d", told.replace(str(tmp_path), ""))


def test_without_a_bundle_the_rule_card_answers(workspace, tmp_path, capsys):
    (workspace.bundles / "current").unlink()
    out = tmp_path / "s.csv"
    said = run(capsys, "score", "--out", out, "--workspace", workspace.root, "--json")
    summary = json.loads(said.out)
    assert summary["degraded"] is True
    assert summary["score_basis"] == "rules"
    assert "the rule card `standard` answers" in said.err


def test_a_tampered_bundle_is_no_reason_to_fall_back(workspace, tmp_path, capsys):
    model = workspace.bundle_path(workspace.current_version()) / "model.txt"
    model.write_text(model.read_text() + "\n")
    said = run(capsys, "score", "--out", tmp_path / "s.csv", "--workspace", workspace.root, status=2)
    assert "was changed" in said.err
    assert not (tmp_path / "s.csv").exists()


def test_explain_adds_up(workspace, capsys):
    said = run(capsys, "explain", "lead-3", "--workspace", workspace.root, "--json")
    found = json.loads(said.out)
    points = found["base_points"] + sum(part["points"] for part in found["contributions"])
    assert points == pytest.approx(found["raw_score"], abs=1e-8)
    log_odds = found["base_log_odds"] + sum(part["log_odds"] for part in found["contributions"])
    assert log_odds == pytest.approx(found["log_odds"], abs=1e-9)
    assert sum(entry["points"] for entry in found["ledger"]) == pytest.approx(found["rule_points"])
    assert re.fullmatch(r"[A-D][1-4]", found["cell"])


def test_explain_and_score_tell_the_interval_and_a_corrected_base_rate(workspace, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    plain = json.loads(run(capsys, "explain", "lead-3", "--workspace", workspace.root, "--json").out)
    assert (plain["interval"], plain["base_note"]) == (None, None)
    made = replace(market.bundle(**market.EXTRAS), training={"shift": {"before": 0.1, "after": 0.17}})
    bundles.save(
        replace(made, version="20260103T000000Z-extras"), workspace.bundle_path("20260103T000000Z-extras"), KEY
    )
    workspace.set_current("20260103T000000Z-extras")
    found = json.loads(run(capsys, "explain", "lead-3", "--workspace", workspace.root, "--json").out)
    assert found["interval"].keys() == {"low", "high"}
    assert found["interval"]["low"] <= found["probability"] <= found["interval"]["high"]
    assert found["base_note"] == "the base rate was corrected from 10 % to 17 %"
    assert "calibration" in {part["name"] for part in found["contributions"]}
    log_odds = found["base_log_odds"] + sum(part["log_odds"] for part in found["contributions"])
    assert log_odds == pytest.approx(found["log_odds"], abs=1e-9)
    run(capsys, "score", "--out", tmp_path / "s.csv", "--workspace", workspace.root)
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["lead_id"]: row for row in csv.DictReader(file)}
    assert all(float(row["interval_low"]) <= float(row["interval_high"]) for row in rows.values())
    if "lead-3" in rows:
        assert float(rows["lead-3"]["interval_low"]) == pytest.approx(found["interval"]["low"], abs=1e-9)
    said = run(capsys, "explain", "lead-3", "--lang", "ja", "--workspace", workspace.root).out
    assert "10 %から17 %に補正済み" in said


@pytest.mark.parametrize(("lang", "words"), [("en", ["raw score", "Ledger"]), ("ja", ["スコア履歴", "基準点"])])
def test_explain_for_people(workspace, capsys, lang, words):
    said = run(
        capsys,
        "explain",
        "lead-3",
        "--as-of",
        iso(market.START + 40 * DAY),
        "--lang",
        lang,
        "--workspace",
        workspace.root,
    )
    assert all(word in said.out for word in words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("explain", "nobody"), "`nobody` is not known"),
        (("explain", "lead-3", "--as-of", "1999-01-01"), "choose a later --as-of"),
        (("explain", "lead-3", "--as-of", "soon"), "--as-of `soon`"),
        (("score", "--out", "x.xlsx"), ".csv or .parquet"),
        (("score", "--out", "x.csv", "--bundle", "none"), "bundle `none` is not in"),
        (("thresholds", "recommend", "--target-rate", "half"), "such as 0.30:0.50"),
        (("thresholds", "recommend", "--capacity", "40"), "such as 40/week"),
        (("thresholds", "recommend", "--current", "nan"), "must be a number"),
        (("thresholds", "recommend", "--from", "2099-01-01"), "nothing is recorded"),
    ],
)
def test_bad_input_is_one_clear_line(workspace, capsys, words, message):
    said = run(capsys, *words, "--workspace", workspace.root, status=2)
    assert message in said.err
    assert said.err.startswith("error: ") or "\nerror: " in said.err
    assert "Traceback" not in said.err
    assert not workspace.reports.exists()


def test_recommend_writes_what_it_says(workspace, capsys):
    words = ("thresholds", "recommend", "--target-rate", "0.1:0.9", "--capacity", "40/week", "--current", "60")
    said = run(capsys, *words, "--workspace", workspace.root, "--json")
    answer = json.loads(said.out)
    report = json.loads((workspace.reports / "thresholds.json").read_text(encoding="utf-8"))
    for basis in ("model", "rules"):
        found = answer[basis]
        keys = {"value", "mqls_per_week", "sql_rate", "low", "high", "wins_share", "binding", "reason", "change"}
        assert keys <= found.keys()
        assert found["value"] in [row["threshold"] for row in report[basis]["rows"]]
        assert found["change"]["current"] == 60
        assert report[basis]["from"] == iso(market.START + 5 * DAY)
    assert (workspace.reports / "thresholds.png").read_bytes().startswith(b"\x89PNG")
    assert "lead-" not in (workspace.reports / "thresholds.json").read_text(encoding="utf-8")


def test_recommend_for_people(workspace, capsys):
    said = run(capsys, "thresholds", "recommend", "--lang", "ja", "--workspace", workspace.root)
    assert "閾値" in said.out
    assert "thresholds.html" in said.out


def test_recommend_without_a_cut_asks_for_one(workspace, capsys):
    from leadlight import bundle as bundles

    made = market.bundle("rules")
    bundles.save(made, workspace.bundle_path(made.version), b"a key for tests only")
    words = ("thresholds", "recommend", "--bundle", made.version, "--workspace", workspace.root)
    assert "give --from DATE" in run(capsys, *words, status=2).err
    assert run(capsys, *words, "--from", iso(market.START + 10 * DAY)).out


def test_explain_and_score_see_the_same_colleagues(workspace, tmp_path, capsys):
    leads = pl.read_parquet(workspace.table_path("leads", "g1"))
    accounts = pl.int_range(pl.len()).floordiv(4).cast(pl.String).alias("account_id")
    leads.with_columns(accounts).write_parquet(workspace.table_path("leads", "g1"))
    made = company_bundle()
    bundles.save(
        replace(made, version="20260102T000000Z-company"), workspace.bundle_path("20260102T000000Z-company"), KEY
    )
    workspace.set_current("20260102T000000Z-company")
    out = tmp_path / "scores.csv"
    run(capsys, "score", "--out", out, "--workspace", workspace.root, "--json")
    with out.open(encoding="utf-8-sig", newline="") as file:
        scores = {row["lead_id"]: float(row["probability"]) for row in csv.DictReader(file)}
    for lead_id in list(scores)[:5]:
        found = json.loads(run(capsys, "explain", lead_id, "--workspace", workspace.root, "--json").out)
        assert found["probability"] == pytest.approx(scores[lead_id], abs=1e-9)
        values = {part["name"]: part["value"] for part in found["contributions"]}
        assert values["colleagues"] == 3 or lead_id in {"lead-148", "lead-149"}


def with_ages(workspace, *days):
    """Let a bundle serve that was tested at these ages."""
    made = replace(market.bundle(), version="20260104T000000Z-aged", training={"ages_us": [day * DAY for day in days]})
    bundles.save(made, workspace.bundle_path(made.version), KEY)
    workspace.set_current(made.version)


def test_leads_older_than_what_was_tested_are_told(workspace, tmp_path, capsys):
    """All leads are created at once, 90 days and an hour before the end of the record."""
    words = ("--workspace", workspace.root, "--json")
    with_ages(workspace, 1, 60)
    said = run(capsys, "score", "--out", tmp_path / "s.csv", *words)
    summary = json.loads(said.out)
    assert (summary["older_leads"], summary["oldest_age_days"]) == (summary["leads"], 60)
    assert f"{summary['leads']} of {summary['leads']} scored leads are older than the oldest age" in said.err
    assert "train with older ages (--ages)" in said.err
    young = run(capsys, "score", "--out", tmp_path / "s.csv", "--as-of", iso(market.START + 59 * DAY), *words)
    assert json.loads(young.out)["older_leads"] == 0
    assert "older than" not in young.err


def test_explain_tells_a_lead_older_than_what_was_tested(workspace, capsys):
    words = ("explain", "lead-3", "--workspace", workspace.root)
    with_ages(workspace, 1, 60)
    assert "oldest age that was learnt and tested (60d)" in json.loads(run(capsys, *words, "--json").out)["age_note"]
    assert "this lead is older than" in run(capsys, *words).out
    assert "未検証" in run(capsys, *words, "--lang", "ja").out
    young = run(capsys, *words, "--as-of", iso(market.START + 59 * DAY), "--json")
    assert json.loads(young.out)["age_note"] is None


def test_hot_by_the_card_is_counted_apart(workspace, tmp_path, capsys):
    """No score reaches this level of hot, so whoever is hot is so by the card."""
    made = replace(market.bundle(), version="20260105T000000Z-levels", thresholds={"temperature": {"hot": 900}})
    made = replace(made, scorer=replace(made.scorer, card={**made.scorer.card, "hot_when": ALWAYS_HOT}))
    bundles.save(made, workspace.bundle_path(made.version), KEY)
    workspace.set_current(made.version)
    words = ("score", "--out", tmp_path / "s.csv", "--workspace", workspace.root)
    summary = json.loads(run(capsys, *words, "--json").out)
    assert summary["hot_by_card"] == summary["hot"] > 0
    named = "`known-size` or `seen` (last 7d)"
    assert f"{summary['hot']} hot ({summary['hot']} by {named} of the card, whatever" in run(capsys, *words).out


def test_a_table_without_a_lead_is_told(workspace, tmp_path, capsys):
    words = ("score", "--as-of", "1999-01-01", "--out", tmp_path / "s.csv", "--workspace", workspace.root)
    said = run(capsys, *words)
    assert "no lead of the record is open for `sql` at 1999-01-01: the table is empty" in said.err
