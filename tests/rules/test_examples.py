"""The cards of the real data sets agree with their mappings (no data is read here)."""

from pathlib import Path

import pytest

from leadlight.documents import Document, plain
from rules.check import activity_types, problems
from rules.engine import plan
from rules.parse import read

EXAMPLES = Path(__file__).parents[2] / "examples"


def _keys_and_texts(node):
    if isinstance(node, dict):
        return {str(key) for key in node} | {text for value in node.values() for text in _keys_and_texts(value)}
    if isinstance(node, list):
        return {text for value in node for text in _keys_and_texts(value)}
    return {str(node)}


@pytest.mark.parametrize("name", ["bpic2012", "olist", "xeducation"])
def test_a_card_has_five_to_eight_rules_and_names_what_its_mapping_makes(name):
    card = read(EXAMPLES / name / "card.yaml")
    assert 5 <= len(card.behaviour) + len(card.fit) <= 8
    assert list(problems(card)) == []
    made = _keys_and_texts(plain(Document.read(EXAMPLES / name / "mapping.yaml").data))
    wanted = {spec.attribute for spec in plan(card).specs if spec.attribute} | set(activity_types(card))
    assert wanted <= made


@pytest.mark.parametrize("name", ["bpic2012", "olist", "xeducation"])
def test_every_number_of_an_example_is_marked_ours(name):
    card = read(EXAMPLES / name / "card.yaml")
    assert all(rule.ours for rule in (*card.behaviour, *card.fit))
