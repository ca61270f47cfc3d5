"""The card of a corrected bundle: what was corrected above, the original's card below."""

from dataclasses import replace

import pytest

from leadlight.errors import WorkspaceError
from leadlight.workspace import Workspace
from scoring.scale import raw_score
from tests.training import cards
from tests.training.test_model_card import Page
from training import model_card, model_card_shift, shift_watch
from training.model_card_parts import CONTENT
from training.shift import ASSUMPTION

RECORDED = {
    "since": "2026-05-01",
    "until": "2026-06-30",
    "known_from": "2026-03-01",
    "known_until": "2026-04-30",
    "matured": 4_321,
    "before": 0.05,
    "after": 0.117,
    "low": 0.09,
    "high": 0.15,
    "error": 0.00068,
    "scores": 2_345,
    "leads": 1_234,
    "why": f"the base rate looks like 11.7 % instead of 5.0 %; correcting probabilities for it {ASSUMPTION}",
    "at": "2026-07-01T06:00:00+00:00",
}


@pytest.fixture(scope="module")
def original():
    return cards.usual()


@pytest.fixture(scope="module")
def corrected(original):
    bundle = original.bundle
    recorded = {**RECORDED, "of": bundle.version}
    return replace(
        bundle,
        version="20260701T060000-lightgbm-fedcba",
        scorer=replace(bundle.scorer, shift=0.9),
        training={**bundle.training, shift_watch.KEY: recorded},
    )


@pytest.fixture(scope="module")
def page(original, corrected):
    return Page(model_card_shift.render(corrected, model_card.render(original)))


def test_the_correction_stands_before_the_card_of_the_original(page, original, corrected):
    names = [name for name, _, _ in model_card.SECTIONS]
    sections = [found["id"] for tag, found in page.tags if tag == "section"]
    assert sections == ["correction", *names]
    assert page.links[1:] == [f"#{name}" for name in sections]
    assert len(page.ids) == len(set(page.ids))
    before = model_card.render(original)
    assert model_card_shift.render(corrected, before).endswith(before.partition(CONTENT)[2])


def test_it_says_what_was_corrected_why_and_until_when(page, corrected):
    text = page.text[: page.text.index("Everything below")]
    scorer = corrected.scorer
    points = raw_score(0.9, scorer.reference) - raw_score(0.0, scorer.reference)
    for told in (
        f"bundle {corrected.version}, corrected from 20260301T090000-lightgbm-abc123 at 2026-07-01",
        f"with +0.90 log-odds added to every lead, which is {points:+.1f} points of the score",
        "P(features | outcome) is unchanged",
        "5.0%",
        "11.7%",
        "interval 9.0% to 15.0%, 99.93 % at this look, 99 % for all looks together",
        "4,321 matured snapshots, 2026-03-01 to 2026-04-30",
        "2,345 recent snapshots of 1,234 leads, 2026-05-01 to 2026-06-30",
    ):
        assert told in text
    assert "until leadlight shift undo takes it back" in page.text
    assert "as it was trained: without this correction" in page.text


def test_a_correction_that_kept_no_error_of_its_look_is_told_as_all_looks_together(corrected):
    recorded = {name: value for name, value in corrected.training[shift_watch.KEY].items() if name != "error"}
    older = replace(corrected, training={**corrected.training, shift_watch.KEY: recorded})
    text = Page(model_card_shift.render(older, None)).text
    assert "interval 9.0% to 15.0%, 99 % for all looks together" in text


def test_the_thresholds_of_the_corrected_score_are_shown_where_there_are_some(page, original, corrected):
    told = "Thresholds of the corrected score"
    assert told in page.text
    assert told not in model_card_shift.render(replace(corrected, thresholds={}), model_card.render(original))


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "is not in this workspace"), ("<p>other</p>", "is damaged, or none"), ("", "damaged")],
)
def test_without_the_card_of_the_original_that_is_said(corrected, text, why):
    page = Page(model_card_shift.render(corrected, text))
    assert [found["id"] for tag, found in page.tags if tag == "section"] == ["correction"]
    assert why in page.text
    assert page.count("script") == 0


def test_texts_are_escaped(original, corrected):
    recorded = {**corrected.training[shift_watch.KEY], "why": cards.EVIL, "of": cards.EVIL, "at": cards.EVIL}
    evil = replace(corrected, version=cards.EVIL, training={**corrected.training, shift_watch.KEY: recorded})
    text = model_card_shift.render(evil, model_card.render(original))
    assert "<script" not in text
    assert Page(text).text.count("<script>alert('1')</script>") >= 5


def test_the_card_of_the_original_is_read_where_there_is_one(original, corrected, tmp_path):
    room = Workspace.at(tmp_path / "ws")
    path = room.model_card_path(original.bundle.version)
    assert model_card_shift.of_workspace(room, corrected) == model_card_shift.render(corrected, None)
    model_card.write(original, path)
    whole = model_card_shift.of_workspace(room, corrected)
    assert whole == model_card_shift.render(corrected, model_card.render(original))
    path.write_bytes(b"\xff\xfe")
    assert "is damaged" in model_card_shift.of_workspace(room, corrected)


def test_a_card_that_cannot_be_read_is_not_taken_for_an_absent_one(original, corrected, tmp_path):
    room = Workspace.at(tmp_path / "ws")
    room.model_card_path(original.bundle.version).mkdir(parents=True)
    with pytest.raises(WorkspaceError, match=r"abc123.html` cannot be read \(Is a directory\).*move it away"):
        model_card_shift.of_workspace(room, corrected)
