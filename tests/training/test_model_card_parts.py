"""HTML that escapes what it is given."""

import re

from training import model_card_parts as parts
from training.model_card_parts import Markup
from training.model_card_style import STYLE


def test_prose_escapes_and_marks_code():
    assert parts.prose("a < `b<c` & `d") == "a &lt; <code>b&lt;c</code> &amp; `d"
    assert parts.prose(Markup("<b>")) == "<b>"
    assert parts.joined("<", Markup("<i>")) == "&lt;<i>"


def test_a_table_heads_its_rows_and_sets_one_off():
    found = parts.table("all <of> it", ["a", "b"], [["<x>", "1"], ["y", Markup("<b>2</b>")]], ours=1)
    assert "<caption>all &lt;of&gt; it</caption>" in found
    assert '<tr><th scope="row">&lt;x&gt;</th><td>1</td></tr>' in found
    assert '<tr class="ours"><th scope="row">y</th><td><b>2</b></td></tr>' in found


def test_records_of_any_shape_become_a_table_or_a_list():
    found = parts.records("c", [{"name": "<a>", "found_at": 1}, {"name": None, "more": [1, 2.5, True]}])
    assert "found at" in found
    assert "&lt;a&gt;" in found
    assert "1, 2.5, yes" in found
    assert parts.records("c", ["<a>", 3]) == "<ul><li>&lt;a&gt;</li><li>3</li></ul>"


def test_json_values_for_people():
    assert [parts.shown(value) for value in (None, True, 12_345, 0.123456, {"a_b": [1]}, "x")] == [
        "\N{EN DASH}",
        "yes",
        "12,345",
        "0.1235",
        "a b 1",
        "x",
    ]


def test_lists_notes_tiles_and_legends_escape():
    assert parts.bullets([]) == ""
    for made in (
        parts.bullets(["<x>"]),
        parts.note("warn", "<x>"),
        parts.tiles([("<x>", "<x>", "<x>")]),
        parts.legend(("model", "<x>")),
        parts.pill("<x>"),
        parts.absent("<x>"),
        parts.code("<x>"),
        parts.figure("<x>", [("<x>", Markup("<svg></svg>"))]),
        parts.section("n", "<x>", "<x>"),
        parts.page("<x>", ["<x>"], kicker="<x>", sub="<x>", links=[("n", "<x>")], foot="<x>"),
    ):
        assert "<x>" not in made
        assert "&lt;x&gt;" in made


def test_the_style_loads_nothing_and_knows_dark_and_paper():
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert "</" not in STYLE
    assert STYLE.count("{") == STYLE.count("}")
    assert "prefers-color-scheme:dark" in STYLE
    assert "@media print" in STYLE


def test_every_colour_of_the_style_is_defined():
    defined = set(re.findall(r"(--[a-z0-9-]+):", STYLE))
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", STYLE)) <= defined


def test_dark_and_light_define_the_same_colours():
    light, dark = (set(re.findall(r"(--[a-z0-9-]+):", block)) for block in re.findall(r":root\{([^}]*)\}", STYLE)[:2])
    assert light == dark


def test_a_section_is_put_before_all_others_of_a_page():
    evil = f"{parts.CONTENT}{parts.SUB}{parts.LINKS}"
    old = parts.page(evil, [parts.section("a", evil, "<")], kicker=evil, sub=evil, links=[("a", evil)], foot=evil)
    new = parts.with_first(old, parts.section("b", "B", "text"), link=("b", "First"), sub="from `a<b`")
    assert new == parts.page(
        evil,
        [parts.section("b", "B", "text"), parts.section("a", evil, "<")],
        kicker=evil,
        sub="from `a<b`",
        links=[("b", "First"), ("a", evil)],
        foot=evil,
    )
    assert parts.with_first("<html></html>", "b", link=("b", "First"), sub="") is None
    assert parts.with_first(old.replace(parts.LINKS, ""), "b", link=("b", "First"), sub="") is None
