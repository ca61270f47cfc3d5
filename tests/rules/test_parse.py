import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from leadlight.errors import CardError
from rules.parse import BUILTIN, builtin, chosen, from_json, read, resolve, source, to_json
from tests.rules import made

HEAD = """\
name: mine
label: {en: Mine, ja: 自社}
temperature: {hot: 50, warm: 20}
fit_grades: {A: 15, B: 5, C: 0}
engagement_levels: {2: 10, 3: 25, 4: 50}
"""
RULE = "  - {name: download, label: {en: d, ja: d}, activity: download, points: 10%s}\n"
BODY = "behaviour:\n" + RULE  # the rule stands on line 7


def written(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_card_is_read(tmp_path):
    card = read(written(tmp_path, HEAD + BODY % ""))
    assert card.behaviour[0].activity == ("download",)
    assert (card.threshold, card.engagement_levels.four) == (50, 50)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "the card is empty"),
        ("# nothing\n", None, "the card is empty"),
        (HEAD, 1, "no rules"),
        (HEAD + "behaviour: []\n", 1, "no rules"),
        (HEAD + BODY % ", wihtin: 3d", 7, "unknown key `wihtin`; did you mean `within`"),
        ("treshold: 40\n" + HEAD + BODY % "", 1, "unknown key `treshold`; did you mean `threshold`"),
        (HEAD + BODY % ", cap: 5", 7, "cap 5 is below its points 10"),
        (HEAD + BODY % ", cap: -5", 7, "greater than 0"),
        (HEAD + BODY % ", actor: sale", 7, "actor `sale` does not exist; did you mean `sales`"),
        (HEAD + BODY % ", within: 0d", 7, "`0d` has no length"),
        (HEAD + BODY % ", within: 30", 7, "`30` has no unit"),
        (HEAD + BODY % ", half_life: soon", 7, "not a length of time"),
        (HEAD + BODY % ", group: g", 7, "group `g` is not under `groups`"),
        (HEAD + BODY % ", once: true, cap: 10", 7, "`once` goes without"),
        (HEAD + BODY % ", when: {stage: mql}", 7, "either `activity` or `when`"),
        (HEAD + BODY % "" + RULE % "", 8, "the name `download` is taken by `behaviour` number 1"),
        (HEAD + BODY % "" + "fit:\n" + RULE % "", 9, "taken"),
        (HEAD + BODY % "" + "fit:\n" + RULE.replace("download,", "other,", 1) % "", 9, "move it to `behaviour`"),
        (
            HEAD + BODY % "" + "fit:\n  - {name: f, label: {en: f, ja: f}, points: 1, when: {not: {stage: lost}}}\n",
            9,
            "about history",
        ),
        (
            HEAD + "behaviour:\n  - {name: f, label: {en: f, ja: f}, points: 1, when: {stage: lots}}\n",
            7,
            "stage `lots` does not exist; did you mean `lost`",
        ),
        (
            HEAD + "behaviour:\n  - name: f\n    label: {en: f, ja: f}\n    points: 1\n    when:\n      all:\n"
            "        - {stage: lost}\n        - {activity: a, at_leest: 2}\n",
            13,
            "did you mean `at_least`",
        ),
        (HEAD + BODY.replace("10%s", "0%s") % "", 7, "gives 0 points"),
        (HEAD + BODY.replace("10%s", ".nan%s") % "", 7, "finite"),
        (HEAD + BODY.replace("10%s", "ten%s") % "", 7, "points"),
        (HEAD + BODY.replace("name: download", "name: Down load") % "", 7, "is not a name"),
        (HEAD + BODY.replace(", ja: d", "") % "", 7, "`ja` is missing"),
        (HEAD + "groups: {g: {cap: 5, label: {en: g, ja: g}}}\n" + BODY % "", 6, "no rule is in group `g`"),
        (
            HEAD + "groups: {g: {cap: 5, label: {en: g, ja: g}}}\n" + BODY % ", group: g",
            6,
            "cap 5 is below the 10 points of `download`",
        ),
        (HEAD.replace("warm: 20", "warm: 60") + BODY % "", 3, "warm 60 must be below hot 50"),
        (HEAD.replace("warm: 20", "warm: 20, margin: 30") + BODY % "", 3, "margin 30 must be below"),
        (HEAD.replace("B: 5", "B: 25") + BODY % "", 4, "grades must fall"),
        (HEAD.replace("3: 25", "3: 75") + BODY % "", 5, "levels must rise"),
        (HEAD + "threshold: 0\n" + BODY % "", 6, "greater than 0"),
        (HEAD + "rule_prior: {probability: 1, doubling: 20}\n" + BODY % "", 6, "less than 1"),
        (HEAD + BODY % "" + "  - [\n", 9, "not valid YAML"),
    ],
)
def test_a_wrong_card_is_refused_at_its_line(tmp_path, text, line, message):
    with pytest.raises(CardError) as caught:
        read(written(tmp_path, text))
    place = "card.yaml: " if line is None else f"card.yaml line {line}: "
    assert str(caught.value).startswith(place), str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_cannot_ask_for_detail(tmp_path):
    with pytest.raises(CardError, match="unknown key `detail`"):
        read(written(tmp_path, HEAD + BODY % ", detail: '*bot*'"))
    with pytest.raises(CardError, match=r"behaviour\.0\.when\.detail"):
        made.card(behaviour=[{"when": {"activity": "a", "detail": "*bot*"}, "points": 1}])


