"""The page as a whole: well formed, escaped, the same for the same input, and honest where parts are missing."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from leadlight.errors import BundleMissingError, InputError, WorkspaceError
from tests.training import cards
from training import model_card
from training.model_card_parts import POLICY

VOID = {"meta", "br", "link", "img", "path", "rect"}


class Page(HTMLParser):
    """Read a page: its tags must nest, ids be unique; keeps tags, texts by tag, and attributes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.texts, self.links = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src", "xlink:href", "action", "srcset") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def made():
    return cards.usual()


@pytest.fixture(scope="module")
def text(made):
    return model_card.render(made)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def read(card) -> Page:
    return Page(model_card.render(card))


def section(card, name: str) -> str:
    """Give the HTML of one section."""
    found = {anchor: made(card) for anchor, _, made in model_card.SECTIONS if anchor == name}
    return found[name]


def test_every_section_is_there_and_linked(page):
    names = [name for name, _, _ in model_card.SECTIONS]
    assert [found["id"] for tag, found in page.tags if tag == "section"] == names
    assert page.links[1:] == [f"#{name}" for name in names]
    assert len(page.ids) == len(set(page.ids))


def test_nothing_is_loaded_and_nothing_runs(page, text):
    assert all(link.startswith("#") for link in page.links)
    assert page.count("script") == page.count("link") == page.count("img") == page.count("iframe") == 0
    assert "default-src 'none'" in POLICY
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in page.tags
    assert "url(" not in text
    assert "@import" not in text
    assert "://" not in text
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]


def test_it_can_be_heard(page):
    """Headings in order, a caption for every table, a title and a description for every picture, scopes for cells."""
    levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3", "h4"}]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert page.count("caption") == page.count("table") > 8
    assert page.count("figcaption") == page.count("figure") > 5
    assert page.count("title") == page.count("svg") + 1
    assert page.count("desc") == page.count("svg") > 8
    described = {name for tag, found in page.tags if tag == "svg" for name in found["aria-labelledby"].split()}
    assert described <= set(page.ids)
    assert all("scope" in found for tag, found in page.tags if tag == "th")
    assert ("html", {"lang": "en"}) in page.tags


def test_the_same_input_gives_the_same_page(made, text):
    assert model_card.render(made) == text
    assert model_card.render(cards.card()) == text


def test_it_is_small(text):
    assert len(text.encode()) < 500_000


def test_names_from_the_data_are_escaped():
    made = cards.card(specs=cards.EVIL_SPECS)
    audit = {"findings": [{"kind": "attribute", "name": cards.EVIL, "verdict": "leak", "why": cards.EVIL}]}
    ladder = {**cards.LADDER, "why": cards.EVIL, "next": {"told": cards.EVIL}}
    training = {
        **made.training,
        "audit": audit,
        "ladder": ladder,
        "allowed": [cards.EVIL],
        "unmet_attributes": [cards.EVIL],
    }
    training |= {"hygiene": {"set_aside": {cards.EVIL: 3}}, "generation": cards.EVIL, "why": cards.EVIL}
    stages = made.test.with_columns(stage=made.test["stage"] + cards.EVIL)
    card = replace(made, bundle=replace(made.bundle, training=training), test=stages)
    text = model_card.render(card)
    page = Page(text)
    assert page.count("script") == 0
    assert "<script" not in text
    assert page.text.count("<script>alert('1')</script>") > 12
    assert f"industry {cards.EVIL}" in page.text
    assert f"a {cards.EVIL}" in page.text


@pytest.mark.parametrize(
    ("changes", "anchor", "told"),
    [
        ({"disjoint": ()}, "disjoint", "was not measured"),
        ({"tables": None}, "data", "are not at hand"),
        ({"fingerprint": None}, "provenance", "\N{EN DASH}"),
    ],
)
def test_what_was_not_given_is_said_to_be_missing(made, changes, anchor, told):
    assert told in section(replace(made, **changes), anchor)


def test_no_test_row_at_all():
    made = cards.card(0)
    page = read(made)
    assert "No snapshot after the cut has a known outcome" in page.text
    for name in ("comparison", "probabilities", "ranking", "influence", "segments"):
        assert "<svg" not in section(made, name)


def test_what_training_records_survives_json(made):
    training = json.loads(json.dumps(dict(made.training)))
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert model_card.render(card) == model_card.render(made)


def test_it_is_written_whole_or_not_at_all(made, tmp_path, monkeypatch):
    path = tmp_path / "new" / "card.html"
    model_card.write(made, path)
    assert path.read_text(encoding="utf-8") == model_card.render(made)
    monkeypatch.setattr(model_card, "render", lambda _: "x\ud800")
    with pytest.raises(UnicodeEncodeError):
        model_card.write(made, path)
    assert [file.name for file in path.parent.iterdir()] == ["card.html"]
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_bad_input_is_refused(made, tmp_path):
    with pytest.raises(InputError, match=r"must end in \.html"):
        model_card.write(made, tmp_path / "card.pdf")
    with pytest.raises(InputError, match="give the features and points of the test rows"):
        model_card.render(replace(made, X=made.X[:10]))
    with pytest.raises(InputError, match="lack the column `model`"):
        model_card.render(replace(made, test=made.test.drop("model")))
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError):
        model_card.write(made, tmp_path / "file" / "card.html")


def test_the_fingerprint_is_that_of_the_manifest(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    assert model_card.fingerprint(tmp_path) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    with pytest.raises(BundleMissingError):
        model_card.fingerprint(tmp_path / "none")
