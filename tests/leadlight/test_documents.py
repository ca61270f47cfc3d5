from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from leadlight.documents import Document, plain
from leadlight.errors import CardError, InputError, MappingError

CARD = """\
# a comment
name: standard
rules:
  - activity: pricing_view
    points: 20
  - activity: mail_open
    points: 5
"""


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")
    activity: str
    points: int


class Card(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    rules: list[Rule]
    by_year: dict[str, Rule] = {}

    @model_validator(mode="after")
    def some_rules(self) -> "Card":
        if not self.rules:
            raise ValueError("a card needs a rule")
        return self


def document(text: str) -> Document:
    return Document(Path("folder/card.yaml"), text, CardError)


def problem_of(text: str) -> str:
    with pytest.raises(CardError) as caught:
        document(text).validate(Card)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_document_becomes_its_model():
    card = document(CARD).validate(Card)
    assert [rule.points for rule in card.rules] == [20, 5]


def test_lines_count_from_one_and_fall_back_to_the_deepest_part_that_exists():
    card = document(CARD)
    assert card.line(["name"]) == 2
    assert card.line(["rules", 1, "points"]) == 7
    assert card.line(["rules", 1, "pionts"]) == 6
    assert card.line(["nowhere"]) == 2
    assert card.line(["rules", 9]) == 3
    assert document("").line(["name"]) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CARD.replace("points: 5", "points: many"),
            "card.yaml line 7: `rules.1.points`: Input should be a valid integer",
        ),
        (
            CARD.replace("points: 5", "pionts: 5"),
            "card.yaml line 7: unknown key `pionts`; did you mean `points`? (and 1 more)",
        ),
        (CARD.replace("    points: 5\n", ""), "card.yaml line 6: `points` is missing"),
        (
            CARD.replace("points: 20", "points: many").replace("points: 5", "pionts: 5"),
            "card.yaml line 5: `rules.0.points`: Input should be a valid integer",
        ),
        (CARD + "nmae: x\n", "card.yaml line 8: unknown key `nmae`; did you mean `name`?"),
        ("name: x\nrules: []\n", "card.yaml line 1: a card needs a rule"),
        ("- 1\n", "card.yaml line 1: Input should be"),
        ("", "card.yaml: Input should be"),
        (CARD + "by_year:\n  2024:\n    activity: a\n    points: x\n", "card.yaml line 11: `by_year.2024.points`"),
    ],
)
def test_a_wrong_document_is_located(text, message):
    assert problem_of(text).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", "card.yaml line 2: not valid YAML"),
        ("a: 1\na: 2\n", "card.yaml line 2: not valid YAML: found duplicate key"),
        ("a: 1\n---\nb: 1\n", "card.yaml line 2: not valid YAML"),
        ("a: \x00b", "card.yaml: not valid YAML: unacceptable character"),
        ("when: 2024-02-30\n", "card.yaml: not valid YAML: day is out of range"),
        ("a: " + "[" * 1000, "card.yaml: not valid YAML: nested too deeply"),
    ],
)
def test_what_is_not_yaml_is_refused_in_one_line(text, message):
    with pytest.raises(CardError) as caught:
        document(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MappingError, match="does not exist"):
        Document.read(tmp_path / "no.yaml", MappingError)
    (tmp_path / "sjis.yaml").write_bytes("名前: 値".encode("cp932"))
    with pytest.raises(InputError, match="cannot be read as UTF-8"):
        Document.read(tmp_path / "sjis.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        Document.read(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfname: x\n")
    assert plain(Document.read(tmp_path / "bom.yaml").data) == {"name": "x"}


def test_plain_gives_plain_types():
    data = plain(document("a: &yes true\nb: *yes\nc: 'x'\nd: 0x10\ne: 1.5\nf: ~\n1: [2]\n").data)
    assert data == {"a": True, "b": True, "c": "x", "d": 16, "e": 1.5, "f": None, "1": [2]}
    assert [type(data[key]) for key in "abcde"] == [bool, bool, str, int, float]


def test_a_tag_never_runs_code():
    data = document("a: !!python/object/apply:os.getcwd []\n").data
    assert plain(data) == {"a": []}
