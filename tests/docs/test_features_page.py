"""`docs/features.md` is what the generator gives today, and leaves out nothing that can be measured."""

from pathlib import Path
from typing import get_args

import pytest

from leadlight.measures import MEASURES
from leadlight.spec import Family
from tools import make_docs

FEATURES = Path(__file__).parents[2] / "docs" / "features.md"


@pytest.fixture(scope="module")
def written():
    return FEATURES.read_text(encoding="utf-8")


def test_the_page_is_what_the_generator_gives(written):
    assert make_docs.FEATURES == FEATURES
    assert make_docs.features_page() == written, "run `make docs`"


@pytest.mark.parametrize("measure", MEASURES)
def test_no_measure_is_missing(written, measure):
    facts = MEASURES[measure]
    row = next(line for line in written.splitlines() if line.startswith(f"| `{measure}` | {facts.source} |"))
    assert facts.meaning.replace("|", "\\|") in row
    assert f"| {facts.unit} |" in row


@pytest.mark.parametrize("family", get_args(Family))
def test_no_family_is_missing(written, family):
    assert any(line.startswith(f"| `{family}` | ") for line in written.splitlines())


def test_every_family_file_is_on_the_page(written):
    files = {path.stem for path in (FEATURES.parents[1] / "features" / "families").glob("[a-z]*.py")}
    assert files == set(get_args(Family)) - {"rule"}
