"""The page as a whole: well formed, escaped, the same for the same input, and honest where parts are missing."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from leadlight.errors import BundleMissingError, InputError, WorkspaceError
from leadlight.steps import VennAbers
from tests.training import cards
from training import model_card
from training.model_card_origin import MOST_FINDINGS
from training.model_card_parts import POLICY
from training.split import Split

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
    return cards.card()


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


def test_the_headline_says_what_can_be_relied_on(made, page):
    assert made.standing == "better"
    assert "The model tells leads apart better than the rule card" in page.text
    auc = made.comparison.metrics["auc"]
    assert f"{auc['model'].value:.3f} against {auc['rules'].value:.3f} of the rules" in page.text
    difference = made.comparison.differences["auc"]["rules"]
    assert f"(95 % interval {difference.low:+.3f} to {difference.high:+.3f}): better" in page.text


def test_a_model_that_is_no_better_is_told_plainly(made):
    noise = np.random.default_rng(0).random(made.test.height)
    frame = made.test.with_columns(model=noise)
    columns = {name: frame[name].to_numpy() for name in ("model", "rules")}
    leads = frame["lead_id"].to_numpy().astype(object)
    found = model_card.disjoint(made.known.clear(), frame, 0, replicates=60)
    from training.evaluate import compare

    worse = compare(made.y, columns, leads, 0, replicates=60)
    card = replace(made, test=frame, comparison=worse, disjoint=(found,))
    assert card.standing == "worse"
    assert "The model is worse than the rule card: rely on the rules." in read(card).text
    same = compare(made.y, {**columns, "model": columns["rules"]}, leads, 0, replicates=60)
    card = replace(made, comparison=same)
    assert card.standing == "same"
    assert "cannot be told apart from the rule card" in read(card).text


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
    ("name", "anchor", "told"),
    [
        ("ladder", "rung", "were not compared"),
        ("audit", "audit", "No leak audit is recorded"),
        ("hygiene", "data", "hygiene was off"),
    ],
)
def test_what_training_did_not_record_is_said_to_be_missing(made, name, anchor, told):
    card = cards.without(made, name)
    assert told in section(card, anchor)
    assert "<svg" not in section(card, anchor)


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


def test_intervals_are_told_where_the_bundle_has_them(made):
    assert "gives probabilities without an interval" in section(made, "intervals")
    interval = VennAbers((-2.0, 0.0), (0.02, 0.1, 0.4), (0.12, 0.3, 0.8))
    card = replace(made, bundle=replace(made.bundle, scorer=replace(made.bundle.scorer, interval=interval)))
    found = section(card, "intervals")
    assert "wide in the median of test snapshots" in found
    assert found.count("<tr>") == 6


def test_a_shared_lead_gets_its_own_comparison(made):
    found = section(made, "disjoint")
    assert f"{made.disjoint[0].shared:,} of {made.test.height:,} test rows share a lead" in found
    assert f"{made.disjoint[0].apart.metrics['auc']['model'].value:.3f}" in found


def test_no_thresholds_no_picture_of_them(made):
    card = replace(made, bundle=replace(made.bundle, thresholds={"model": None, "rules": None, "note": "no clock"}))
    found = section(card, "thresholds")
    assert "There is no curve of thresholds: no clock." in found
    assert "<svg" not in found


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_one_class_says_that_nothing_can_be_said(outcome):
    made = cards.card(300, y=np.full(300, outcome))
    page = read(made)
    assert made.standing == "nothing"
    assert "Nothing can be said of this training yet." in page.text
    assert "A comparison needs both outcomes." in page.text
    assert "Lift and gains need test rows of both outcomes." in page.text


def test_no_test_row_at_all():
    made = cards.card(0)
    page = read(made)
    assert "No snapshot after the cut has a known outcome" in page.text
    for name in ("comparison", "probabilities", "ranking", "influence", "segments"):
        assert "<svg" not in section(made, name)


@pytest.mark.parametrize("kind", ["rules", "base_rate"])
def test_rules_alone(kind):
    made = cards.card(400, kind=kind)
    assert made.standing == "no model"
    assert "There is no model" in read(made).text


def test_nothing_moves_a_base_rate():
    made = cards.card(400, kind="base_rate")
    scorer = replace(made.bundle.scorer, rule_b=0.0)
    card = replace(made, bundle=replace(made.bundle, scorer=scorer))
    assert "Nothing moves scores" in section(card, "influence")


def test_data_without_a_clock_is_marked():
    made = cards.card(400)
    split = Split("sql", None, cards.CUT, cards.UNTIL, (1,), (1,))
    assert "Not point in time" in read(replace(made, split=split)).text


def test_without_training_rows_the_line_of_time_has_its_test_side(made):
    found = section(replace(made, known=None), "split")
    assert "<svg" in found
    assert 'class="bar train"' not in found
    assert 'class="bar test"' in found


def test_the_audit_shows_what_was_left_out_and_allowed(made):
    found = section(made, "audit")
    assert found.index("closing_note") < found.index("<code>notes</code>") < found.index("<code>industry</code>")
    assert "left out" in found
    assert "allowed because: the form is filled at creation" in found


def test_an_unresolved_leak_is_a_warning(made):
    audit = {**cards.AUDIT, "unresolved": ["row order"]}
    training = {**made.training, "audit": audit}
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert "must not be promoted: <code>row order</code>" in section(card, "audit")


def test_very_many_findings_are_cut_and_said_to_be(made):
    findings = [{"kind": "attribute", "name": f"c{n}", "verdict": "ok", "why": ""} for n in range(MOST_FINDINGS + 5)]
    training = {**made.training, "audit": {"findings": findings}}
    card = replace(made, bundle=replace(made.bundle, training=training))
    found = section(card, "audit")
    assert f"The {MOST_FINDINGS} gravest of {MOST_FINDINGS + 5} are shown" in found
    assert found.count("<tr>") == MOST_FINDINGS + 1


def test_the_audit_may_be_recorded_as_a_mere_list(made):
    training = {**made.training, "audit": ["looked at nothing"]}
    card = replace(made, bundle=replace(made.bundle, training=training))
    assert "looked at nothing" in section(card, "audit")


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


def test_ten_thousand_categories_and_very_long_names():
    many = tuple(f"{'long ' * 40}{n}" for n in range(10_000))
    specs = (*cards.SPECS[:2], replace(cards.SPECS[2], categories=many))
    made = cards.card(600, specs=specs)
    X = made.X.copy()
    X[:, 2] = np.arange(600) * 16
    text = model_card.render(replace(made, X=X))
    assert len(text) < 500_000
    assert "(others)" in text


def test_other_targets_have_no_usual_range(made):
    split = replace(cards.SPLIT, target="customer")
    card = replace(
        made, split=split, bundle=replace(made.bundle, scorer=replace(made.bundle.scorer, target="customer"))
    )
    assert "usual range" in section(made, "thresholds")
    assert "usual range" not in section(card, "thresholds")
    assert "reached customer within 30 days" in read(card).text
