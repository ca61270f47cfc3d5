"""The card reference in docs/rules.md is true: its example is a card, and it names every key there is."""

from pathlib import Path

import pytest

from leadlight.documents import Document
from leadlight.errors import CardError
from rules.condition import COMPANIONS, Condition
from rules.parse import BUILTIN, Card, Rule, builtin, read

REFERENCE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_example_of_the_reference_is_a_card(tmp_path):
    text = REFERENCE.read_text(encoding="utf-8")
    path = tmp_path / "card.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    card = read(path)
    assert {name for name in Card.model_fields if getattr(card, name)} == set(Card.model_fields)
    assert Document.read(path, CardError).line(("behaviour", 1)) is not None


@pytest.mark.parametrize("model", [Rule, Condition, Card])
def test_every_key_is_in_the_reference(model):
    text = REFERENCE.read_text(encoding="utf-8")
    keys = {info.alias or name for name, info in model.model_fields.items()}
    assert {
        key for key in keys if f"`{key}`" not in text and f"`{key}:" not in text and f"\n{key}:" not in text
    } == set()
    assert COMPANIONS.keys() <= {info.alias or name for name, info in Condition.model_fields.items()}


def test_every_card_of_the_package_is_in_the_reference():
    text = REFERENCE.read_text(encoding="utf-8")
    assert all(f"| `{builtin(name).name}` |" in text for name in BUILTIN)
