import re

import pytest

from rules import ledger, parse
from scoring import show
from scoring.score import LeadScorer
from scoring.thresholds import recommend
from tests.scoring import market
from tests.scoring.test_report import CURVES

AS_OF = market.START + 40 * market.DAY


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    "bundle",
    [None, market.bundle(), market.bundle("scorecard", **market.EXTRAS)],
    ids=["card", "model", "scorecard with interval"],
)
def test_an_explanation_shows_parts_base_and_ledger(capsys, monkeypatch, lang, bundle):
    monkeypatch.setenv("COLUMNS", "200")
    lead = market.timeline(3)
    found = LeadScorer(bundle).score(lead, AS_OF, lang=lang, explain=True)
    entries = ledger.ledger(parse.builtin("standard"), lead, AS_OF)
    show.show_explanation(found, entries, lang)
    said = capsys.readouterr().out
    listed = said.partition(show.TEXTS["ledger"][lang == "ja"])[0]
    counted = {part.text[:20] for part in found.contributions if part.points}
    for part in found.contributions:
        assert (part.text[:20] in listed) == (part.text[:20] in counted)
    assert show.TEXTS["base"][lang == "ja"] in said
    assert (show.TEXTS["interval"][lang == "ja"] in said) == (found.interval_low is not None)
    assert found.base_note is None or found.base_note in said
    assert all((entry.label_ja if lang == "ja" else entry.label_en)[:10] in said for entry in entries)


@pytest.mark.parametrize(("lang", "words"), [("en", "(no clock, "), ("ja", "(日時なし, ")])
def test_without_a_clock_no_instant_is_shown(capsys, monkeypatch, lang, words):
    monkeypatch.setenv("COLUMNS", "200")
    lead = market.timeline(3)
    found = LeadScorer(None).score(lead, AS_OF, lang=lang, explain=True)
    entries = ledger.ledger(parse.builtin("standard"), lead, AS_OF)
    show.show_explanation(found, entries, lang, timed=False)
    said = capsys.readouterr().out
    assert entries
    assert words in said
    assert not re.search(r"\d{4}-\d\d-\d\d", said)


def test_text_of_the_user_is_no_markup(capsys):
    lead = market.timeline(3)
    object.__setattr__(lead, "lead_id", "[bold]x[/bold]")
    show.show_explanation(LeadScorer(None).score(lead, AS_OF, explain=True), (), "en")
    assert "[bold]x[/bold]" in capsys.readouterr().out


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_curve_shows_what_is_recommended(capsys, monkeypatch, lang):
    monkeypatch.setenv("COLUMNS", "200")
    found = recommend(CURVES["model"], 0.3, 0.5, 35, lang=lang)
    show.show_curve("model", CURVES["model"], found, lang)
    said = capsys.readouterr().out
    assert ("60 推奨" if lang == "ja" else "60 recommended") in said
    assert found.reason[:30] in said
