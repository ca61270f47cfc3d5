import re

import pytest

from scoring import report
from scoring.thresholds import recommend
from scoring.wish import Wish
from tests.scoring.test_thresholds import CURVE, curve

PERIOD = {"target": "sql", "from": "2026-01-01", "to": "2026-03-12"}
CURVES = {"model": {**CURVE, **PERIOD}, "rules": {**curve([(40, 20, 12, 6, None), (50, 0, 0, 0, None)]), **PERIOD}}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_loads_nothing_and_shows_every_row(lang):
    wish = Wish(0.3, 0.5, 35)
    found = {basis: recommend(made, 0.3, 0.5, 35, lang=lang) for basis, made in CURVES.items()}
    image = report.figure(CURVES, found, wish)
    page = report.page(CURVES, found, wish, image, lang)
    assert image.startswith(b"\x89PNG")
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert page.count("<tr class=") == sum(len(made["rows"]) for made in CURVES.values())
    assert 'class="recommended"' in page
    assert found["model"].reason.split("%")[0] in page


def test_an_empty_curve_can_be_drawn():
    empty = {"rules": {**curve([]), **PERIOD}}
    found = {"rules": recommend(empty["rules"], 0.3, 0.5)}
    assert report.figure(empty, found, Wish()).startswith(b"\x89PNG")


def test_what_is_special_is_tagged():
    found = recommend(CURVE, 0.3, 0.5, 35)
    assert [report.tag(row["threshold"], found, "en") for row in CURVE["rows"]] == [
        "",
        "",
        "current",
        "recommended",
        "",
        "",
    ]
    nearest = recommend(CURVE, 0.9, 1.0)
    assert report.tag(nearest.nearest["threshold"], nearest, "ja") == "最も近い"
