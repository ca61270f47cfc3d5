import re

from benchmarks.bars import Bar
from benchmarks.report import page, section
from benchmarks.sets import BPIC2012, OLIST, QUESTIONS, XEDUCATION_LAST
from tests.benchmarks.made import measured

VERSIONS = {"Python": "3.11.0", "lightgbm": "4.7.0", "scikit-learn": "1.9.0"}


def tables(text):
    """Give the lines of each table."""
    return [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]


def test_a_page_says_how_it_was_made_and_lists_the_bars():
    bars = [Bar("bpic2012", "lower | better", "found", passed=True), Bar("olist", "why", "nothing", passed=False)]
    text = page([measured(question) for question in QUESTIONS], bars, VERSIONS)
    assert "make results" in text
    assert "python -m benchmarks.results" in text
    assert "seed 0, 15 trials" in text
    assert "lightgbm 4.7.0, scikit-learn 1.9.0" in text
    assert "| `bpic2012` | lower / better | found | yes |" in text
    assert "| `olist` | why | nothing | **no** |" in text
    for question in QUESTIONS:
        assert f"## {question.title}" in text
        assert question.licence in text
    assert text.endswith("\n")


def test_every_table_is_whole():
    for table in tables(page([measured(question) for question in QUESTIONS], [], VERSIONS)):
        assert len({line.count("|") for line in table}) == 1, table[0]


def test_every_age_has_its_table_and_its_differences():
    text = "\n\n".join(section(measured(BPIC2012)))
    assert "### At 1 day: 200 rows" in text
    assert "### At 7 days: 200 rows" in text
    assert len(tables(text)) == 4
    *_, differences = tables(text)
    assert [line.split(" | ")[0] for line in differences[2:]] == ["| all"] * 2 + ["| 1 day"] * 2 + ["| 7 days"] * 2


def test_figures_are_those_that_were_measured():
    result = measured(BPIC2012)
    auc = result.comparison.metrics["auc"]["model"]
    text = "\n\n".join(section(result))
    assert f"| `model` | {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] |" in text
    assert re.search(r"\| all \| `plain` \| -0\.\d{4} \[-0\.\d{4}, -0\.\d{4}\] 1\.000 \*\*better\*\*", text)


def test_it_says_where_the_model_does_not_win():
    text = "\n\n".join(section(measured(XEDUCATION_LAST, good=False)))
    assert "does not beat `plain`" in text
    assert "**worse**" in text
    assert "not point in time" in text
    assert "Dates:" not in text


def test_a_refusal_comes_first_and_in_the_products_words():
    text = "\n\n".join(section(measured(OLIST, kind="base_rate", why="no model: 3 leads", facts={"wins": 3})))
    assert "**No model was fitted, `base_rate` is shipped.** The product's own words: no model: 3 leads." in text
    assert "wins: 3" in text
    assert "`shipped` minus the other" in text
    assert "cut 2020-01-01T00:00Z" in text