def test_a_group_cannot_mix_behaviour_and_fit():
    with pytest.raises(CardError, match="behaviour and of fit"):
        made.card(
            behaviour=[{"activity": "a", "points": 1, "group": "g"}],
            fit=[{"when": {"attribute": "x", "known": True}, "points": 1, "group": "g"}],
            groups={"g": 5},
        )


@settings(max_examples=60, deadline=None)
@given(made.cards())
def test_json_brings_back_the_same_card(card):
    assert from_json(json.loads(json.dumps(to_json(card)))) == card


@pytest.mark.parametrize("name", BUILTIN)
def test_the_packages_cards_survive_the_bundle(name):
    assert from_json(to_json(builtin(name))) == builtin(name) == resolve(name)
    assert source(name).startswith("#")


def test_json_that_is_no_card_is_refused_without_a_file_name():
    with pytest.raises(CardError, match="rule card: `behaviour`"):
        from_json({**made.FRAME, "behaviour": 3})


def test_a_card_in_a_bundle_may_have_no_rules_left():
    left = from_json(made.FRAME)
    assert (left.behaviour, left.fit) == ((), ())
    assert from_json(to_json(left)) == left


def test_without_a_name_the_own_card_is_taken_and_else_the_standard_one(tmp_path):
    own = tmp_path / "card.yaml"
    assert chosen(None, own) == builtin("standard")
    own.write_text(HEAD + BODY % "", encoding="utf-8")
    assert chosen(None, own).name == "mine"
    assert chosen("simple", own) == builtin("simple")


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(CardError, match="did you mean `simple`"):
        resolve("simpel")
    with pytest.raises(CardError, match="does not exist"):
        resolve(tmp_path / "card.yaml")
    with pytest.raises(CardError, match="did you mean `standard`"):
        builtin("standart")


def test_a_card_from_json_needs_no_yaml_and_nothing_heavy():
    code = (
        "import sys, json\n"
        "from rules import engine, ledger, parse\n"
        f"card = parse.from_json(json.loads({json.dumps(json.dumps(to_json(builtin('standard'))))}))\n"
        "engine.specs(card)\n"
        "heavy = {'ruamel', 'polars', 'pandas', 'pyarrow', 'narwhals', 'sklearn', 'lightgbm', 'features'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
